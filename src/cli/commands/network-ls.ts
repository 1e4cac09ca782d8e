import { command } from "../command.ts";
import type { Listing } from "../format/print-rows.ts";
import { openEngine } from "../open.ts";

export const networkLs = command(
  {
    name: "network ls",
    summary: "List networks",
    usage: "",
    positionals: [0, 0],
    options: {
      filter: {
        type: "list",
        short: "f",
        value: "KEY=VALUE",
        help: "only those of name=PART, driver=DRIVER, id=BEGINNING, label=KEY[=VALUE], type=custom|builtin",
      },
      format: { type: "string", value: "FORMAT", help: "json, table, or a template such as '{{.Name}} {{.Driver}}'" },
      "no-trunc": { type: "boolean", help: "print ids in full" },
      quiet: { type: "boolean", short: "q", help: "print ids only" },
    },
    examples: ["sampan network ls", "sampan network ls --filter label=project=shop -q"],
  },
  async (values, _, globals) => {
    const { networkFilter } = await import("../network-filter.ts");
    const { rowPrinter } = await import("../format/print-rows.ts");
    const print = rowPrinter(values.quiet === true ? "{{.ID}}" : values.format, listing);
    const matches = networkFilter(values.filter);
    await using engine = await openEngine(globals);
    const rows = (await engine.networks.list()).filter(matches).map(({ network, id }) => ({
      ID: values["no-trunc"] === true ? id : id.slice(0, 12),
      Name: network.name,
      Driver: network.driver,
      Scope: "local",
      Internal: network.internal,
      IPv6: network.subnets.some(({ prefix }) => prefix.includes(":")),
      Labels: network.labels,
      CreatedAt: new Date(network.createdAt).toISOString(),
      Subnets: network.subnets.map(({ prefix }) => prefix).join(", "),
      Label: (name: unknown) => network.labels[String(name)] ?? "",
    }));
    process.stdout.write(print(rows));
    return 0;
  },
);

const listing: Listing = {
  headers: {
    ID: "NETWORK ID",
    Name: "NAME",
    Driver: "DRIVER",
    Scope: "SCOPE",
    Internal: "INTERNAL",
    IPv6: "IPV6",
    Labels: "LABELS",
    CreatedAt: "CREATED AT",
    Subnets: "SUBNETS",
  },
  columns: ["ID", "Name", "Driver", "Subnets"],
};
