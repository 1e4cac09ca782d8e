import { command } from "../command.ts";
import { interruption, reachEngine } from "../open.ts";
import { progressDisplay } from "../progress.ts";

export const save = command(
  {
    name: "save",
    summary: "Write images to an archive that Docker, podman and skopeo read too",
    usage: "IMAGE...",
    positionals: [1, Infinity],
    options: {
      output: { type: "string", short: "o", value: "FILE", help: "in place of the standard output" },
      platform: { type: "string", value: "OS/ARCH", help: "only the image of this platform" },
      quiet: { type: "boolean", short: "q", help: "print no progress" },
    },
    examples: ["sampan save -o app.tar app:1", "sampan save app:1 | ssh host sampan load"],
  },
  async (values, images, globals) => {
    const { openOutput } = await import("../output-file.ts");
    await using engine = await reachEngine(globals);
    await using output = await openOutput(values.output);
    using progress = progressDisplay(`Saving ${images.join(", ")}`, values.quiet === true);
    let isPart = false;
    await engine.saveImages(images, output.write, {
      platform: values.platform,
      onProgress: (step) => {
        if (step.status === "partial") isPart = true;
        else progress.update(step);
      },
      signal: interruption(),
    });
    await output.commit();
    if (isPart && values.quiet !== true) {
      progress[Symbol.dispose]();
      process.stderr.write("Only the platform that is here was saved; sampan pull --all-platforms gets the others\n");
    }
    return 0;
  },
);
