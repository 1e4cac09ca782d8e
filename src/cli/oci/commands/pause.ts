import { pauseContainer } from "#runtime";
import { ociCommand } from "../command.ts";

export const pause = ociCommand(
  {
    name: "pause",
    summary: "Stop all processes of a container",
    usage: "CONTAINER",
    positionals: [1, 1],
    options: {},
    examples: ["sampan-oci pause web"],
  },
  async (_, [id = ""], context) => {
    const runtime = context.runtime();
    await pauseContainer(runtime, runtime.get(id));
    return 0;
  },
);
