import { command } from "../command.ts";
import { forEach, openEngine } from "../open.ts";

export const podRm = command(
  {
    name: "pod rm",
    summary: "Remove pods",
    usage: "POD...",
    positionals: [1, Infinity],
    options: {
      force: { type: "boolean", short: "f", help: "with their containers, which are killed" },
    },
    examples: ["sampan pod rm -f shop"],
  },
  async (values, names, globals) => {
    await using engine = await openEngine(globals);
    return await forEach(names, async (name) => {
      await engine.pods.remove(name, { force: values.force === true });
      process.stdout.write(`${name}\n`);
    });
  },
);
