import { invalidArgument } from "#errdefs";

/** Of a terminal. Containers and images give their commands themselves, and those would draw rows of their own. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const controls = /[\u0000-\u001f\u007f-\u009f]+/g;

/** Columns as wide as their widest cell, three spaces apart; control characters are spaces. */
export function printTable(header: readonly string[], given: readonly (readonly string[])[]): void {
  const rows = given.map((row) => row.map((cell) => cell.replace(controls, " ")));
  const widths = header.map((title, i) => rows.reduce((most, r) => Math.max(most, (r[i] ?? "").length), title.length));
  const lines = [header, ...rows].map((row) => {
    const cells = row.map((cell, i) => cell.padEnd((widths[i] ?? 0) + 3));
    return `${cells.join("").trimEnd()}\n`;
  });
  // At once: a write for each line takes longer than all the rest.
  process.stdout.write(lines.join(""));
}

/** `--format` knows one value so far. */
export function checkFormat(format: string | undefined): void {
  if (format !== undefined && format !== "json" && format !== "table")
    throw invalidArgument(`Cannot parse --format "${format}": it is json or table`);
}
