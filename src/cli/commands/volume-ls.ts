import { command } from "../command.ts";
import { openEngine } from "../open.ts";

export const volumeLs = command(
  {
    name: "volume ls",
    summary: "List volumes",
    usage: "",
    positionals: [0, 0],
    options: {
      filter: {
        type: "list",
        short: "f",
        value: "KEY=VALUE",
        help: "only those of name=, label=, driver=, dangling=true",
      },
      format: { type: "string", value: "FORMAT", help: "json, table, or a template such as '{{.Name}}'" },
      quiet: { type: "boolean", short: "q", help: "print names only" },
    },
    examples: ["sampan volume ls", "sampan volume ls --filter dangling=true -q"],
  },
  async (values, _, globals) => {
    const { parseFilters } = await import("../filters.ts");
    const { rowPrinter } = await import("../format/print-rows.ts");
    const print = rowPrinter(values.quiet === true ? "{{.Name}}" : values.format, {
      headers: {
        Driver: "DRIVER",
        Name: "VOLUME NAME",
        Mountpoint: "MOUNTPOINT",
        Labels: "LABELS",
        Links: "LINKS",
        Scope: "SCOPE",
      },
      columns: ["Driver", "Name"],
    });
    const filters = parseFilters(values.filter);
    await using engine = await openEngine(globals);
    const rows = engine.volumes.list(filters).map((v) => ({
      Driver: v.driver,
      Name: v.name,
      Mountpoint: v.mountpoint,
      Labels: Object.entries(v.labels)
        .map(([name, value]) => `${name}=${value}`)
        .join(","),
      Links: v.users.length,
      Scope: "local",
      Label: (name: unknown) => (Object.hasOwn(v.labels, String(name)) ? v.labels[String(name)] : ""),
    }));
    process.stdout.write(print(rows));
    return 0;
  },
);
