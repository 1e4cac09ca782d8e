import { formatPlatform, formatReference, parseReference } from "#spec";
import { interruption } from "../open.ts";
import { ctrCommand } from "./command.ts";
import { CtrFailure } from "./context.ts";
import { TransferLines, type BlobKinds } from "./pull-lines.ts";
import { registryFlags, registryOptions } from "./registry-options.ts";

export const imagePull = ctrCommand(
  {
    name: "images pull",
    summary: "fetch an image from its registry",
    usage: "REF",
    options: {
      ...registryFlags,
      "all-platforms": { type: "boolean", help: "all platforms of its index" },
      platform: { type: "string", value: "OS/ARCH", help: "in place of this machine's" },
      "print-chainid": { type: "boolean", help: "print the chain id of its layers" },
    },
    examples: ["sampan ctr images pull docker.io/library/redis:latest"],
  },
  async (values, [given = ""], context) => {
    if (given === "") throw new CtrFailure("please provide an image reference to pull");
    const reference = formatReference(parseReference(given));
    const engine = await context.engine(await registryOptions(values, reference));
    using shown = new TransferLines(reference);
    const started = performance.now();
    const image = await engine.pull(reference, {
      onProgress: shown.update,
      signal: interruption(),
      ...(values["all-platforms"] === true && { allPlatforms: true }),
      ...(values.platform !== undefined && { platform: values.platform }),
    });
    const kinds: BlobKinds = new Map([
      [image.target, "index"],
      [image.manifest, "manifest"],
      [image.id, "config"],
    ]);
    // What was there whole already was not asked for blob by blob.
    for (const digest of new Set([image.manifest, image.id]))
      shown.update({ digest, status: image.changed ? "done" : "exists", current: 0, total: 0 });
    shown.finish(kinds);
    process.stdout.write(`unpacking ${formatPlatform(image.platform)} ${image.target}...\n`);
    if (values["print-chainid"] === true) process.stdout.write(`image chain ID: ${image.chainId ?? ""}\n`);
    process.stdout.write(`done: ${duration(performance.now() - started)}\t\n`);
    return 0;
  },
);

/** As Go writes durations: `123.642188ms`, `2.655415618s`. */
function duration(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds.toFixed(6)}ms` : `${(milliseconds / 1000).toFixed(9)}s`;
}
