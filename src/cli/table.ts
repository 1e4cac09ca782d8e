import { invalidArgument } from "#errdefs";

/** Columns as wide as their widest cell, three spaces apart. */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = header.map((title, i) =>
    rows.reduce((most, row) => Math.max(most, (row[i] ?? "").length), title.length),
  );
  const lines = [header, ...rows].map(
    (row) =>
      `${row
        .map((cell, i) => cell.padEnd((widths[i] ?? 0) + 3))
        .join("")
        .trimEnd()}\n`,
  );
  // At once: a write for each of a thousand lines takes longer than all else.
  process.stdout.write(lines.join(""));
}

/** `--format` knows one value so far. */
export function checkFormat(format: string | undefined): void {
  if (format !== undefined && format !== "json" && format !== "table")
    throw invalidArgument(`Cannot parse --format "${format}": it is json or table`);
}
