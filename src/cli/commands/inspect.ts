import { command } from "../command.ts";
import { forEach, reachEngine } from "../open.ts";

export const inspect = command(
  {
    name: "inspect",
    summary: "Print all that is known of containers and images, as JSON",
    usage: "NAME...",
    positionals: [1, Infinity],
    options: { type: { type: "string", value: "container|image", help: "only this kind" } },
    examples: ["sampan inspect web", "sampan inspect --type image localhost/node"],
  },
  async (values, names, globals) => {
    const { invalidArgument, isSampanError } = await import("#errdefs");
    if (values.type !== undefined && values.type !== "container" && values.type !== "image")
      throw invalidArgument(`Cannot parse --type "${values.type}": it is container or image`);
    await using engine = await reachEngine(globals);
    const found: object[] = [];
    const code = await forEach(names, async (name) => {
      if (values.type !== "image") {
        try {
          found.push(await (await engine.get(name)).inspect());
          return;
        } catch (error) {
          if (values.type === "container" || !isSampanError(error, "not-found")) throw error;
        }
      }
      found.push(await engine.inspectImage(name));
    });
    process.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
    return code;
  },
);
