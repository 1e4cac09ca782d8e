import { command } from "../command.ts";
import { forEach, interruption } from "../open.ts";
import { registryFlags, registryOptions } from "../registry-flags.ts";

export const registryRm = command(
  {
    name: "registry rm",
    summary: "Delete tags, manifests or blobs from their registry",
    usage: "NAME[:TAG|@DIGEST]...",
    positionals: [1, Infinity],
    options: {
      blob: { type: "boolean", help: "the digests are of blobs" },
      force: { type: "boolean", short: "f", help: "a manifest with all its tags, where a tag can't be deleted alone" },
      ...registryFlags,
    },
    examples: [
      "sampan registry rm registry.example.com/team/app:1",
      "sampan registry rm registry.example.com/team/app@sha256:…",
    ],
  },
  async (values, names) => {
    const { dockerCredentials, Registry } = await import("#remotes");
    const { parseReference } = await import("#spec");
    using registry = new Registry({ credentials: dockerCredentials(), ...(await registryOptions(values)) });
    const signal = interruption();
    return await forEach(names, async (name) => {
      const kind = await registry.remove(parseReference(name), {
        signal,
        blob: values.blob === true,
        force: values.force === true,
      });
      process.stdout.write(`Deleted ${kind}: ${name}\n`);
    });
  },
);
