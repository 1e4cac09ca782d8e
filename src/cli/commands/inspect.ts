import { command } from "../command.ts";
import { forEach, reachEngine } from "../open.ts";

export const inspect = command(
  {
    name: "inspect",
    summary: "Print all that is known of containers and images, as JSON",
    usage: "NAME...",
    positionals: [1, Infinity],
    options: {
      format: {
        type: "string",
        short: "f",
        value: "FORMAT",
        help: "json, or a template for each, e.g. '{{.State.Status}}'",
      },
      type: { type: "string", value: "container|image", help: "only this kind" },
    },
    examples: [
      "sampan inspect web",
      "sampan inspect --type image localhost/node",
      "sampan inspect -f '{{.State.ExitCode}}' job",
    ],
  },
  async (values, names, globals) => {
    const { invalidArgument, isSampanError } = await import("#errdefs");
    if (values.type !== undefined && values.type !== "container" && values.type !== "image")
      throw invalidArgument(`Cannot parse --type "${values.type}": it is container or image`);
    const { detailsPrinter } = await import("../format/print-details.ts");
    const print = detailsPrinter(values.format);
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
    process.stdout.write(print(found));
    return code;
  },
);
