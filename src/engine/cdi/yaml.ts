/**
 * The part of YAML that files of the Container Device Interface are written in: blocks of maps and lists, lists and maps of one
 * line, quoted and plain scalars, comments. What is beyond that (anchors, tags, several documents, texts of several lines) is
 * refused, and not read as something else.
 */
import { invalidArgument } from "#errdefs";

interface Line {
  readonly number: number;
  readonly indent: number;
  readonly text: string;
}

const deepest = 32;

/**
 * Maps are objects without prototype.
 *
 * @param name of the file, for messages
 * @throws SampanError `invalid-argument` that names the line
 */
export function parseYaml(text: string, name: string): unknown {
  const parser = new Parser(readLines(text, name), name);
  return parser.document();
}

function readLines(text: string, name: string): Line[] {
  return text.split(/\r?\n/).flatMap((raw, index): Line[] => {
    const content = withoutComment(raw).trimEnd();
    const trimmed = content.trimStart();
    if (trimmed === "" || (index === 0 && content.startsWith("%YAML "))) return [];
    const indent = content.length - trimmed.length;
    if (content.slice(0, indent).includes("\t")) throw problem(name, index + 1, "a line is indented by a tab");
    return [{ number: index + 1, indent, text: trimmed }];
  });
}

const problem = (name: string, line: number, what: string): Error =>
  invalidArgument(`Cannot read "${name}": line ${line}: ${what}`, { path: name });

