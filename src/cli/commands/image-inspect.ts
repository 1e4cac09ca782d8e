import { command } from "../command.ts";
import { forEach, reachEngine } from "../open.ts";

export const imageInspect = command(
  {
    name: "image inspect",
    summary: "Print all that is known of images, as JSON",
    usage: "IMAGE...",
    positionals: [1, Infinity],
    options: {
      format: { type: "string", short: "f", value: "FORMAT", help: "json, or a template for each" },
      platform: { type: "string", value: "OS/ARCH", help: "of this platform" },
    },
    examples: ["sampan image inspect debian:12"],
  },
  async (values, names, globals) => {
    const { detailsPrinter } = await import("../format/print-details.ts");
    const print = detailsPrinter(values.format);
    await using engine = await reachEngine(globals);
    const found: object[] = [];
    const code = await forEach(names, async (name) => {
      found.push(await engine.inspectImage(name, values.platform));
    });
    process.stdout.write(print(found));
    return code;
  },
);
