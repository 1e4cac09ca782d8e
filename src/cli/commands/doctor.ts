import { release } from "node:os";
import { command } from "../command.ts";

const marks = { ok: "ok     ", note: "note   ", problem: "PROBLEM" } as const;

export const doctor = command(
  {
    name: "doctor",
    summary: "Look at this host and say what keeps containers from running",
    usage: "",
    positionals: [0, 0],
    options: { format: { type: "string", value: "json", help: "print the findings as JSON" } },
    examples: ["sampan doctor"],
  },
  async (values) => {
    const { doctor: examine, probeHost } = await import("#host");
    const { checkFormat } = await import("../table.ts");
    checkFormat(values.format);
    const findings = examine(probeHost(), release());
    if (values.format === "json") process.stdout.write(`${JSON.stringify(findings, undefined, 2)}\n`);
    else
      for (const f of findings) {
        const effect = f.effect === undefined ? "" : `: ${f.effect}`;
        const remedy = f.remedy === undefined ? "" : `. ${f.remedy}`;
        process.stdout.write(`${marks[f.level]}  ${f.what}${effect}${remedy}\n`);
      }
    return findings.some((f) => f.level === "problem") ? 1 : 0;
  },
);
