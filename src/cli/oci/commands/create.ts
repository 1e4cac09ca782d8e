import { ociCommand } from "../command.ts";
import { createOptions, readCreateOptions } from "../create-options.ts";

export const create = ociCommand(
  {
    name: "create",
    summary: "Make a container from a bundle; its program waits for start",
    usage: "CONTAINER",
    positionals: [1, 1],
    options: createOptions,
    examples: ["sampan-oci create --bundle /bundles/web --pid-file web.pid web"],
  },
  async (values, [id = ""], context) => {
    const options = readCreateOptions(values, context, false);
    await context.runtime(options.preserve).create(id, options);
    return 0;
  },
);
