import { command } from "../command.ts";
import { interruption } from "../open.ts";

export const tags = command(
  {
    name: "tags",
    summary: "List the tags of a repository in its registry",
    usage: "REPOSITORY",
    positionals: [1, 1],
    options: {},
    examples: ["sampan tags registry.example.com/team/app"],
  },
  async (_, [name = ""]) => {
    const { dockerCredentials, Registry } = await import("#remotes");
    const { parseReference } = await import("#spec");
    using registry = new Registry({ credentials: dockerCredentials() });
    const list = await registry.tags(parseReference(name), { signal: interruption() });
    process.stdout.write(list.map((tag) => `${tag}\n`).join(""));
    return 0;
  },
);
