import { command } from "../command.ts";
import { openEngine } from "../open.ts";
import { checkFormat, printTable } from "../table.ts";

export const imageMount = command(
  {
    name: "image mount",
    summary: "Show an image's files in a directory, or list where images are shown",
    usage: "[IMAGE DIRECTORY]",
    positionals: [0, 2],
    options: {
      format: { type: "string", value: "json", help: "of the list: print one JSON object a line" },
      rw: { type: "boolean", help: "let them be changed, until the unmount" },
    },
    examples: ["sampan image mount debian:12 /mnt", "sampan image mount"],
  },
  async (values, [name, directory], globals) => {
    const { invalidArgument } = await import("#errdefs");
    checkFormat(values.format);
    if (name !== undefined && directory === undefined)
      throw invalidArgument(`Cannot mount image "${name}": no directory is named`, {
        remedy: "Write one behind the image",
      });
    await using engine = await openEngine(globals);
    if (name !== undefined && directory !== undefined) {
      const target = await engine.imageMounts.mount(name, directory, { writable: values.rw === true });
      process.stdout.write(`${target}\n`);
      return 0;
    }
    const list = engine.imageMounts.list();
    if (values.format === "json")
      for (const { target, image, imageId, readOnly, isMounted } of list)
        process.stdout.write(
          `${JSON.stringify({ Target: target, Image: image, ImageID: imageId, ReadOnly: readOnly, Mounted: isMounted })}\n`,
        );
    else
      printTable(
        ["DIRECTORY", "IMAGE", "IMAGE ID", "MODE", "STATUS"],
        list.map((m) => [
          m.target,
          m.image,
          m.imageId.slice(7, 19),
          m.readOnly ? "ro" : "rw",
          m.isMounted ? "mounted" : "not mounted here",
        ]),
      );
    return 0;
  },
);
