import { command } from "../command.ts";
import { forEach, openEngine } from "../open.ts";

export const podStart = command(
  {
    name: "pod start",
    summary: "Bring pods up: their namespaces, network and cgroup",
    usage: "POD...",
    positionals: [1, Infinity],
    options: {},
    examples: ["sampan pod start shop"],
  },
  async (_, names, globals) => {
    await using engine = await openEngine(globals);
    return await forEach(names, async (name) => {
      await engine.pods.start(name);
      process.stdout.write(`${name}\n`);
    });
  },
);
