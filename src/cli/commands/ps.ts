import { command } from "../command.ts";
import { reachEngine } from "../open.ts";
import { printTable } from "../table.ts";
import { describeStatus } from "../status.ts";

export const ps = command(
  {
    name: "ps",
    summary: "List containers",
    usage: "",
    positionals: [0, 0],
    options: {
      all: { type: "boolean", short: "a", help: "also those that don't run" },
      format: { type: "string", value: "json", help: "print one JSON object a line" },
      last: { type: "string", short: "n", value: "NUMBER", help: "only the newest, whether they run or not" },
      "no-trunc": { type: "boolean", help: "print ids and commands in full" },
      quiet: { type: "boolean", short: "q", help: "print ids only" },
    },
    examples: ["sampan ps -a", "sampan rm $(sampan ps -aq)"],
  },
  async (values, _, globals) => {
    const { humanDuration, parseInteger } = await import("#engine");
    const { checkFormat } = await import("../table.ts");
    checkFormat(values.format);
    await using engine = await reachEngine(globals);
    const last = values.last === undefined ? undefined : parseInteger(values.last, "--last", 1, 1_000_000);
    const rows = (await engine.list())
      .filter((c) => values.all === true || last !== undefined || c.status === "running")
      .slice(0, last);
    const id = (full: string): string => (values["no-trunc"] === true ? full : full.slice(0, 12));
    if (values.quiet === true) {
      process.stdout.write(rows.map((c) => `${id(c.id)}\n`).join(""));
      return 0;
    }
    const cut = (text: string): string =>
      values["no-trunc"] === true || text.length <= 20 ? text : `${text.slice(0, 19)}…`;
    const now = Date.now();
    const shown = rows.map((c) => ({
      id: id(c.id),
      image: c.image,
      command: `"${cut(c.command.join(" "))}"`,
      created: `${humanDuration(now - c.createdAt)} ago`,
      status: describeStatus(c.state, now, humanDuration),
      name: c.name,
    }));
    if (values.format === "json") {
      for (const [i, c] of shown.entries())
        process.stdout.write(
          `${JSON.stringify({ ID: c.id, Image: c.image, Command: c.command, CreatedAt: new Date(rows[i]?.createdAt ?? 0).toISOString(), State: rows[i]?.status, Status: c.status, Names: c.name })}\n`,
        );
      return 0;
    }
    printTable(
      ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "NAMES"],
      shown.map((c) => [c.id, c.image, c.command, c.created, c.status, c.name]),
    );
    return 0;
  },
);
