import { command } from "../command.ts";
import { openEngine } from "../open.ts";

export const networkCreate = command(
  {
    name: "network create",
    summary: "Make a network, and print its id",
    usage: "NAME",
    positionals: [1, 1],
    options: {
      driver: { type: "string", short: "d", value: "DRIVER", help: "bridge (default), macvlan or ipvlan" },
      gateway: { type: "list", value: "ADDRESS", help: "the host's address in it, the subnet's first by default" },
      internal: { type: "boolean", help: "without a way out of the host" },
      "ip-range": { type: "list", value: "PREFIX", help: "part of the subnet that addresses are given from" },
      ipv6: { type: "boolean", help: "with IPv6 too" },
      label: { type: "list", value: "NAME=VALUE", help: "label on the network" },
      opt: {
        type: "list",
        short: "o",
        value: "NAME=VALUE",
        help: "mtu, isolate, icc, masquerade, metadata, rate, burst; parent and mode of macvlan and ipvlan",
      },
      subnet: { type: "list", value: "PREFIX", help: "one of IPv4, one of IPv6; a free one by default" },
    },
    examples: [
      "sampan network create shop",
      "sampan network create --subnet 10.90.0.0/24 --gateway 10.90.0.254 --ipv6 shop",
      "sampan network create -d macvlan -o parent=eth0.5 --subnet 192.0.2.0/24 --gateway 192.0.2.1 lan",
    ],
  },
  async (values, [name = ""], globals) => {
    const { pairs } = await import("../network-options.ts");
    await using engine = await openEngine(globals);
    const { id } = await engine.networks.create({
      name,
      subnets: values.subnet,
      gateways: values.gateway,
      ipRanges: values["ip-range"],
      ipv6: values.ipv6 === true,
      internal: values.internal === true,
      labels: pairs(values.label, "--label"),
      options: pairs(values.opt, "--opt"),
      ...(values.driver === undefined ? {} : { driver: values.driver }),
    });
    process.stdout.write(`${id}\n`);
    return 0;
  },
);
