import { command } from "../command.ts";
import { confirm } from "../confirm.ts";
import { openEngine } from "../open.ts";

export const imagePrune = command(
  {
    name: "image prune",
    summary: "Remove images that no container uses",
    usage: "",
    positionals: [0, 0],
    options: {
      all: { type: "boolean", short: "a", help: "also those with names" },
      filter: {
        type: "list",
        value: "KEY=VALUE",
        help: "only those of until=TIME, label=KEY[=VALUE], label!=KEY[=VALUE]",
      },
      force: { type: "boolean", short: "f", help: "do not ask" },
    },
    examples: ["sampan image prune", "sampan image prune -af --filter until=720h --filter label!=keep"],
  },
  async (values, _, globals) => {
    const { humanSize } = await import("#engine");
    const all = values.all === true;
    const what = all ? "all images that no container uses" : "images without a name that no container uses";
    if (values.force !== true && !(await confirm("removing images", [what]))) return 0;
    await using engine = await openEngine(globals);
    const { untagged, deleted, bytes } = await engine.housekeeping.pruneImages({ all, filters: values.filter });
    for (const name of untagged) process.stdout.write(`Untagged: ${name}\n`);
    for (const id of deleted) process.stdout.write(`Deleted: ${id}\n`);
    process.stdout.write(`Freed: ${humanSize(bytes)}\n`);
    return 0;
  },
);
