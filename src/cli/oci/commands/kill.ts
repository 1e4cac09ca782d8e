import { invalidArgument } from "#errdefs";
import { signalNumber } from "#plan";
import { ociCommand } from "../command.ts";

export const kill = ociCommand(
  {
    name: "kill",
    summary: "Send a signal to the first process of a container",
    usage: "CONTAINER [SIGNAL]",
    positionals: [1, 2],
    options: { all: { type: "boolean", short: "a", help: "does nothing: obsolete" } },
    examples: ["sampan-oci kill web", "sampan-oci kill web KILL"],
  },
  async (_, [id = "", text = "SIGTERM"], context) => {
    const signal = text === "0" ? 0 : signalNumber(text);
    if (signal === undefined) throw invalidArgument(`Cannot send signal "${text}": there is no such signal`);
    await context.runtime().kill(id, signal);
    return 0;
  },
);
