import { command } from "../command.ts";
import { openEngine } from "../open.ts";

export const networkDisconnect = command(
  {
    name: "network disconnect",
    summary: "Take a container from a network, at once when it runs",
    usage: "NETWORK CONTAINER",
    positionals: [2, 2],
    options: { force: { type: "boolean", short: "f", help: "don't fail when it is not on it" } },
    examples: ["sampan network disconnect shop postgres"],
  },
  async (values, [network = "", container = ""], globals) => {
    await using engine = await openEngine(globals);
    await engine.networks.disconnect(network, container, { force: values.force === true });
    return 0;
  },
);
