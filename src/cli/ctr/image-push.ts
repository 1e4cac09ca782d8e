import { formatReference, parseReference } from "#spec";
import { interruption } from "../open.ts";
import { ctrCommand } from "./command.ts";
import { CtrFailure } from "./context.ts";
import { TransferLines, type BlobKinds } from "./pull-lines.ts";
import { registryFlags, registryOptions } from "./registry-options.ts";

export const imagePush = ctrCommand(
  {
    name: "images push",
    summary: "give an image to a registry",
    usage: "REMOTE [LOCAL]",
    options: {
      ...registryFlags,
      platform: { type: "string", value: "OS/ARCH", help: "only the image of this platform" },
    },
    examples: ["sampan ctr images push --plain-http 127.0.0.1:5000/cache:1 docker.io/library/redis:latest"],
  },
  async (values, [given = "", local = given], context) => {
    if (given === "") throw new CtrFailure("please provide a remote image reference to push");
    const reference = formatReference(parseReference(given));
    const engine = await context.engine(await registryOptions(values, reference));
    const images = engine.imageStore;
    const source = images.resolve(local, values.platform);
    using shown = new TransferLines(reference);
    // A push is of a name: one that is not here is lent to the image for its time.
    const before = images.targetOf(reference);
    const lent = before?.digest !== source.target;
    if (lent && before !== undefined)
      throw new CtrFailure(`image "${reference}": already exists, and is another one than "${local}"`);
    if (lent) images.tag(local, reference);
    try {
      await engine.push(reference, {
        onProgress: shown.update,
        signal: interruption(),
        ...(values.platform !== undefined && { platform: values.platform }),
      });
    } finally {
      if (lent) await images.remove(reference, { force: true });
    }
    const kinds: BlobKinds = new Map([
      [source.target, "index"],
      [source.manifest, "manifest"],
      [source.id, "config"],
    ]);
    shown.finish(kinds, "done");
    return 0;
  },
);
