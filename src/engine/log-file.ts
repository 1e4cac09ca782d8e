/**
 * The log of a container on disk, in CRI's format: `TIME STREAM TAG TEXT\n`, where TAG is F for a whole line and P for a
 * part of one that the next entry of the stream continues. Kubernetes' kubelet reads the same files.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

export interface LogEntry {
  /** RFC 3339 with nanoseconds, as written. */
  readonly time: string;
  readonly stream: "stdout" | "stderr";
  /** False when the line goes on in the next entry of this stream. */
  readonly complete: boolean;
  readonly text: Uint8Array;
}

const space = 0x20;
const newline = 0x0a;

/** One line without its newline; undefined when it isn't an entry. */
export function parseLogLine(line: Uint8Array): LogEntry | undefined {
  const first = line.indexOf(space);
  const second = line.indexOf(space, first + 1);
  const third = line.indexOf(space, second + 1);
  if (first < 0 || second < 0 || third < 0) return undefined;
  const stream = Buffer.from(line.subarray(first + 1, second)).toString("latin1");
  const tag = line[second + 1];
  if (stream !== "stdout" && stream !== "stderr") return undefined;
  return {
    time: Buffer.from(line.subarray(0, first)).toString("latin1"),
    stream,
    complete: tag !== 0x50,
    text: line.subarray(third + 1),
  };
}

/** Reads entries from a growing file. `read` gives what has come since the last call; half a line is kept for the next. */
export class LogReader implements Disposable {
  readonly #descriptor: number;
  /** Tells the file from others that get its name later. */
  readonly inode: number;
  #offset: number;
  #rest: Uint8Array = new Uint8Array(0);

  /** @param offset where an entry begins */
  constructor(path: string, offset = 0) {
    this.#descriptor = openSync(path, "r");
    this.inode = fstatSync(this.#descriptor).ino;
    this.#offset = offset;
  }

  /** At most about 1 MiB at a time; undefined at the end of what is there now. */
  read(): LogEntry[] | undefined {
    const available = fstatSync(this.#descriptor).size - this.#offset;
    if (available <= 0) return undefined;
    const chunk = new Uint8Array(Math.min(available, 1024 * 1024));
    const size = readSync(this.#descriptor, chunk, 0, chunk.length, this.#offset);
    if (size === 0) return undefined;
    this.#offset += size;
    let data = chunk.subarray(0, size);
    if (this.#rest.length > 0) {
      const joined = new Uint8Array(this.#rest.length + size);
      joined.set(this.#rest);
      joined.set(data, this.#rest.length);
      data = joined;
    }
    const entries: LogEntry[] = [];
    let start = 0;
    for (let end = data.indexOf(newline); end >= 0; end = data.indexOf(newline, start)) {
      const entry = parseLogLine(data.subarray(start, end));
      if (entry !== undefined) entries.push(entry);
      start = end + 1;
    }
    this.#rest = data.subarray(start);
    return entries;
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }
}
