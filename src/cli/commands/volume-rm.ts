import { command } from "../command.ts";
import { forEach, openEngine } from "../open.ts";

export const volumeRm = command(
  {
    name: "volume rm",
    summary: "Remove volumes with all that is in them",
    usage: "VOLUME...",
    positionals: [1, Infinity],
    options: { force: { type: "boolean", short: "f", help: "one that is not there is no failure" } },
    examples: ["sampan volume rm site"],
  },
  async (values, names, globals) => {
    await using engine = await openEngine(globals);
    return await forEach(names, async (name) => {
      await engine.volumes.remove(name, { force: values.force === true });
      process.stdout.write(`${name}\n`);
    });
  },
);
