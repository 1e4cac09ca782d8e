import { command } from "../command.ts";
import { limitFlags } from "../limit-flags.ts";
import { forEach, reachEngine } from "../open.ts";

export const update = command(
  {
    name: "update",
    summary: "Change limits of containers, also while they run",
    usage: "CONTAINER...",
    positionals: [1, Infinity],
    options: limitFlags,
    examples: ["sampan update --memory 1g --memory-swap 2g database", "sampan update --cpus 0.5 batch"],
  },
  async (values, names, globals) => {
    const { limitOptions } = await import("../limit-options.ts");
    const options = limitOptions(values);
    await using engine = await reachEngine(globals);
    return await forEach(names, async (name) => {
      const warnings = await (await engine.get(name)).update(options);
      for (const warning of warnings) process.stderr.write(`sampan: ${warning}\n`);
      process.stdout.write(`${name}\n`);
    });
  },
);
