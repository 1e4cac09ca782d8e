import { command } from "../command.ts";
import { openEngine } from "../open.ts";
import { checkFormat } from "../table.ts";

export const diff = command(
  {
    name: "diff",
    summary: "Show what a container has added (A), changed (C) and deleted (D)",
    usage: "CONTAINER",
    positionals: [1, 1],
    options: { format: { type: "string", value: "json", help: "print one JSON object a line" } },
    examples: ["sampan diff web"],
  },
  async (values, [name = ""], globals) => {
    checkFormat(values.format);
    await using engine = await openEngine(globals);
    const { printName } = await import("../print-name.ts");
    for (const { kind, path } of await engine.files.diff(name))
      process.stdout.write(
        values.format === "json" ? `${JSON.stringify({ Kind: kind, Path: path })}\n` : `${kind} ${printName(path)}\n`,
      );
    return 0;
  },
);
