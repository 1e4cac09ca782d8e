import type { ContainerEngine, TransferOptions } from "#engine";
import { command } from "../command.ts";
import { forEach, interruption, openEngine, reachEngine } from "../open.ts";
import { progressDisplay } from "../progress.ts";
import { hasRegistryFlags, registryFlags, registryOptions } from "../registry-flags.ts";

export const push = command(
  {
    name: "push",
    summary: "Give an image to the registry of its name",
    usage: "NAME[:TAG]",
    positionals: [1, 1],
    options: {
      "all-platforms": { type: "boolean", help: "all platforms of its index, also those that are not here" },
      "all-tags": { type: "boolean", short: "a", help: "all images of a repository that are here" },
      ...registryFlags,
      platform: { type: "string", value: "OS/ARCH", help: "only the image of this platform" },
      referrers: { type: "boolean", help: "also what refers to it: signatures, attestations and the like" },
      quiet: { type: "boolean", short: "q", help: "print only what the registry has now" },
    },
    examples: ["sampan tag app registry.example.com/team/app:1", "sampan push registry.example.com/team/app:1"],
  },
  async (values, [reference = ""], globals) => {
    const allTags = values["all-tags"] === true;
    const local =
      allTags || hasRegistryFlags(values)
        ? await openEngine(globals, { registry: await registryOptions(values) })
        : undefined;
    await using engine: ContainerEngine = local ?? (await reachEngine(globals));
    const signal = interruption();
    const one = async (name: string): Promise<void> => {
      await pushOne(engine, name, values.quiet === true, {
        signal,
        platform: values.platform,
        allPlatforms: values["all-platforms"],
        referrers: values.referrers,
      });
    };
    if (local !== undefined && allTags) {
      return await forEach(local.imageStore.localNames(reference), async (name) => {
        if (!signal.aborted) await one(name);
      });
    }
    await one(reference);
    return 0;
  },
);

async function pushOne(engine: ContainerEngine, name: string, quiet: boolean, options: TransferOptions): Promise<void> {
  using progress = progressDisplay(`Pushing ${name}`, quiet);
  const pushed = await engine.push(name, { ...options, onProgress: progress.update });
  progress[Symbol.dispose]();
  if (pushed.isPart && !quiet && options.platform === undefined)
    process.stderr.write("Only the platform that is here was pushed; --all-platforms pushes the whole index\n");
  process.stdout.write(`${pushed.name.replace(/@.*$/, "")}@${pushed.digest}\n`);
}
