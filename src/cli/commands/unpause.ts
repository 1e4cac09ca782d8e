import { command } from "../command.ts";
import { forEach, reachEngine } from "../open.ts";

export const unpause = command(
  {
    name: "unpause",
    summary: "Let paused containers go on",
    usage: "CONTAINER...",
    positionals: [1, Infinity],
    options: {},
    examples: ["sampan unpause web"],
  },
  async (_, names, globals) => {
    await using engine = await reachEngine(globals);
    return await forEach(names, async (name) => {
      await (await engine.get(name)).unpause();
      process.stdout.write(`${name}\n`);
    });
  },
);
