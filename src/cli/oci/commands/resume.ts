import { resumeContainer } from "#runtime";
import { ociCommand } from "../command.ts";

export const resume = ociCommand(
  {
    name: "resume",
    summary: "Let the processes of a paused container go on",
    usage: "CONTAINER",
    positionals: [1, 1],
    options: {},
    examples: ["sampan-oci resume web"],
  },
  async (_, [id = ""], context) => {
    const runtime = context.runtime();
    await resumeContainer(runtime, runtime.get(id));
    return 0;
  },
);
