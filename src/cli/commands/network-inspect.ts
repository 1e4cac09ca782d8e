import { command } from "../command.ts";
import { forEach, openEngine } from "../open.ts";

export const networkInspect = command(
  {
    name: "network inspect",
    summary: "Print all that is known of networks, as JSON",
    usage: "NETWORK...",
    positionals: [1, Infinity],
    options: { format: { type: "string", short: "f", value: "FORMAT", help: "json, or a template for each" } },
    examples: ["sampan network inspect bridge"],
  },
  async (values, names, globals) => {
    const { inspectNetwork } = await import("../network-inspect.ts");
    const { detailsPrinter } = await import("../format/print-details.ts");
    const print = detailsPrinter(values.format);
    await using engine = await openEngine(globals);
    const found: object[] = [];
    const code = await forEach(names, async (name) => {
      found.push(inspectNetwork(await engine.networks.inspect(name)));
    });
    process.stdout.write(print(found));
    return code;
  },
);
