import { command } from "../command.ts";
import { openEngine } from "../open.ts";

export const podPs = command(
  {
    name: "pod ps",
    summary: "List pods",
    usage: "",
    positionals: [0, 0],
    options: {
      format: { type: "string", value: "FORMAT", help: "json, table, or a template such as '{{.Name}} {{.Status}}'" },
      "no-trunc": { type: "boolean", help: "print ids in full" },
      quiet: { type: "boolean", short: "q", help: "print ids only" },
    },
    examples: ["sampan pod ps"],
  },
  async (values, _, globals) => {
    const { humanDuration } = await import("#engine");
    const { rowPrinter } = await import("../format/print-rows.ts");
    const print = rowPrinter(values.quiet === true ? "{{.ID}}" : values.format, {
      headers: {
        ID: "POD ID",
        Name: "NAME",
        Status: "STATUS",
        Created: "CREATED",
        Containers: "CONTAINERS",
        Labels: "LABELS",
      },
      columns: ["ID", "Name", "Status", "Created", "Containers"],
    });
    await using engine = await openEngine(globals);
    const now = Date.now();
    const rows = engine.pods.list().map((pod) => ({
      ID: values["no-trunc"] === true ? pod.id : pod.id.slice(0, 12),
      Name: pod.name,
      Status: pod.status,
      Created: `${humanDuration(now - pod.createdAt)} ago`,
      Containers: pod.containers.length,
      Labels: Object.entries(pod.options.labels ?? {})
        .map(([name, value]) => `${name}=${value}`)
        .join(","),
    }));
    process.stdout.write(print(rows));
    return 0;
  },
);
