import { command } from "../command.ts";
import { forEach, reachEngine } from "../open.ts";
import { checkFormat } from "../table.ts";

export const imageInspect = command(
  {
    name: "image inspect",
    summary: "Print all that is known of images, as JSON",
    usage: "IMAGE...",
    positionals: [1, Infinity],
    options: {
      format: { type: "string", value: "json", help: "print one object a line" },
      platform: { type: "string", value: "OS/ARCH", help: "of this platform" },
    },
    examples: ["sampan image inspect debian:12"],
  },
  async (values, names, globals) => {
    checkFormat(values.format);
    await using engine = await reachEngine(globals);
    const found: object[] = [];
    const code = await forEach(names, async (name) => {
      found.push(await engine.inspectImage(name, values.platform));
    });
    if (values.format === "json") for (const image of found) process.stdout.write(`${JSON.stringify(image)}\n`);
    else process.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
    return code;
  },
);
