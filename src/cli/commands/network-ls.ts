import { command } from "../command.ts";
import { openEngine } from "../open.ts";
import { checkFormat, printTable } from "../table.ts";

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
      format: { type: "string", value: "json", help: "print one JSON object a line" },
      "no-trunc": { type: "boolean", help: "print ids in full" },
      quiet: { type: "boolean", short: "q", help: "print ids only" },
    },
    examples: ["sampan network ls", "sampan network ls --filter label=project=shop -q"],
  },
  async (values, _, globals) => {
    const { networkFilter } = await import("../network-filter.ts");
    checkFormat(values.format);
    const matches = networkFilter(values.filter);
    await using engine = await openEngine(globals);
    const rows = (await engine.networks.list()).filter(matches).map(({ network, id }) => ({
      id: values["no-trunc"] === true ? id : id.slice(0, 12),
      network,
    }));
    if (values.quiet === true) process.stdout.write(rows.map(({ id }) => `${id}\n`).join(""));
    else if (values.format === "json")
      for (const { id, network } of rows)
        process.stdout.write(
          `${JSON.stringify({
            ID: id,
            Name: network.name,
            Driver: network.driver,
            Scope: "local",
            Internal: network.internal,
            IPv6: network.subnets.some(({ prefix }) => prefix.includes(":")),
            Labels: network.labels,
            CreatedAt: new Date(network.createdAt).toISOString(),
          })}\n`,
        );
    else
      printTable(
        ["NETWORK ID", "NAME", "DRIVER", "SUBNETS"],
        rows.map(({ id, network }) => [
          id,
          network.name,
          network.driver,
          network.subnets.map(({ prefix }) => prefix).join(", "),
        ]),
      );
    return 0;
  },
);
