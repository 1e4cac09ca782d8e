import { command } from "../command.ts";
import { interruption } from "../open.ts";
import { registryFlags, registryOptions } from "../registry-flags.ts";

export const tags = command(
  {
    name: "tags",
    summary: "List the tags of a repository in its registry",
    usage: "REPOSITORY",
    positionals: [1, 1],
    options: { ...registryFlags },
    examples: ["sampan tags registry.example.com/team/app"],
  },
  async (values, [name = ""]) => {
    const { dockerCredentials, Registry } = await import("#remotes");
    const { parseReference } = await import("#spec");
    using registry = new Registry({ credentials: dockerCredentials(), ...(await registryOptions(values)) });
    const list = await registry.tags(parseReference(name), { signal: interruption() });
    process.stdout.write(list.map((tag) => `${tag}\n`).join(""));
    return 0;
  },
);
