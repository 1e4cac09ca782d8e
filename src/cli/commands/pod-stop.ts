import { command } from "../command.ts";
import { forEach, openEngine } from "../open.ts";

export const podStop = command(
  {
    name: "pod stop",
    summary: "Stop all containers of pods, and take the pods down",
    usage: "POD...",
    positionals: [1, Infinity],
    options: {
      time: { type: "string", short: "t", value: "SECONDS", help: "how long to wait before SIGKILL, 10 by default" },
    },
    examples: ["sampan pod stop shop"],
  },
  async (values, names, globals) => {
    const { parseInteger } = await import("#engine");
    const timeout = values.time === undefined ? undefined : parseInteger(values.time, "--time", 0, 2 ** 31 - 1);
    await using engine = await openEngine(globals);
    return await forEach(names, async (name) => {
      await engine.pods.stop(name, timeout === undefined ? {} : { timeout });
      process.stdout.write(`${name}\n`);
    });
  },
);
