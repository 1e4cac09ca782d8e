import { invalidArgument } from "#errdefs";

/** Columns as wide as their widest cell, three spaces apart. */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
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
