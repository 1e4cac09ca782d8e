import { command } from "../command.ts";
import { interruption } from "../open.ts";
import { registryFlags, registryOptions } from "../registry-flags.ts";
import { progressDisplay } from "../progress.ts";

export const copy = command(
  {
    name: "copy",
    summary: "Copy an image between registries, folders and archives",
    usage: "SOURCE TARGET",
    positionals: [2, 2],
    options: {
      ...registryFlags,
      all: { type: "boolean", short: "a", help: "all platforms of its index" },
      platform: { type: "string", value: "OS/ARCH", help: "in place of this machine's" },
      referrers: { type: "boolean", help: "also what refers to it: signatures, attestations and the like" },
      quiet: { type: "boolean", short: "q", help: "print only the digest" },
    },
    examples: [
      "sampan copy docker://debian:12 oci:images:debian",
      "sampan copy --all oci-archive:app.tar docker://registry.example.com/app:1",
    ],
  },
  async (values, [source = "", target = ""]) => {
    const { copyImage, parsePlace } = await import("#images");
    const { dockerCredentials, Registry } = await import("#remotes");
    const { parsePlatform } = await import("#spec");
    const { openOutput } = await import("../output-file.ts");
    const [from, to] = [parsePlace(source), parsePlace(target)];
    using registry = new Registry({ credentials: dockerCredentials(), ...(await registryOptions(values)) });
    using progress = progressDisplay(`Copying ${source}`, values.quiet === true);
    const digest = await copyImage(from, to, {
      registry,
      all: values.all === true,
      referrers: values.referrers === true,
      platform: values.platform === undefined ? undefined : parsePlatform(values.platform),
      onProgress: progress.update,
      signal: interruption(),
      openSink: openOutput,
    });
    progress[Symbol.dispose]();
    process.stdout.write(`${digest}\n`);
    return 0;
  },
);
