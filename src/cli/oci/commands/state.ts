import { ociCommand } from "../command.ts";
import { describeContainer } from "../container-json.ts";

export const state = ociCommand(
  {
    name: "state",
    summary: "Print the state of a container as JSON",
    usage: "CONTAINER",
    positionals: [1, 1],
    options: {},
    examples: ["sampan-oci state web"],
  },
  async (_, [id = ""], context) => {
    const container = context.runtime().get(id);
    process.stdout.write(`${JSON.stringify(describeContainer(container), undefined, 2)}\n`);
    await Promise.resolve();
    return 0;
  },
);
