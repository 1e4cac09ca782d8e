import { command } from "../command.ts";
import { forEach, reachEngine } from "../open.ts";

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
    await using engine = await reachEngine(globals);
    return await forEach(names, async (name) => {
      await (await engine.get(name)).pause();
      process.stdout.write(`${name}\n`);
    });
  },
);
