/** Columns as Go's tabwriter lays them out, which is how containerd's client prints. */

export interface TableOptions {
  /** Blanks after the widest cell of a column. */
  readonly padding: number;
  /** Fewest characters of a column, with its blanks. */
  readonly least?: number;
  /** Rows, without the head, whose last cell has no blanks after it. */
  readonly open?: boolean;
}

/** @param rows the head is the first */
export function table(
  rows: readonly (readonly string[])[],
  { padding, least = 0, open = false }: TableOptions,
): string {
  const widths: number[] = [];
  for (const [row, cells] of rows.entries()) {
    for (const [column, cell] of cells.entries()) {
      if (open && row > 0 && column === cells.length - 1) continue;
      widths[column] = Math.max(widths[column] ?? least, cell.length + padding);
    }
  }
  const line = (cells: readonly string[], row: number): string =>
    cells
      .map((cell, column) => (open && row > 0 && column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join("");
  return rows.map((cells, row) => `${line(cells, row)}\n`).join("");
}

/** `48.5 MiB`, `422.0 B` with a digit behind the point, as containerd's client prints sizes of images. */
export function binaryBytes(bytes: number, digits = 1): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(digits)} ${units[unit]}`;
}
