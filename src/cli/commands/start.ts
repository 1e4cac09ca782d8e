import { command } from "../command.ts";
import { forEach, reachEngine } from "../open.ts";

export const start = command(
  {
    name: "start",
    summary: "Start containers that have ended, with what they have written",
    usage: "CONTAINER...",
    positionals: [1, Infinity],
    options: {},
    examples: ["sampan start web"],
  },
  async (_, names, globals) => {
    await using engine = await reachEngine(globals);
    return await forEach(names, async (name) => {
      await (await engine.get(name)).start();
      process.stdout.write(`${name}\n`);
    });
  },
);
