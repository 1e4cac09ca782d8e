import { command } from "../command.ts";
import { openEngine } from "../open.ts";

export const networkConnect = command(
  {
    name: "network connect",
    summary: "Put a container on a network, at once when it runs",
    usage: "NETWORK CONTAINER",
    positionals: [2, 2],
    options: {
      alias: { type: "list", value: "NAME", help: "further name by which others of the network know it" },
      interface: { type: "string", value: "NAME", help: "name of the interface inside, eth1 and so on by default" },
      ip: { type: "string", value: "ADDRESS", help: "IPv4 address" },
      ip6: { type: "string", value: "ADDRESS", help: "IPv6 address" },
      "mac-address": { type: "string", value: "MAC", help: "link layer address" },
    },
    examples: ["sampan network connect --alias db shop postgres"],
  },
  async (values, [network = "", container = ""], globals) => {
    await using engine = await openEngine(globals);
    await engine.networks.connect(network, container, {
      ...(values.ip === undefined ? {} : { ip: values.ip }),
      ...(values.ip6 === undefined ? {} : { ip6: values.ip6 }),
      ...(values["mac-address"] === undefined ? {} : { mac: values["mac-address"] }),
      ...(values.interface === undefined ? {} : { interface: values.interface }),
      ...(values.alias.length === 0 ? {} : { aliases: values.alias }),
    });
    return 0;
  },
);
