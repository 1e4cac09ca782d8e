import { isSampanError } from "#errdefs";
import { command } from "../command.ts";
import { openEngine } from "../open.ts";
import { pullProgress } from "../progress.ts";
import { runFlags } from "../run-flags.ts";

export const podRun = command(
  {
    name: "pod run",
    summary: "Run a container in the background in a pod, which is made when there is none of the name",
    usage: "POD IMAGE [COMMAND [ARG...]]",
    positionals: [2, Infinity],
    passthrough: true,
    options: { ...runFlags, rm: { type: "boolean", help: "remove the container when it has ended" } },
    examples: ["sampan pod run shop localhost/node server.js"],
  },
  async (values, [pod = "", ...words], globals) => {
    const { containerOptions } = await import("../container-options.ts");
    const options = { ...containerOptions(values, words), pod, autoRemove: values.rm === true };
    await using engine = await openEngine(globals);
    try {
      engine.pods.get(pod);
    } catch (error) {
      if (!isSampanError(error, "not-found")) throw error;
      await engine.pods.create({ name: pod });
    }
    using progress = pullProgress(options.image);
    const { image, command: program, ...others } = options;
    const container = await engine.create(
      { ...others, image, ...(program && { command: program }) },
      { onProgress: progress.update },
    );
    try {
      await container.start();
    } catch (error) {
      await container.removeIfThere({ force: true, volumes: true });
      throw error;
    }
    process.stdout.write(`${container.id}\n`);
    return 0;
  },
);
