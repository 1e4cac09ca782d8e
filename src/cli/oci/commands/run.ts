import { ociCommand } from "../command.ts";
import { createOptions, readCreateOptions } from "../create-options.ts";
import { runInForeground } from "../foreground.ts";

export const run = ociCommand(
  {
    name: "run",
    summary: "Make a container from a bundle, run its program, and remove it after its end",
    usage: "CONTAINER",
    positionals: [1, 1],
    options: {
      ...createOptions,
      detach: { type: "boolean", short: "d", help: "do not wait for its end" },
      keep: { type: "boolean", help: "do not remove the container after its end" },
      "no-subreaper": { type: "boolean", help: "does nothing: the monitor, not this process, reaps orphans" },
    },
    examples: ["sampan-oci run --bundle /bundles/web web", "sampan-oci run -d --console-socket console.sock web"],
  },
  async (values, [id = ""], context) => {
    const foreground = values.detach !== true;
    const options = readCreateOptions(values, context, foreground);
    const runtime = context.runtime(options.preserve);
    const monitor = await runtime.create(id, options);
    try {
      if (monitor === undefined) {
        await runtime.start(id);
        return 0;
      }
      using client = monitor;
      const terminal = options.bundle.config.process?.terminal ?? false;
      const status = await runInForeground(client, terminal, async () => await runtime.start(id, client));
      if (values.keep !== true) await runtime.delete(id, { force: false });
      return status;
    } catch (error) {
      await runtime.delete(id, { force: true });
      throw error;
    }
  },
);
