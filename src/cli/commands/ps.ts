import { command } from "../command.ts";
import { reachEngine } from "../open.ts";

export const ps = command(
  {
    name: "ps",
    summary: "List containers",
    usage: "",
    positionals: [0, 0],
    options: {
      all: { type: "boolean", short: "a", help: "also those that don't run" },
      filter: {
        type: "list",
        short: "f",
        value: "KEY=VALUE",
        help: "only those of id=, name=, label=, status=, exited=, health=, ancestor=, before=, since=, volume=, network=, publish=, expose=",
      },
      format: { type: "string", value: "FORMAT", help: "json, table, or a template such as '{{.ID}} {{.Names}}'" },
      last: { type: "string", short: "n", value: "NUMBER", help: "only the newest, whether they run or not" },
      latest: { type: "boolean", short: "l", help: "only the newest one, whether it runs or not" },
      "no-trunc": { type: "boolean", help: "print ids and commands in full" },
      quiet: { type: "boolean", short: "q", help: "print ids only" },
      size: { type: "boolean", short: "s", help: "print how much they have written to disk" },
    },
    examples: [
      "sampan ps -a",
      "sampan ps --filter status=exited --filter label=tier=front",
      "sampan ps --format 'table {{.Names}}\\t{{.Status}}'",
      "sampan rm $(sampan ps -aq)",
    ],
  },
  async (values, _, globals) => {
    const { looksAtEnded, parseInteger } = await import("#engine");
    const { parseFilters } = await import("../filters.ts");
    const { rowPrinter } = await import("../format/print-rows.ts");
    const { containerListing, containerRow } = await import("../container-rows.ts");
    const filters = parseFilters(values.filter);
    const number = values.last === undefined ? undefined : parseInteger(values.last, "--last", -1, 1_000_000);
    const last = values.latest === true ? 1 : number === -1 ? undefined : number;
    const format = values.quiet === true ? "{{.ID}}" : values.format;
    const sized = values.size === true && values.quiet !== true;
    const print = rowPrinter(format, containerListing(sized));
    await using engine = await reachEngine(globals);
    const all = values.all === true || last !== undefined || looksAtEnded(filters);
    const list = (await engine.list(filters)).filter(
      (c) => all || ["running", "paused", "restarting"].includes(c.status),
    );
    const now = Date.now();
    const rows = [];
    for (const c of list.slice(0, last))
      rows.push(
        containerRow(c, {
          full: values["no-trunc"] === true,
          now,
          size: sized ? await engine.containerSize(c.id) : undefined,
        }),
      );
    process.stdout.write(print(rows));
    return 0;
  },
);
