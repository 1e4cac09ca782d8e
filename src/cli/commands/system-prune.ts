import { command } from "../command.ts";
import { confirm } from "../confirm.ts";
import { openEngine } from "../open.ts";

export const systemPrune = command(
  {
    name: "system prune",
    summary: "Remove what is not in use: stopped containers, images, caches",
    usage: "",
    positionals: [0, 0],
    options: {
      all: { type: "boolean", short: "a", help: "all images that no container uses, not only those without a name" },
      filter: {
        type: "list",
        value: "KEY=VALUE",
        help: "only containers and images of until=TIME, label=KEY[=VALUE], label!=KEY[=VALUE]",
      },
      force: { type: "boolean", short: "f", help: "do not ask" },
      volumes: { type: "boolean", help: "also anonymous volumes that no container uses" },
    },
    examples: ["sampan system prune", "sampan system prune -af --volumes --filter until=24h"],
  },
  async (values, _, globals) => {
    const { humanSize } = await import("#engine");
    const all = values.all === true;
    const volumes = values.volumes === true;
    const warning = [
      "all containers that have ended",
      "all networks that no container is to be on",
      all ? "all images that no container uses" : "images without a name that no container uses",
      "caches, and what interrupted downloads left",
      ...(volumes ? ["anonymous volumes that no container uses"] : []),
    ];
    if (values.force !== true && !(await confirm("removing what is not in use", warning))) return 0;
    await using engine = await openEngine(globals);
    const pruned = await engine.housekeeping.prune({ all, volumes, filters: values.filter });
    const print = (title: string, lines: readonly string[]): void => {
      if (lines.length > 0) process.stdout.write(`${title}:\n${lines.map((line) => `${line}\n`).join("")}\n`);
    };
    print("Deleted containers", pruned.containers);
    print("Deleted networks", pruned.networks);
    print("Deleted volumes", pruned.volumes);
    print("Deleted images", [
      ...pruned.images.untagged.map((name) => `untagged: ${name}`),
      ...pruned.images.deleted.map((id) => `deleted: ${id}`),
    ]);
    process.stdout.write(`Freed: ${humanSize(pruned.bytes)}\n`);
    return 0;
  },
);
