/**
 * What a table says, once more, in a file beside the database: a line of JSON a change, the last one of a key counts.
 * Nothing reads it but the rebuilding of a database that was damaged.
 */
import { appendFileSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";

/** Bytes from which on it is written anew when most of its lines count no more; looked at whenever it has doubled. */
const compactFrom = 256 * 1024;
/** Far more than any table has. */
const limit = 64 * 1024 * 1024;

const toLine = (entry: object): string => `${JSON.stringify(entry)}\n`;

/**
 * Notes a change. Called in the transaction of the database that makes it, so that no two write at once. Never fails: on a
 * full disk what a rebuilt database has is older.
 *
 * @param all what counts now
 */
export function logChange(path: string, entry: object, all: () => Iterable<object>): void {
  try {
    const line = toLine(entry);
    appendFileSync(path, line, { mode: 0o600 });
    const { size } = statSync(path);
    if (size < compactFrom || !hasDoubled(size - Buffer.byteLength(line), size)) return;
    const text = [...all()].map(toLine).join("");
    if (text.length * 2 > size) return;
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch {
    // It is for bad days only.
  }
}

/** Whether this line has taken it past `compactFrom` times a power of two: whoever looks at all of it does so seldom. */
function hasDoubled(before: number, after: number): boolean {
  const power = (size: number): number => Math.floor(Math.log2(size / compactFrom));
  return before < compactFrom || power(after) > power(before);
}

/** The log's objects, the oldest first; lines that are none, as a crash may leave, are left out. */
export function readChanges(path: string): readonly Readonly<Record<string, unknown>>[] {
  let text = "";
  try {
    if (statSync(path).size <= limit) text = readFileSync(path, "utf8");
  } catch {
    return [];
  }
  return text.split("\n").flatMap((line) => {
    try {
      const value: unknown = JSON.parse(line);
      return typeof value === "object" && value !== null ? [{ ...value }] : [];
    } catch {
      return [];
    }
  });
}
