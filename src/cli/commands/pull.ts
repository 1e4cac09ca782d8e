import type { ContainerEngine, TransferOptions } from "#engine";
import { command } from "../command.ts";
import { forEach, interruption, openEngine, reachEngine } from "../open.ts";
import { pullProgress } from "../progress.ts";
import { hasRegistryFlags, parallelFlag, parallelLayers, registryFlags, registryOptions } from "../registry-flags.ts";

export const pull = command(
  {
    name: "pull",
    summary: "Fetch an image from a registry",
    usage: "IMAGE",
    positionals: [1, 1],
    options: {
      "all-platforms": { type: "boolean", help: "all platforms of its index" },
      "all-tags": { type: "boolean", short: "a", help: "all images of a repository" },
      ...registryFlags,
      ...parallelFlag,
      platform: { type: "string", value: "OS/ARCH", help: "in place of this machine's" },
      quiet: { type: "boolean", short: "q", help: "print only the image's name" },
    },
    examples: ["sampan pull debian:12", "sampan pull --platform linux/arm64 127.0.0.1:5000/app@sha256:…"],
  },
  async (values, [reference = ""], globals) => {
    const allTags = values["all-tags"] === true;
    const local =
      allTags || hasRegistryFlags(values)
        ? await openEngine(globals, { registry: await registryOptions(values), ...(await parallelLayers(values)) })
        : undefined;
    await using engine: ContainerEngine = local ?? (await reachEngine(globals));
    const signal = interruption();
    const one = async (name: string): Promise<void> => {
      await pullOne(engine, name, values.quiet === true, {
        signal,
        ...(values["all-platforms"] === true && { allPlatforms: true }),
        ...(values.platform !== undefined && { platform: values.platform }),
      });
    };
    if (local !== undefined && allTags) {
      return await forEach(await local.imageStore.remoteNames(reference, { signal }), async (name) => {
        if (!signal.aborted) await one(name);
      });
    }
    await one(reference);
    return 0;
  },
);

async function pullOne(engine: ContainerEngine, name: string, quiet: boolean, options: TransferOptions): Promise<void> {
  using progress = pullProgress(name, quiet);
  const image = await engine.pull(name, { ...options, onProgress: progress.update });
  progress[Symbol.dispose]();
  process.stdout.write(`${image.name}\n`);
}
