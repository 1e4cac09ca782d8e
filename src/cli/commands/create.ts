import { command } from "../command.ts";
import { interruption, reachEngine } from "../open.ts";
import { pullProgress } from "../progress.ts";
import { runFlags } from "../run-flags.ts";

export const create = command(
  {
    name: "create",
    summary: "Make a container from an image, to be started later",
    usage: "IMAGE [COMMAND [ARG...]]",
    positionals: [1, Infinity],
    passthrough: true,
    options: { ...runFlags, rm: { type: "boolean", help: "remove the container when it has ended" } },
    examples: ["sampan create --name web -v site:/site localhost/node server.js", "sampan start web"],
  },
  async (values, words, globals) => {
    const { containerOptions } = await import("../container-options.ts");
    const options = {
      ...containerOptions(values, words),
      autoRemove: values.rm === true,
      stdinOnce: values.interactive === true,
    };
    await using engine = await reachEngine(globals);
    using progress = pullProgress(options.image);
    const container = await engine.create(options, { onProgress: progress.update, signal: interruption() });
    process.stdout.write(`${container.id}\n`);
    return 0;
  },
);
