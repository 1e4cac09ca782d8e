/** Functions of templates: Go's own, and those that Docker adds. */
import { compare, entriesOf, equal, formatError, isList, isTrue, json, show } from "./values.ts";

type TemplateFunction = (...values: readonly unknown[]) => unknown;

function text(value: unknown, name: string): string {
  if (typeof value === "string") return value;
  throw formatError(`${name} takes a text, and was given ${json(value)}`);
}

function number(value: unknown, name: string): number {
  if (typeof value === "number" && Number.isInteger(value)) return value;
  throw formatError(`${name} takes a whole number, and was given ${json(value)}`);
}

const title = (value: string): string => value.replace(/(^|[^\p{L}\p{N}_'])(\p{L})/gu, (all) => all.toUpperCase());

/** Characters, not the units of UTF-16. */
const characters = (value: string): string[] => Array.from(value);

function length(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  const count = isList(value) ? value.length : entriesOf(value)?.length;
  if (count === undefined) throw formatError(`len of ${json(value)} is not known`);
  return count;
}

function index(value: unknown, key: unknown): unknown {
  if (isList(value) || typeof value === "string") {
    const at = number(key, "index");
    if (at < 0 || at >= value.length) throw formatError(`index ${at} is outside of ${value.length} elements`);
    return typeof value === "string" ? value.charCodeAt(at) : value[at];
  }
  const entry = entriesOf(value)?.find(([name]) => name === String(key));
  return entry === undefined ? "" : entry[1];
}

function slice(value: unknown, from: unknown = 0, to?: unknown): unknown {
  if (!isList(value) && typeof value !== "string")
    throw formatError(`slice takes a list or a text, not ${json(value)}`);
  const start = number(from, "slice");
  const end = to === undefined ? value.length : number(to, "slice");
  if (start < 0 || end > value.length || start > end)
    throw formatError(`slice ${start} to ${end} is outside of ${value.length} elements`);
  return value.slice(start, end);
}

/** Adjacent operands get a space between them when neither is a text, as Go's Sprint has it. */
function print(values: readonly unknown[]): string {
  return values
    .map((v, i) => (i > 0 && typeof v !== "string" && typeof values[i - 1] !== "string" ? " " : "") + show(v))
    .join("");
}

function printf(format: unknown, ...values: readonly unknown[]): string {
  let at = 0;
  const out = text(format, "printf").replace(
    /%([-+ 0#]*)(\d*)(?:\.(\d+))?([a-zA-Z%])/g,
    (all, flags: string, width: string, precision: string | undefined, verb: string) => {
      if (verb === "%") return "%";
      if (at >= values.length) return `%!${verb}(MISSING)`;
      const shown = verbText(verb, values[at++], precision === undefined ? undefined : Number(precision));
      if (shown === undefined) throw formatError(`printf does not know ${all}`);
      const signed = flags.includes("+") && /^\d/.test(shown) ? `+${shown}` : shown;
      const size = Math.min(Number(width), 10_000);
      if (flags.includes("-")) return signed.padEnd(size);
      return signed.padStart(size, flags.includes("0") && /^[-+]?[\d.]+$/.test(signed) ? "0" : " ");
    },
  );
  return at < values.length ? `${out}%!(EXTRA ${values.slice(at).map(show).join(", ")})` : out;
}

function verbText(verb: string, value: unknown, precision: number | undefined): string | undefined {
  switch (verb) {
    case "v":
    case "s":
      return precision === undefined ? show(value) : characters(show(value)).slice(0, precision).join("");
    case "d":
      return String(typeof value === "bigint" ? value : number(value, "%d"));
    case "t":
      return String(value);
    case "q":
      return JSON.stringify(show(value));
    case "x":
    case "X": {
      const hex = typeof value === "number" ? value.toString(16) : Buffer.from(show(value)).toString("hex");
      return verb === "X" ? hex.toUpperCase() : hex;
    }
    case "f":
      return Number(value).toFixed(Math.min(precision ?? 6, 100));
    default:
      return undefined;
  }
}

const htmlEscapes: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&#34;"],
  ["'", "&#39;"],
]);

/** `and` and `or` are not here: they look at no more arguments than they must. */
export const functions: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  ["json", (value) => json(value)],
  ["join", (list, by) => (isList(list) ? list.map(show).join(text(by, "join")) : text(list, "join"))],
  ["split", (value, by) => text(value, "split").split(text(by, "split"))],
  ["lower", (value) => text(value, "lower").toLowerCase()],
  ["upper", (value) => text(value, "upper").toUpperCase()],
  ["title", (value) => title(text(value, "title"))],
  ["truncate", (value, size) => characters(text(value, "truncate")).slice(0, number(size, "truncate")).join("")],
  [
    "pad",
    (value, before, after) =>
      " ".repeat(Math.max(0, number(before, "pad"))) +
      text(value, "pad") +
      " ".repeat(Math.max(0, number(after, "pad"))),
  ],
  ["println", (...values) => `${values.map(show).join(" ")}\n`],
  ["print", (...values) => print(values)],
  ["printf", printf],
  ["len", length],
  ["index", (value, ...keys) => keys.reduce(index, value)],
  ["slice", slice],
  ["not", (value) => !isTrue(value)],
  ["eq", (a, ...others) => others.some((b) => equal(a, b))],
  ["ne", (a, b) => !equal(a, b)],
  ["lt", (a, b) => compare(a, b) < 0],
  ["le", (a, b) => compare(a, b) <= 0],
  ["gt", (a, b) => compare(a, b) > 0],
  ["ge", (a, b) => compare(a, b) >= 0],
  ["html", (...values) => print(values).replace(/[&<>"']/g, (c) => htmlEscapes.get(c) ?? c)],
  ["js", (...values) => json(print(values)).slice(1, -1).replaceAll("'", "\\'")],
  ["urlquery", (...values) => encodeURIComponent(print(values)).replaceAll("%20", "+")],
]);

/** Fewest and most arguments, of those where it matters. */
export const arity: ReadonlyMap<string, readonly [number, number]> = new Map([
  ["json", [1, 1]],
  ["join", [2, 2]],
  ["split", [2, 2]],
  ["lower", [1, 1]],
  ["upper", [1, 1]],
  ["title", [1, 1]],
  ["truncate", [2, 2]],
  ["pad", [3, 3]],
  ["printf", [1, Infinity]],
  ["len", [1, 1]],
  ["index", [1, Infinity]],
  ["slice", [1, 3]],
  ["not", [1, 1]],
  ["eq", [2, Infinity]],
  ...["ne", "lt", "le", "gt", "ge"].map((n): [string, readonly [number, number]] => [n, [2, 2]]),
  ["and", [1, Infinity]],
  ["or", [1, Infinity]],
]);
