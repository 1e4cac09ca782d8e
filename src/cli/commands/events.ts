import { command } from "../command.ts";
import { interruption, reachEngine } from "../open.ts";
import { parseTime } from "../time.ts";

export const events = command(
  {
    name: "events",
    summary: "Print what happens to containers, images and volumes, as it happens",
    usage: "",
    positionals: [0, 0],
    options: {
      filter: {
        type: "list",
        short: "f",
        value: "KEY=VALUE",
        help: "only those of event=, type=, container=, image=, volume=, network=, label=",
      },
      format: { type: "string", value: "FORMAT", help: "json, or a template such as '{{.Action}} {{.Actor.ID}}'" },
      since: { type: "string", value: "TIME", help: "also those from this time on: RFC 3339, or ago as in 10m" },
      until: { type: "string", value: "TIME", help: "end at this time" },
    },
    examples: ["sampan events --filter event=die --filter event=oom", "sampan events --since 1h --until 0s"],
  },
  async (values, _, globals) => {
    const { parseFilters } = await import("../filters.ts");
    const { eventPrinter } = await import("../event-format.ts");
    const filters = parseFilters(values.filter);
    const since = values.since === undefined ? undefined : parseTime(values.since, "--since");
    const until = values.until === undefined ? undefined : parseTime(values.until, "--until");
    const print = eventPrinter(values.format);
    await using engine = await reachEngine(globals);
    for await (const event of engine.events({ filters, since, until, signal: interruption() }))
      process.stdout.write(`${print(event)}\n`);
    return 0;
  },
);
