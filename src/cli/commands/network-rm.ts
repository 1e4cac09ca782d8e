import { command } from "../command.ts";
import { forEach, openEngine } from "../open.ts";

export const networkRm = command(
  {
    name: "network rm",
    summary: "Remove networks that no running container is on",
    usage: "NETWORK...",
    positionals: [1, Infinity],
    options: { force: { type: "boolean", short: "f", help: "don't fail for one that does not exist" } },
    examples: ["sampan network rm shop"],
  },
  async (values, names, globals) => {
    const { isSampanError } = await import("#engine");
    await using engine = await openEngine(globals);
    return await forEach(names, async (name) => {
      try {
        await engine.networks.remove(name);
      } catch (error) {
        if (values.force !== true || !isSampanError(error, "not-found")) throw error;
      }
      process.stdout.write(`${name}\n`);
    });
  },
);
