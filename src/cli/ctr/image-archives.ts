/** `images import`, `export`. */
import { createReadStream } from "node:fs";
import { interruption } from "../open.ts";
import { ctrCommand } from "./command.ts";
import { CtrFailure } from "./context.ts";
import { parseReference, formatReference } from "#spec";

export const imageImport = ctrCommand(
  {
    name: "images import",
    summary: "read images from an archive, an OCI layout or Docker's",
    usage: "FILE",
    options: { platform: { type: "string", value: "OS/ARCH", help: "in place of this machine's" } },
    examples: ["sampan ctr images import redis.tar", "cat redis.tar | sampan ctr images import -"],
  },
  async ({ platform }, [file = ""], context) => {
    if (file === "") throw new CtrFailure("please provide an archive, or - for the standard input");
    const engine = await context.engine();
    const stream: AsyncIterable<Uint8Array> =
      file === "-" ? process.stdin : createReadStream(file, { highWaterMark: 1024 * 1024 });
    const loaded = await engine.loadImages(stream, { platform, signal: interruption() });
    for (const { names, id } of loaded)
      for (const name of names.length === 0 ? [id] : names) {
        const shown = name === id ? id : formatReference(parseReference(name));
        const digest = engine.imageStore.targetOf(name)?.digest ?? id;
        process.stdout.write(`unpacking ${shown} (${digest})...done\n`);
      }
    return 0;
  },
);

export const imageExport = ctrCommand(
  {
    name: "images export",
    summary: "write images to an archive, which is an OCI layout and Docker's",
    usage: "FILE REF...",
    options: { platform: { type: "string", value: "OS/ARCH", help: "only the image of this platform" } },
    examples: ["sampan ctr images export redis.tar docker.io/library/redis:latest"],
  },
  async ({ platform }, [file = "", ...names], context) => {
    if (file === "" || names.length === 0)
      throw new CtrFailure("please provide both an output filename and an image reference to export");
    const { openOutput } = await import("../output-file.ts");
    const engine = await context.engine();
    await using output = await openOutput(file === "-" ? undefined : file);
    await engine.saveImages(names, output.write, { platform, signal: interruption() });
    await output.commit();
    return 0;
  },
);
