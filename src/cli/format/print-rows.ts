/** `--format` of commands that list: a table, JSON, or a template for each row. */
import { compileTemplate, type Template } from "./template.ts";
import { json } from "./values.ts";

/** A row: fields by their names in templates. */
export type Row = Readonly<Record<string, unknown>>;

export interface Listing {
  /** Titles of all fields in tables. */
  readonly headers: Readonly<Record<string, string>>;
  /** Fields of the table without `--format`, in order. */
  readonly columns: readonly string[];
}

/** `json`, `table` with or without a template, or a template; `\t` and `\n` may be written as such. */
export function rowPrinter(format: string | undefined, listing: Listing): (rows: readonly Row[]) => string {
  const text = (format ?? "table").trim();
  if (text === "json") return (rows) => rows.map((row) => `${json(row)}\n`).join("");
  const [, given] = /^table(?:\s+([^]*))?$/.exec(text) ?? [];
  const isTable = text === "table" || given !== undefined;
  const source = isTable ? (given ?? listing.columns.map((name) => `{{.${name}}}`).join("\t")) : text;
  const template = compileTemplate(source.replaceAll("\\t", "\t").replaceAll("\\n", "\n"));
  if (!isTable) return (rows) => rows.map((row) => `${template(row)}\n`).join("");
  return (rows) => table([template(titles(listing.headers)), ...rows.map(oneLine(template))]);
}

/** Titles also where a method is asked: `{{.Label "tier"}}` is titled by the label. */
function titles(headers: Readonly<Record<string, string>>): Row {
  return { ...headers, Label: (name: unknown) => String(name).toUpperCase() };
}

/** Commands, labels and the like come from images, too: in a table they make no rows, and do not speak to the terminal. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const controls = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;

const oneLine =
  (template: Template) =>
  (row: Row): string =>
    template(row).replace(controls, " ");

/** Columns as wide as their widest cell, three spaces apart. */
function table(lines: readonly string[]): string {
  const rows = lines.map((line) => line.split("\t"));
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd((widths[i] ?? 0) + 3))
          .join("")
          .trimEnd()}\n`,
    )
    .join("");
}
