import { command } from "../command.ts";
import { interruption } from "../open.ts";
import { registryFlags, registryOptions } from "../registry-flags.ts";
import { checkFormat, printTable } from "../table.ts";

export const referrers = command(
  {
    name: "referrers",
    summary: "List what refers to an image in its registry: signatures, attestations and the like",
    usage: "IMAGE",
    positionals: [1, 1],
    options: {
      ...registryFlags,
      "artifact-type": { type: "string", value: "TYPE", help: "only those of this type" },
      format: { type: "string", value: "json", help: "print one descriptor a line" },
    },
    examples: ["sampan referrers registry.example.com/team/app:1"],
  },
  async (values, [name = ""]) => {
    checkFormat(values.format);
    const { dockerCredentials, Registry } = await import("#remotes");
    const { parseReference } = await import("#spec");
    using registry = new Registry({ credentials: dockerCredentials(), ...(await registryOptions(values)) });
    const reference = parseReference(name);
    const signal = interruption();
    const { digest } = await registry.resolve(reference, { signal });
    const list = await registry.referrers(reference, digest, { artifactType: values["artifact-type"], signal });
    if (values.format === "json") for (const found of list) process.stdout.write(`${JSON.stringify(found)}\n`);
    else
      printTable(
        ["DIGEST", "ARTIFACT TYPE", "SIZE"],
        list.map((found) => [found.digest, printable(found.artifactType ?? found.mediaType), String(found.size)]),
      );
    return 0;
  },
);

/** It comes from outside: a line stays a line, and the terminal as it is. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, " ");
}
