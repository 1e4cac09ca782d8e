import { command } from "../command.ts";
import { interruption, openEngine } from "../open.ts";

export const supervise = command(
  {
    name: "supervise",
    summary: "Look after containers: restart policies and health checks, until none is left that needs it",
    usage: "",
    positionals: [0, 0],
    options: {
      boot: {
        type: "boolean",
        help: "after the host has come up: start containers whose policy is always, also those that were stopped",
      },
    },
    hidden: true,
    examples: ["sampan supervise --boot"],
  },
  async (values, _, globals) => {
    const { printError } = await import("../errors.ts");
    await using engine = await openEngine(globals, { background: false });
    await engine.supervise({
      boot: values.boot === true,
      endWhenIdle: true,
      signal: interruption(),
      onError: printError,
    });
    return 0;
  },
);
