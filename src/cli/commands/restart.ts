import { command } from "../command.ts";
import { forEach, reachEngine } from "../open.ts";
import { stopFlags, stopOptions } from "../stop-options.ts";

export const restart = command(
  {
    name: "restart",
    summary: "Stop containers and start them again",
    usage: "CONTAINER...",
    positionals: [1, Infinity],
    options: stopFlags,
    examples: ["sampan restart web", "sampan restart -t 30 database"],
  },
  async (values, names, globals) => {
    const options = await stopOptions(values);
    await using engine = await reachEngine(globals);
    return await forEach(names, async (name) => {
      await (await engine.get(name)).restart(options);
      process.stdout.write(`${name}\n`);
    });
  },
);
