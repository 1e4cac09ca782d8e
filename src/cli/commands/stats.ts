import { command } from "../command.ts";
import { interruption, openEngine } from "../open.ts";

export const stats = command(
  {
    name: "stats",
    summary: "Show what running containers use: processor, memory, network, disk, processes",
    usage: "[CONTAINER...]",
    positionals: [0, Infinity],
    options: {
      all: { type: "boolean", short: "a", help: "also those that don't run" },
      format: { type: "string", value: "FORMAT", help: "json, table, or a template such as '{{.Name}} {{.CPUPerc}}'" },
      interval: { type: "string", value: "TIME", help: "time between two looks, 1s by default" },
      "no-stream": { type: "boolean", help: "print once and end" },
      "no-trunc": { type: "boolean", help: "print ids in full" },
    },
    examples: ["sampan stats", "sampan stats --no-stream --format json web"],
  },
  async (values, names, globals) => {
    const { statsListing, statsRow, idleRow } = await import("../stats-rows.ts");
    const { rowPrinter } = await import("../format/print-rows.ts");
    const { parseDuration } = await import("../time.ts");
    const interval = values.interval === undefined ? 1000 : Math.max(50, parseDuration(values.interval, "--interval"));
    const print = rowPrinter(values.format, statsListing);
    const once = values["no-stream"] === true;
    const full = values["no-trunc"] === true;
    await using engine = await openEngine(globals);
    const signal = interruption();
    const clear = !once && process.stdout.isTTY;
    let any = false;
    for await (const all of engine.stats({
      ...(names.length === 0 ? {} : { containers: names }),
      interval,
      signal,
    })) {
      any = true;
      const rows = all.map((one) => statsRow(one, full));
      if (values.all === true && names.length === 0) {
        const running = new Set(all.map((one) => one.id));
        rows.push(...engine.list().flatMap((c) => (running.has(c.id) ? [] : [idleRow(c, full)])));
      }
      process.stdout.write(`${clear ? "\u001b[2J\u001b[H" : ""}${print(rows)}`);
      if (once) break;
    }
    // Nothing that was named runs.
    if (!any && !signal.aborted) process.stdout.write(print(names.map((n) => idleRow(engine.get(n), full))));
    return 0;
  },
);
