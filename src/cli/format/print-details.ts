/** `--format` of commands that show all there is of something: JSON, or a template for each. */
import { compileTemplate } from "./template.ts";
import { json } from "./values.ts";

/** Without a format one JSON list; `json` prints each on a line, and a template is executed for each. */
export function detailsPrinter(format: string | undefined): (found: readonly object[]) => string {
  if (format === undefined) return (found) => `${JSON.stringify(found, undefined, 2)}\n`;
  if (format === "json") return (found) => found.map((one) => `${json(one)}\n`).join("");
  const template = compileTemplate(format.replaceAll("\\t", "\t").replaceAll("\\n", "\n"));
  return (found) => found.map((one) => `${template(one)}\n`).join("");
}
