import { command } from "../command.ts";
import { interruption, reachEngine } from "../open.ts";
import { pullProgress } from "../progress.ts";

export const pull = command(
  {
    name: "pull",
    summary: "Fetch an image from a registry",
    usage: "IMAGE",
    positionals: [1, 1],
    options: {
      platform: { type: "string", value: "OS/ARCH", help: "in place of this machine's" },
      quiet: { type: "boolean", short: "q", help: "print only the image's name" },
    },
    examples: ["sampan pull debian:12", "sampan pull --platform linux/arm64 127.0.0.1:5000/app@sha256:…"],
  },
  async (values, [reference = ""], globals) => {
    await using engine = await reachEngine(globals);
    using progress = pullProgress(reference, values.quiet === true);
    const image = await engine.pull(reference, {
      onProgress: progress.update,
      signal: interruption(),
      ...(values.platform === undefined ? {} : { platform: values.platform }),
    });
    progress[Symbol.dispose]();
    process.stdout.write(`${image.name}\n`);
    return 0;
  },
);
