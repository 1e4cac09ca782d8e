/** Text of cgroup files, as the kernel writes it. Parsers are pure; what they do not understand is left out, not an error. */
import { readdirSync, readFileSync } from "node:fs";

/** Content of a file; undefined when it isn't there, as in a group that is gone or on a kernel without it. */
export type ReadText = (path: string) => string | undefined;

const gone = new Set(["ENOENT", "ENODEV", "ENOTDIR", "EOPNOTSUPP"]);

export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    if (gone.has((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

/** Names of a group's children; none when it is gone. */
export function childGroups(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch (error) {
    if (gone.has((error as NodeJS.ErrnoException).code ?? "")) return [];
    throw error;
  }
}

/** The largest number of a file: what `max` stands for. */
export const unlimited = (1n << 64n) - 1n;

/** One number, or `max`. v1 writes -1 for what has no limit. */
export function parseNumber(text: string | undefined): bigint | undefined {
  const word = text?.trim();
  if (word === "max" || word === "-1") return unlimited;
  return word !== undefined && /^\d{1,20}$/.test(word) ? BigInt(word) : undefined;
}

/** Lines of `name number`. */
export function parseTable(text: string | undefined): ReadonlyMap<string, bigint> {
  const table = new Map<string, bigint>();
  for (const line of (text ?? "").split("\n")) {
    const [name, number] = line.split(" ");
    const value = parseNumber(number);
    if (name !== undefined && value !== undefined) table.set(name, value);
  }
  return table;
}

/** Numbers with blanks between. */
export const parseNumbers = (text: string | undefined): readonly bigint[] =>
  (text ?? "")
    .trim()
    .split(/\s+/)
    .map(parseNumber)
    .filter((value) => value !== undefined);

/** A list such as `0-3,7`. */
export function parseRanges(text: string | undefined): readonly number[] {
  const numbers: number[] = [];
  for (const part of (text ?? "").trim().split(",")) {
    const [, from, to] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part) ?? [];
    if (from !== undefined) for (let n = Number(from); n <= Number(to ?? from); n++) numbers.push(n);
  }
  return numbers;
}
