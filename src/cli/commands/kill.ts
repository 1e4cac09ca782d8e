import { command } from "../command.ts";
import { forEach, reachEngine } from "../open.ts";

export const kill = command(
  {
    name: "kill",
    summary: "Send containers a signal, SIGKILL by default",
    usage: "CONTAINER...",
    positionals: [1, Infinity],
    options: { signal: { type: "string", short: "s", value: "SIGNAL", help: "signal by name or number" } },
    examples: ["sampan kill web", "sampan kill -s HUP web"],
  },
  async (values, names, globals) => {
    await using engine = await reachEngine(globals);
    return await forEach(names, async (name) => {
      await (await engine.get(name)).kill(values.signal ?? "KILL");
      process.stdout.write(`${name}\n`);
    });
  },
);
