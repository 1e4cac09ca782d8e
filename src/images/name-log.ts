/**
 * Names of images, once more, beside the database: a line a change, the last one counts. Nothing reads it but the rebuilding
 * of a database that was damaged, as all else can be found on disk, but not what things are called.
 *
 *     {"namespace":"default","name":"docker.io/library/debian:12","digest":"sha256:…","mediaType":"…","size":1234}
 *     {"namespace":"default","name":"docker.io/library/debian:12"}       the name was taken away
 */
import { appendFileSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { isDigest, type Digest } from "#spec";

export interface LoggedName {
  readonly namespace: string;
  readonly name: string;
  /** Undefined when it was taken away. */
  readonly digest?: Digest;
  readonly mediaType?: string;
  readonly size?: number;
}

/** Bytes from which on it is written anew when most of its lines count no more. */
const compactFrom = 256 * 1024;
/** Far more than a line of names has. */
const limit = 64 * 1024 * 1024;

const pathOf = (database: string): string => `${database}-names`;

/**
 * Notes a change. Called in the transaction of the database that makes it, so that no two write at once. Never fails: on a
 * full disk the names that a rebuilt database has are older.
 *
 * @param all what counts now
 */
export function logName(database: string, line: LoggedName, all: () => Iterable<LoggedName>): void {
  const path = pathOf(database);
  try {
    appendFileSync(path, `${JSON.stringify(line)}\n`, { mode: 0o600 });
    if (statSync(path).size < compactFrom) return;
    const text = [...all()].map((one) => `${JSON.stringify(one)}\n`).join("");
    if (text.length * 2 > compactFrom) return;
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch {
    // It is for bad days only.
  }
}

/** What the log says; lines that say nothing are left out. */
export function readNames(database: string): readonly Required<LoggedName>[] {
  const names = new Map<string, LoggedName>();
  let text = "";
  try {
    if (statSync(pathOf(database)).size <= limit) text = readFileSync(pathOf(database), "utf8");
  } catch {
    return [];
  }
  for (const line of text.split("\n")) {
    const entry = parseLine(line);
    if (entry !== undefined) names.set(`${entry.namespace}\0${entry.name}`, entry);
  }
  return [...names.values()].filter((entry): entry is Required<LoggedName> => entry.digest !== undefined);
}

function parseLine(line: string): LoggedName | undefined {
  try {
    const { namespace, name, digest, mediaType, size } = JSON.parse(line) as Record<string, unknown>;
    if (typeof namespace !== "string" || typeof name !== "string") return undefined;
    if (digest === undefined) return { namespace, name };
    if (typeof digest !== "string" || !isDigest(digest) || typeof mediaType !== "string" || typeof size !== "number") {
      return undefined;
    }
    return { namespace, name, digest, mediaType, size };
  } catch {
    return undefined;
  }
}
