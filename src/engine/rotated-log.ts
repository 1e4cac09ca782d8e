/**
 * A container's log that its monitor rotates: LOG is renamed to LOG.1 when it is full, LOG.1 to LOG.2 and so on, and the oldest
 * is removed. A file that was renamed is never written to again. A reader holds the file that it is at open, so that it is read
 * to its end wherever it is moved, and knows it again by its inode.
 */
import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { LogReader, parseLogLine, type LogEntry } from "./log-file.ts";

const pathOf = (path: string, number: number): string => (number === 0 ? path : `${path}.${number}`);

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "ENOENT";

/** Numbers of the files that are there, oldest first; 0 is LOG itself. */
function fileNumbers(path: string): number[] {
  const name = basename(path);
  let names: string[];
  try {
    names = readdirSync(dirname(path));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
  return names
    .flatMap((n) => {
      if (n === name) return [0];
      const suffix = n.startsWith(`${name}.`) ? n.slice(name.length + 1) : "";
      return /^[1-9]\d{0,3}$/.test(suffix) ? [Number(suffix)] : [];
    })
    .toSorted((a, b) => b - a);
}

function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export class RotatedLog implements Disposable {
  readonly #path: string;
  #reader: LogReader | undefined;
  /** The file that is read has been renamed: what it holds now is all that it ever will. */
  #final = false;

  /** @param lines begin with so many last lines; from the first when undefined */
  constructor(path: string, lines?: number) {
    this.#path = path;
    if (lines === undefined) this.#openOldest();
    else this.#openTail(lines);
  }

  /** What has come since the last call, at most about 1 MiB; undefined at the end of what is there now. */
  read(): LogEntry[] | undefined {
    for (;;) {
      if (this.#reader === undefined) this.#openOldest();
      const entries = this.#reader?.read();
      if (entries !== undefined || this.#reader === undefined) return entries;
      if (!this.#advance()) return undefined;
    }
  }

  /** Whether there is more to read after the end of the file that is read. */
  #advance(): boolean {
    const current = this.#reader;
    if (current === undefined) return false;
    const at = this.#find(current.inode);
    if (at === 0) return false;
    // Once more to its end: something may have come between the last read and its renaming.
    if (!this.#final) {
      this.#final = true;
      return true;
    }
    // It was the oldest, and has been removed.
    if (at === undefined) return this.#replace(this.#open(fileNumbers(this.#path)[0] ?? 0));
    const next = this.#open(at - 1);
    // While files are renamed the next one may be another, or not there for a moment.
    if (next !== undefined && inodeOf(pathOf(this.#path, at)) === current.inode) return this.#replace(next);
    next?.[Symbol.dispose]();
    return next !== undefined;
  }

  /** The number that a file has now. */
  #find(inode: number): number | undefined {
    const oldestNow = (): number => fileNumbers(this.#path)[0] ?? 0;
    for (let oldest = oldestNow(); ;) {
      // From the newest to older ones: a file that is renamed meanwhile is met at its new name at the latest.
      for (let number = 0; number <= oldest + 1; number += 1)
        if (inodeOf(pathOf(this.#path, number)) === inode) return number;
      // Renamed several times while it was looked for, it may be further back than anything was at first.
      const later = oldestNow();
      if (later <= oldest) return undefined;
      oldest = later;
    }
  }

  #replace(next: LogReader | undefined): boolean {
    if (next === undefined) return false;
    this.#reader?.[Symbol.dispose]();
    this.#reader = next;
    this.#final = false;
    return true;
  }

  #open(number: number, offset = 0): LogReader | undefined {
    try {
      return new LogReader(pathOf(this.#path, number), offset);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  #openOldest(): void {
    for (let attempt = 0; attempt < 10 && this.#reader === undefined; attempt += 1) {
      const [oldest] = fileNumbers(this.#path);
      if (oldest === undefined) return;
      this.#reader = this.#open(oldest);
    }
  }

  /** Looks from the end backwards for where the last lines begin. */
  #openTail(lines: number): void {
    const counter = new LineCounter(lines);
    for (let number = 0; ; number += 1) {
      let found;
      try {
        found = counter.scan(pathOf(this.#path, number));
      } catch (error) {
        if (!isMissing(error)) throw error;
        // LOG is missing for a moment while it is renamed; of the others the oldest was passed.
        if (number === 0 && fileNumbers(this.#path).some((n) => n > 0)) continue;
        this.#openOldest();
        return;
      }
      // Renamed between the two: from the oldest is too much, but nothing is missing.
      const reader = found === undefined ? undefined : this.#open(number, found.offset);
      if (reader !== undefined && reader.inode === found?.inode) {
        this.#reader = reader;
        return;
      }
      reader?.[Symbol.dispose]();
      if (found !== undefined) {
        this.#openOldest();
        return;
      }
    }
  }

  [Symbol.dispose](): void {
    this.#reader?.[Symbol.dispose]();
  }
}

const chunkSize = 64 * 1024;
const newline = 0x0a;

/** Counts lines backwards, file by file. */
class LineCounter {
  #wanted: number;
  #any = false;

  constructor(wanted: number) {
    this.#wanted = wanted;
  }

  /** Where the wanted lines begin in the file; undefined when they begin before it. */
  scan(path: string): { readonly offset: number; readonly inode: number } | undefined {
    const descriptor = openSync(path, "r");
    try {
      const { size, ino } = fstatSync(descriptor);
      let rest = Buffer.alloc(0);
      for (let start = size; start > 0;) {
        const length = Math.min(chunkSize, start);
        start -= length;
        const chunk = Buffer.alloc(length);
        readSync(descriptor, chunk, 0, length, start);
        const data = Buffer.concat([chunk, rest]);
        let end = data.lastIndexOf(newline);
        // What is behind the last newline is being written.
        while (end >= 0) {
          const before = end === 0 ? -1 : data.lastIndexOf(newline, end - 1);
          if (before < 0 && start > 0) break;
          if (this.#isBefore(data.subarray(before + 1, end))) return { offset: start + end + 1, inode: ino };
          end = before;
        }
        rest = data.subarray(0, end + 1);
      }
      return this.#wanted <= 0 && size === 0 ? { offset: 0, inode: ino } : undefined;
    } finally {
      closeSync(descriptor);
    }
  }

  /** Whether the entry, looked at from the end on, is the end of a line that is not wanted any more. */
  #isBefore(line: Uint8Array): boolean {
    const entry = parseLogLine(line);
    if (entry === undefined) return false;
    // A last line that is not finished counts too.
    if (entry.complete || !this.#any) {
      if (this.#wanted <= 0) return true;
      this.#wanted -= 1;
    }
    this.#any = true;
    return false;
  }
}