/** A # begins one at the beginning and behind white space, outside of quotes. */
function withoutComment(line: string): string {
  let quote = "";
  for (let at = 0; at < line.length; at += 1) {
    const c = line[at] ?? "";
    if (quote !== "") {
      if (c === "\\" && quote === '"') at += 1;
      else if (c === quote) quote = "";
    } else if ((c === '"' || c === "'") && /^$|[\s[{,:-]/.test(line[at - 1] ?? "")) quote = c;
    else if (c === "#" && /^$|\s/.test(line[at - 1] ?? "")) return line.slice(0, at);
  }
  return line;
}

class Parser {
  readonly #lines: Line[];
  readonly #name: string;
  #at = 0;

  constructor(lines: Line[], name: string) {
    this.#lines = lines;
    this.#name = name;
  }

  document(): unknown {
    if (this.#lines[0]?.text === "---") this.#at = 1;
    const first = this.#lines[this.#at];
    if (first === undefined) return null;
    const value = this.#block(first.indent, 0);
    const left = this.#lines[this.#at];
    if (left !== undefined && left.text !== "...")
      throw this.#problem(left, left.text === "---" ? "there is a second document" : "it does not fit in here");
    return value;
  }

  #problem(line: Line, what: string): Error {
    return problem(this.#name, line.number, what);
  }

  #block(indent: number, depth: number): unknown {
    const line = this.#lines[this.#at];
    if (line === undefined) return null;
    if (depth > deepest) throw this.#problem(line, `it is nested more than ${deepest} deep`);
    if (line.text === "-" || line.text.startsWith("- ")) return this.#list(indent, depth);
    if (splitKey(line.text) !== undefined) return this.#map(indent, depth);
    this.#at += 1;
    return this.#scalar(line, line.text);
  }

  #list(indent: number, depth: number): unknown[] {
    const items: unknown[] = [];
    for (let line = this.#lines[this.#at]; line?.indent === indent; line = this.#lines[this.#at]) {
      if (line.text !== "-" && !line.text.startsWith("- ")) break;
      const rest = line.text.slice(1).trimStart();
      if (rest === "") {
        this.#at += 1;
        items.push(this.#below(indent + 1, depth));
        continue;
      }
      // What stands behind the dash is a block of its own, as if it began in a line.
      const inner = indent + line.text.length - rest.length;
      this.#lines[this.#at] = { ...line, indent: inner, text: rest };
      items.push(this.#block(inner, depth + 1));
    }
    this.#checkEnd(indent);
    return items;
  }

  #map(indent: number, depth: number): object {
    const map = Object.create(null) as Record<string, unknown>;
    for (let line = this.#lines[this.#at]; line?.indent === indent; line = this.#lines[this.#at]) {
      const split = splitKey(line.text);
      if (split === undefined) break;
      const key = String(this.#scalar(line, split.key));
      if (key in map) throw this.#problem(line, `"${key}" is there twice`);
      this.#at += 1;
      const next = this.#lines[this.#at];
      if (split.rest !== "") map[key] = this.#scalar(line, split.rest);
      // A list may stand as far left as the key that it belongs to.
      else if (next?.indent === indent && (next.text === "-" || next.text.startsWith("- ")))
        map[key] = this.#list(indent, depth + 1);
      else map[key] = this.#below(indent + 1, depth);
    }
    this.#checkEnd(indent);
    return map;
  }

  #below(least: number, depth: number): unknown {
    const next = this.#lines[this.#at];
    return next === undefined || next.indent < least ? null : this.#block(next.indent, depth + 1);
  }

  #checkEnd(indent: number): void {
    const next = this.#lines[this.#at];
    if (next !== undefined && next.indent > indent)
      throw this.#problem(next, "it is indented more than what it follows");
  }

  #scalar(line: Line, text: string): unknown {
    const flow = new Flow(text, (what) => this.#problem(line, what));
    return flow.whole();
  }
}

/** `key: value`; the colon is followed by white space or the end. */
function splitKey(text: string): { readonly key: string; readonly rest: string } | undefined {
  const match =
    /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'[\]{},#&*!|>%@`-][^#]*?|-[^\s#][^#]*?)\s*:(?:\s+(.*))?$/s.exec(text);
  if (match === null) return undefined;
  const [, key = "", rest = ""] = match;
  // The first colon that can end a key does.
  const first = /^["']/.test(key) ? -1 : key.search(/:\s/);
  return first < 0 ? { key, rest: rest.trim() } : { key: key.slice(0, first), rest: text.slice(first + 1).trim() };
}

/** One value in one line. */
class Flow {
  readonly #text: string;
  readonly #problem: (what: string) => Error;
  #at = 0;

  constructor(text: string, problem_: (what: string) => Error) {
    this.#text = text;
    this.#problem = problem_;
  }

  whole(): unknown {
    if (!/^["'[{]/.test(this.#text)) return this.#plain(this.#text);
    const value = this.#value(0);
    if (this.#at < this.#text.length) throw this.#problem(`"${this.#text.slice(this.#at, this.#at + 20)}" follows`);
    return value;
  }

  #space(): void {
    while (this.#text[this.#at] === " ") this.#at += 1;
  }

  #value(depth: number): unknown {
    if (depth > deepest) throw this.#problem(`it is nested more than ${deepest} deep`);
    const c = this.#text[this.#at];
    if (c === "[") return this.#list(depth);
    if (c === "{") return this.#map(depth);
    if (c === '"' || c === "'") return this.#quoted(c);
    const end = this.#text.slice(this.#at).search(/[,\]}]|:\s/);
    const plain = this.#text.slice(this.#at, end < 0 ? undefined : this.#at + end);
    this.#at += plain.length;
    return this.#plain(plain.trim());
  }

  #list(depth: number): unknown[] {
    const items: unknown[] = [];
    this.#at += 1;
    for (;;) {
      this.#space();
      if (this.#take("]")) return items;
      items.push(this.#value(depth + 1));
      this.#space();
      if (!this.#take(",") && this.#text[this.#at] !== "]") throw this.#problem("a list does not end in its line");
    }
  }

  #map(depth: number): object {
    const map = Object.create(null) as Record<string, unknown>;
    this.#at += 1;
    for (;;) {
      this.#space();
      if (this.#take("}")) return map;
      const key = String(this.#value(depth + 1));
      this.#space();
      if (key in map || !this.#take(":")) throw this.#problem("a map in one line has no value for a key, or two");
      this.#space();
      map[key] = this.#value(depth + 1);
      this.#space();
      if (!this.#take(",") && this.#text[this.#at] !== "}") throw this.#problem("a map does not end in its line");
    }
  }

  #take(c: string): boolean {
    if (this.#text[this.#at] !== c) return false;
    this.#at += 1;
    return true;
  }

  #quoted(quote: string): string {
    const rest = this.#text.slice(this.#at);
    const match = (quote === '"' ? /^"(?:[^"\\]|\\.)*"/ : /^'(?:[^']|'')*'/).exec(rest);
    if (match === null) throw this.#problem("a quoted text does not end in its line");
    this.#at += match[0].length;
    if (quote === "'") return match[0].slice(1, -1).replaceAll("''", "'");
    try {
      return JSON.parse(match[0]) as string;
    } catch {
      throw this.#problem("a quoted text has an escape that is none");
    }
  }

  #plain(text: string): unknown {
    if (/^[&*!|>%@`?]/.test(text))
      throw this.#problem(`"${text.slice(0, 20)}" is a kind of YAML that is not read here`);
    if (/^(null|Null|NULL|~|)$/.test(text)) return null;
    if (/^(true|True|TRUE)$/.test(text)) return true;
    if (/^(false|False|FALSE)$/.test(text)) return false;
    if (/^[-+]?\d+$/.test(text)) return Number(text.replace(/^([-+]?)0+(?=\d)/, "$1"));
    if (/^0o[0-7]+$/.test(text)) return Number.parseInt(text.slice(2), 8);
    if (/^0x[0-9a-fA-F]+$/.test(text)) return Number.parseInt(text, 16);
    if (/^[-+]?(\d+\.\d*|\.\d+)([eE][-+]?\d+)?$/.test(text)) return Number(text);
    return text;
  }
}
