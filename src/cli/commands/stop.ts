import { command } from "../command.ts";
import { forEach, reachEngine } from "../open.ts";
import { stopFlags, stopOptions } from "../stop-options.ts";

export const stop = command(
  {
    name: "stop",
    summary: "Ask containers to end, and kill those that don't in time",
    usage: "CONTAINER...",
    positionals: [1, Infinity],
    options: stopFlags,
    examples: ["sampan stop web cache", "sampan stop -t 30 database"],
  },
  async (values, names, globals) => {
    const options = await stopOptions(values);
    await using engine = await reachEngine(globals);
    return await forEach(names, async (name) => {
      await (await engine.get(name)).stop(options);
      process.stdout.write(`${name}\n`);
    });
  },
);
