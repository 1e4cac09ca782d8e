import { command } from "../command.ts";
import { confirm } from "../confirm.ts";
import { openEngine } from "../open.ts";

export const containerPrune = command(
  {
    name: "container prune",
    summary: "Remove all containers that have ended",
    usage: "",
    positionals: [0, 0],
    options: {
      filter: {
        type: "list",
        value: "KEY=VALUE",
        help: "only those of until=TIME, label=KEY[=VALUE], label!=KEY[=VALUE]",
      },
      force: { type: "boolean", short: "f", help: "do not ask" },
    },
    examples: ["sampan container prune -f", "sampan container prune -f --filter until=24h --filter label!=keep"],
  },
  async (values, _, globals) => {
    if (values.force !== true && !(await confirm("removing containers", ["all containers that have ended"]))) return 0;
    await using engine = await openEngine(globals);
    const removed = await engine.housekeeping.pruneContainers(values.filter);
    process.stdout.write(removed.map((id) => `${id}\n`).join(""));
    return 0;
  },
);
