import { command } from "../command.ts";
import { openEngine } from "../open.ts";

export const volumePrune = command(
  {
    name: "volume prune",
    summary: "Remove anonymous volumes that no container uses",
    usage: "",
    positionals: [0, 0],
    options: {
      all: { type: "boolean", short: "a", help: "named ones too" },
      filter: { type: "list", value: "KEY=VALUE", help: "only those of label= or label!=" },
      force: { type: "boolean", short: "f", help: "do not ask" },
    },
    examples: ["sampan volume prune -f", "sampan volume prune --all --filter label=temporary"],
  },
  async (values, _, globals) => {
    const { parseFilters } = await import("../filters.ts");
    const { confirm } = await import("../confirm.ts");
    const filters = parseFilters(values.filter);
    const what = values.all === true ? "all volumes" : "all anonymous volumes";
    if (values.force !== true && !(await confirm("removing volumes", [`${what} that no container uses`]))) return 0;
    await using engine = await openEngine(globals);
    for (const name of await engine.volumes.prune({ all: values.all === true, filters }))
      process.stdout.write(`${name}\n`);
    return 0;
  },
);
