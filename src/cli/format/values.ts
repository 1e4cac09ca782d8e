/** Values in templates: how Go prints, compares and counts them. */
import { invalidArgument } from "#errdefs";

/** A method of what is formatted, such as `.Label "name"`. */
export type Method = (...values: readonly unknown[]) => unknown;

export const formatError = (problem: string): Error => invalidArgument(`Cannot format: ${problem}`);

export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !isList(value) && !(value instanceof Map);
}

/** Entries of a map, by their names in order. */
export function entriesOf(value: unknown): [string, unknown][] | undefined {
  const entries =
    value instanceof Map ? [...(value as Map<string, unknown>)] : isObject(value) ? Object.entries(value) : undefined;
  return entries?.filter(([, v]) => typeof v !== "function").toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** What `if` takes as true: not zero, not empty, not missing. */
export function isTrue(value: unknown): boolean {
  if (isList(value)) return value.length > 0;
  if (value instanceof Map) return value.size > 0;
  if (isObject(value)) return Object.keys(value).length > 0;
  return value !== undefined && value !== null && value !== 0 && value !== 0n && value !== "" && value !== false;
}

export function show(value: unknown): string {
  if (value === undefined || value === null) return "<no value>";
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (typeof value === "function") throw formatError("a method needs its arguments");
  if (isList(value)) return `[${value.map(show).join(" ")}]`;
  return `map[${(entriesOf(value) ?? []).map(([k, v]) => `${k}:${show(v)}`).join(" ")}]`;
}

/** JSON.rawJSON of ECMAScript 2026, which Node has and TypeScript's library does not yet. */
const { rawJSON } = JSON as unknown as { rawJSON(this: void, text: string): unknown };

/** JSON on one line, with Go's escapes for HTML. */
export function json(value: unknown): string {
  const text = JSON.stringify(value ?? null, (_, v: unknown) => {
    if (typeof v === "bigint") return rawJSON(String(v));
    return v instanceof Map ? Object.fromEntries(v as Map<string, unknown>) : v;
  });
  return text.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Less than 0, 0, or more; numbers and texts only among themselves. */
export function compare(a: unknown, b: unknown): number {
  const number = (v: unknown): v is number | bigint => typeof v === "number" || typeof v === "bigint";
  if (number(a) && number(b)) return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : a > b ? 1 : 0;
  throw formatError(`${json(a)} and ${json(b)} can't be compared`);
}

export function equal(a: unknown, b: unknown): boolean {
  if (
    typeof a === "boolean" ||
    typeof b === "boolean" ||
    a === null ||
    b === null ||
    a === undefined ||
    b === undefined
  )
    return (a ?? null) === (b ?? null);
  return compare(a, b) === 0;
}

/** A field of an object, or an entry of a map. */
export function fieldOf(value: unknown, name: string): unknown {
  if (value instanceof Map) return (value as Map<string, unknown>).get(name);
  if (!isObject(value)) throw formatError(`${json(value).slice(0, 60)} has no field .${name}`);
  if (Object.hasOwn(value, name)) return value[name];
  // What has Go's names is a structure, whose fields are known. Anything else is a map, such as labels.
  const keys = Object.keys(value);
  if (keys.length === 0 || !keys.every((k) => /^[A-Z]/.test(k))) return undefined;
  throw formatError(`there is no .${name}; there are ${keys.map((k) => `.${k}`).join(", ")}`);
}
