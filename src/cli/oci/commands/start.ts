import { ociCommand } from "../command.ts";

export const start = ociCommand(
  {
    name: "start",
    summary: "Let a created container run its program",
    usage: "CONTAINER",
    positionals: [1, 1],
    options: {},
    examples: ["sampan-oci start web"],
  },
  async (_, [id = ""], context) => {
    await context.runtime().start(id);
    return 0;
  },
);
