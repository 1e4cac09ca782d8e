import { invalidArgument } from "#errdefs";
import { ctrCommand } from "./command.ts";
import { makeContainer } from "./container-create.ts";
import { containerFlags, ctrContainer } from "./container-flags.ts";
import { startTask } from "./task-start.ts";

export const run = ctrCommand(
  {
    name: "run",
    summary: "make a container and start its process, with this terminal or output",
    usage: "IMAGE ID [COMMAND [ARG...]]",
    passthrough: true,
    options: {
      ...containerFlags,
      detach: { type: "boolean", short: "d", help: "in the background" },
      "null-io": { type: "boolean", help: "without input, and show no output" },
      "pid-file": { type: "string", value: "FILE", help: "write the process' id there" },
      rm: { type: "boolean", help: "delete the container when it has ended" },
    },
    examples: ["sampan ctr run --rm docker.io/library/redis:latest one redis-server --version"],
  },
  async (values, words, context) => {
    const [detach, remove] = [values.detach === true, values.rm === true];
    if (detach && remove) throw invalidArgument("Cannot use --rm with --detach: nobody would wait for its end");
    const options = await ctrContainer(values, words);
    const container = await makeContainer(context, { ...options, openStdin: !detach });
    let started = false;
    try {
      const silent = values["null-io"] === true;
      const code = await startTask(container, { detach, silent, pidFile: values["pid-file"] });
      started = true;
      return code;
    } finally {
      if (remove || !started) await container.removeIfThere({ force: true, volumes: true });
    }
  },
);
