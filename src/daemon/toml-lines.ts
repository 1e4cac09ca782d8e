/** On which line of a TOML text each key stands: the parser tells that only of what it can't read. */

/** @param text that is known to be TOML */
export function tomlLines(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  const counts = new Map<string, number>();
  let section = "";
  let quote: string | undefined;
  let depth = 0;
  for (const [index, line] of text.split("\n").entries()) {
    const inside = quote !== undefined || depth > 0;
    if (!inside) {
      const header = /^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?/.exec(line);
      if (header !== null) {
        section = plainKey(header[2] ?? "");
        if (header[1] === "[[") {
          const count = counts.get(section) ?? 0;
          counts.set(section, count + 1);
          section = `${section}[${count}]`;
        }
        lines.set(section, index + 1);
        continue;
      }
      const key = /^\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*=/.exec(
        line,
      );
      if (key !== null)
        lines.set(section === "" ? plainKey(key[1] ?? "") : `${section}.${plainKey(key[1] ?? "")}`, index + 1);
    }
    ({ quote, depth } = scan(line, quote, depth));
  }
  return lines;
}

const plainKey = (key: string): string =>
  [...key.matchAll(/"([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+)/g)].map((m) => m[1] ?? m[2] ?? m[3] ?? "").join(".");

/** What is open at the end of a line: a string of several lines, or brackets. */
function scan(
  line: string,
  open: string | undefined,
  depthBefore: number,
): { quote: string | undefined; depth: number } {
  let quote = open;
  let depth = depthBefore;
  for (let at = 0; at < line.length; at += 1) {
    const three = line.slice(at, at + 3);
    const letter = line[at] ?? "";
    if (quote !== undefined) {
      if (letter === "\\" && quote.startsWith('"')) at += 1;
      else if (line.startsWith(quote, at)) {
        at += quote.length - 1;
        quote = undefined;
      }
    } else if (three === '"""' || three === "'''") {
      quote = three;
      at += 2;
    } else if (letter === '"' || letter === "'") quote = letter;
    else if (letter === "#") break;
    else if (letter === "[" || letter === "{") depth += 1;
    else if (letter === "]" || letter === "}") depth -= 1;
  }
  // A plain string ends with its line.
  return { quote: quote?.length === 3 ? quote : undefined, depth: Math.max(0, depth) };
}
