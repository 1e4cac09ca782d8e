import { command } from "../command.ts";
import { forEach, reachEngine } from "../open.ts";

export const restart = command(
  {
    name: "restart",
    summary: "Stop containers and start them again",
    usage: "CONTAINER...",
    positionals: [1, Infinity],
    options: {
      signal: { type: "string", short: "s", value: "SIGNAL", help: "in place of the container's stop signal" },
      time: { type: "string", short: "t", value: "SECONDS", help: "how long to wait before SIGKILL, 10 by default" },
    },
    examples: ["sampan restart web", "sampan restart -t 30 database"],
  },
  async (values, names, globals) => {
    const { parseInteger } = await import("#engine");
    const timeout = values.time === undefined ? undefined : parseInteger(values.time, "--time", 0, 2 ** 31 - 1);
    await using engine = await reachEngine(globals);
    return await forEach(names, async (name) => {
      await (
        await engine.get(name)
      ).restart({
        ...(timeout === undefined ? {} : { timeout }),
        ...(values.signal === undefined ? {} : { signal: values.signal }),
      });
      process.stdout.write(`${name}\n`);
    });
  },
);
