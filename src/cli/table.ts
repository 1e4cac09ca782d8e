import { invalidArgument } from "#errdefs";

/** Columns as wide as their widest cell, three spaces apart. */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((r) => (r[i] ?? "").length)));
  for (const row of [header, ...rows])
    process.stdout.write(
      `${row
        .map((cell, i) => cell.padEnd((widths[i] ?? 0) + 3))
        .join("")
        .trimEnd()}\n`,
    );
}

/** `--format` knows one value so far. */
export function checkFormat(format: string | undefined): void {
  if (format !== undefined && format !== "json" && format !== "table")
    throw invalidArgument(`Cannot parse --format "${format}": it is json or table`);
}
