import { command } from "../command.ts";
import { reachEngine } from "../open.ts";
import { checkFormat, printTable } from "../table.ts";

/** Characters of a layer's command that a table shows. */
const shownCommand = 45;

export const history = command(
  {
    name: "history",
    summary: "Show how an image came to be, layer by layer",
    usage: "IMAGE",
    positionals: [1, 1],
    options: {
      format: { type: "string", value: "json", help: "print one JSON object a line" },
      "no-trunc": { type: "boolean", help: "print commands and ids in full" },
      quiet: { type: "boolean", short: "q", help: "print layers only" },
    },
    examples: ["sampan history --no-trunc debian:12"],
  },
  async (values, [name = ""], globals) => {
    const { humanDuration, humanSize } = await import("#engine");
    checkFormat(values.format);
    await using engine = await reachEngine(globals);
    const now = Date.now();
    const full = values["no-trunc"] === true;
    const rows = (await engine.imageHistory(name)).map((entry) => {
      const created = Date.parse(entry.created);
      // What stands there comes from outside: a line stays a line, and the terminal as it is.
      // oxlint-disable-next-line no-control-regex -- they are what is looked for
      const text = entry.createdBy.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ").trim();
      const cut = full || text.length <= shownCommand ? text : `${text.slice(0, shownCommand - 1)}…`;
      return {
        entry,
        layer: entry.layer === undefined ? "<none>" : full ? entry.layer : entry.layer.slice(7, 19),
        created: Number.isNaN(created) || created <= 0 ? "N/A" : `${humanDuration(now - created)} ago`,
        command: cut,
        size: humanSize(entry.size),
      };
    });
    if (values.quiet === true) process.stdout.write(rows.map(({ layer }) => `${layer}\n`).join(""));
    else if (values.format === "json")
      for (const { entry, layer } of rows)
        process.stdout.write(
          `${JSON.stringify({ Layer: layer, CreatedAt: entry.created, CreatedBy: entry.createdBy, Comment: entry.comment, Size: entry.size })}\n`,
        );
    else
      printTable(
        ["LAYER", "CREATED", "CREATED BY", "SIZE"],
        rows.map(({ layer, created, command: text, size }) => [layer, created, text, size]),
      );
    return 0;
  },
);
