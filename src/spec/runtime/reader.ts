/**
 * Readers of JSON values of unknown shape. Each takes the value and its path in the document, returns it with its type,
 * or throws an error that names the path: `Cannot read config: process.rlimits[2].hard must be an integer`.
 */
import { invalidArgument, type SampanError } from "#errdefs";

/** Largest number of items of one list or entries of one map. */
const maxItems = 65_536;
/** Largest length of one string, in UTF-16 units; a path or a program argument of the kernel is 128 KiB at most. */
const maxString = 131_072;
const maxU64 = 0xffff_ffff_ffff_ffffn;

export type JsonObject = Readonly<Record<string, unknown>>;

export function malformed(path: string, state: string): SampanError {
  return invalidArgument(`Cannot read config: ${path} ${state}`);
}

/** True for a property that counts as missing: absent, or `null` as Go programs write it. */
const missing = (value: unknown): value is undefined | null => value === undefined || value === null;

export function readObject(value: unknown, path: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed(path, "must be an object");
  return value as JsonObject;
}

export function readString(value: unknown, path: string): string {
  if (typeof value !== "string") throw malformed(path, "must be a string");
  if (value.length > maxString) throw malformed(path, `must be at most ${maxString} characters long`);
  if (value.includes("\0")) throw malformed(path, "must not contain a NUL character");
  return value;
}

export function readNonEmpty(value: unknown, path: string): string {
  const text = readString(value, path);
  if (text === "") throw malformed(path, "must not be empty");
  return text;
}

export function readBoolean(value: unknown, path: string): boolean {
  if (typeof value !== "boolean") throw malformed(path, "must be true or false");
  return value;
}

export function readInteger(value: unknown, path: string, least: number, most: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most)
    throw malformed(path, `must be an integer from ${least} to ${most}`);
  return value;
}

export const readU32 = (value: unknown, path: string): number => readInteger(value, path, 0, 0xffff_ffff);
export const readI32 = (value: unknown, path: string): number => readInteger(value, path, -0x8000_0000, 0x7fff_ffff);
export const readU16 = (value: unknown, path: string): number => readInteger(value, path, 0, 0xffff);

/** JSON.parse rounds 2^64-1 up to 2^64, which therefore is taken as 2^64-1. A bigint is exact. */
export function readU64(value: unknown, path: string): bigint {
  const integer = toBigInt(value);
  if (integer === undefined || integer < 0n || integer > maxU64 + 1n)
    throw malformed(path, "must be an integer from 0 to 2^64-1");
  return integer > maxU64 ? maxU64 : integer;
}

/** JSON.parse rounds 2^63-1 up to 2^63, which therefore is taken as 2^63-1. A bigint is exact. */
export function readI64(value: unknown, path: string): bigint {
  const integer = toBigInt(value);
  const limit = 1n << 63n;
  if (integer === undefined || integer < -limit || integer > limit)
    throw malformed(path, "must be an integer from -2^63 to 2^63-1");
  return integer === limit ? limit - 1n : integer;
}

function toBigInt(value: unknown): bigint | undefined {
  if (typeof value === "bigint") return value;
  return typeof value === "number" && Number.isInteger(value) ? BigInt(value) : undefined;
}

export function readOneOf<T extends string>(value: unknown, path: string, allowed: readonly T[]): T {
  const found = allowed.find((x) => x === value);
  if (found === undefined) throw malformed(path, `must be one of ${allowed.join(", ")}`);
  return found;
}

/** A missing list is an empty one. */
export function readList<T>(value: unknown, path: string, item: (value: unknown, path: string) => T): readonly T[] {
  if (missing(value)) return [];
  if (!Array.isArray(value)) throw malformed(path, "must be a list");
  if (value.length > maxItems) throw malformed(path, `must have at most ${maxItems} items`);
  return value.map((x, index) => item(x, `${path}[${index}]`));
}

export const readStrings = (value: unknown, path: string): readonly string[] => readList(value, path, readString);

/** A missing map is an empty one. */
export function readMap<T>(
  value: unknown,
  path: string,
  item: (value: unknown, path: string) => T,
): ReadonlyMap<string, T> {
  const map = new Map<string, T>();
  if (missing(value)) return map;
  const entries = Object.entries(readObject(value, path));
  if (entries.length > maxItems) throw malformed(path, `must have at most ${maxItems} entries`);
  for (const [key, x] of entries) {
    readNonEmpty(key, `name of an entry of ${path}`);
    map.set(key, item(x, `${path}[${JSON.stringify(key)}]`));
  }
  return map;
}

/** Undefined when missing. */
export function optional<T>(value: unknown, path: string, read: (value: unknown, path: string) => T): T | undefined {
  return missing(value) ? undefined : read(value, path);
}
