import { ociCommand } from "../command.ts";
import { describeContainer, userName } from "../container-json.ts";
import { checkFormat, printTable } from "../../table.ts";

export const list = ociCommand(
  {
    name: "list",
    summary: "List containers",
    usage: "",
    positionals: [0, 0],
    options: {
      format: { type: "string", short: "f", value: "table|json", help: "form of the output (default table)" },
      quiet: { type: "boolean", short: "q", help: "ids only" },
    },
    examples: ["sampan-oci list", "sampan-oci list --format json"],
  },
  async (values, _, context) => {
    checkFormat(values.format);
    const containers = context.runtime().list();
    const rows = containers.map((c) => ({ ...describeContainer(c), owner: userName(c.record.owner) }));
    if (values.quiet === true) for (const { id } of rows) process.stdout.write(`${id}\n`);
    else if (values.format === "json") process.stdout.write(`${JSON.stringify(rows)}\n`);
    else
      printTable(
        ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"],
        rows.map((r) => [r.id, String(r.pid), r.status, r.bundle, r.created, r.owner]),
      );
    await Promise.resolve();
    return 0;
  },
);
