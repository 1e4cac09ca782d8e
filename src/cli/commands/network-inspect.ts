import { command } from "../command.ts";
import { forEach, openEngine } from "../open.ts";

export const networkInspect = command(
  {
    name: "network inspect",
    summary: "Print all that is known of networks, as JSON",
    usage: "NETWORK...",
    positionals: [1, Infinity],
    options: {},
    examples: ["sampan network inspect bridge"],
  },
  async (_, names, globals) => {
    const { inspectNetwork } = await import("../network-inspect.ts");
    await using engine = await openEngine(globals);
    const found: object[] = [];
    const code = await forEach(names, async (name) => {
      found.push(inspectNetwork(await engine.networks.inspect(name)));
    });
    process.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
    return code;
  },
);
