import { ociCommand } from "../command.ts";

export const deleteContainer = ociCommand(
  {
    name: "delete",
    summary: "Remove what a container that has ended holds",
    usage: "CONTAINER",
    positionals: [1, 1],
    options: { force: { type: "boolean", short: "f", help: "kill it first; one that is not there is no error" } },
    examples: ["sampan-oci delete web", "sampan-oci delete --force web"],
  },
  async (values, [id = ""], context) => {
    await context.runtime().delete(id, { force: values.force === true });
    return 0;
  },
);
