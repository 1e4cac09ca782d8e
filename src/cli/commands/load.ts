import { createReadStream } from "node:fs";
import { command } from "../command.ts";
import { interruption, reachEngine } from "../open.ts";
import { progressDisplay } from "../progress.ts";

export const load = command(
  {
    name: "load",
    summary: "Read images from an archive of save, Docker, podman or skopeo",
    usage: "",
    positionals: [0, 0],
    options: {
      input: { type: "string", short: "i", value: "FILE", help: "in place of the standard input" },
      platform: { type: "string", value: "OS/ARCH", help: "in place of this machine's" },
      quiet: { type: "boolean", short: "q", help: "print no progress" },
    },
    examples: ["sampan load -i app.tar.zst", "docker save app:1 | sampan load"],
  },
  async (values, _, globals) => {
    const { failedPrecondition } = await import("#errdefs");
    if (values.input === undefined && process.stdin.isTTY) {
      throw failedPrecondition('Cannot read an archive from "stdin": it is a terminal', {
        remedy: "Name a file with -i, or redirect the input",
      });
    }
    const stream: AsyncIterable<Uint8Array> =
      values.input === undefined || values.input === "-"
        ? process.stdin
        : createReadStream(values.input, { highWaterMark: 1024 * 1024 });
    await using engine = await reachEngine(globals);
    using progress = progressDisplay("Loading images", values.quiet === true);
    const images = await engine.loadImages(stream, {
      platform: values.platform,
      onProgress: progress.update,
      signal: interruption(),
    });
    progress[Symbol.dispose]();
    for (const { names, id } of images)
      process.stdout.write(
        names.length === 0 ? `Loaded image ID: ${id}\n` : names.map((n) => `Loaded image: ${n}\n`).join(""),
      );
    return 0;
  },
);
