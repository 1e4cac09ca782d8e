import { command } from "../command.ts";
import { forEach, openEngine } from "../open.ts";

export const pause = command(
  {
    name: "pause",
    summary: "Stop all processes of containers where they are",
    usage: "CONTAINER...",
    positionals: [1, Infinity],
    options: {},
    examples: ["sampan pause web"],
  },
  async (_, names, globals) => {
    await using engine = await openEngine(globals);
    return await forEach(names, async (name) => {
      await engine.get(name).pause();
      process.stdout.write(`${name}\n`);
    });
  },
);
