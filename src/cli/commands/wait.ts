import { command } from "../command.ts";
import { forEach, reachEngine } from "../open.ts";

export const wait = command(
  {
    name: "wait",
    summary: "Wait until containers have ended, and print their exit codes",
    usage: "CONTAINER...",
    positionals: [1, Infinity],
    options: {},
    examples: ["sampan wait job"],
  },
  async (_, names, globals) => {
    await using engine = await reachEngine(globals);
    return await forEach(names, async (name) => {
      const { status } = await (await engine.get(name)).wait();
      process.stdout.write(`${status}\n`);
    });
  },
);
