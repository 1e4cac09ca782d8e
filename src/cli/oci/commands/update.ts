import { updateContainer } from "#runtime";
import { ociCommand } from "../command.ts";
import { readRdtUpdate, readUpdate, updateOptions } from "../update-resources.ts";

export const update = ociCommand(
  {
    name: "update",
    summary: "Change limits of a container",
    usage: "CONTAINER",
    positionals: [1, 1],
    options: updateOptions,
    examples: [
      "sampan-oci update --memory 512m --pids-limit 100 web",
      "sampan-oci update --resources - web < limits.json",
    ],
  },
  async (values, [id = ""], context) => {
    const resources = readUpdate(values, context.warn);
    const rdt = readRdtUpdate(values);
    const runtime = context.runtime();
    await updateContainer(runtime, runtime.get(id), resources, rdt);
    return 0;
  },
);
