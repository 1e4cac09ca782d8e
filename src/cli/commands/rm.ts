import { command } from "../command.ts";
import { forEach, reachEngine } from "../open.ts";

export const rm = command(
  {
    name: "rm",
    summary: "Remove containers, with what they have written",
    usage: "CONTAINER...",
    positionals: [1, Infinity],
    options: {
      force: { type: "boolean", short: "f", help: "kill those that run" },
      volumes: { type: "boolean", short: "v", help: "remove their anonymous volumes too" },
    },
    examples: ["sampan rm web", "sampan rm -f -v $(sampan ps -aq)"],
  },
  async (values, names, globals) => {
    const { isSampanError } = await import("#engine");
    await using engine = await reachEngine(globals);
    return await forEach(names, async (name) => {
      try {
        await engine.remove(name, { force: values.force === true, volumes: values.volumes === true });
      } catch (error) {
        // With --force it is enough that there is none.
        if (values.force !== true || !isSampanError(error, "not-found")) throw error;
        return;
      }
      process.stdout.write(`${name}\n`);
    });
  },
);
