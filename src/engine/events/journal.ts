/**
 * The journal: a file of lines below the state directory, one an event, that every process on this root and every monitor
 * appends to. A line is one write, so that none are mixed; readers follow the file by inotify. It is bounded: when it is
 * large it becomes `events.1`, that `events.2`, and what is older is gone. Nobody holds it open for long, so a line that comes
 * late comes to `events.1` at the worst, where readers look too.
 *
 * It is in memory (/run) like all that tells of running containers, and is gone with them when the host goes down.
 */
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Database } from "#images";
import { encodeEvent, type EngineEvent, type EventType } from "./event.ts";

const maxSize = 1024 * 1024;

/** Newest first. */
export const journalFiles = ["events", "events.1", "events.2"] as const;

export class Journal {
  readonly directory: string;
  readonly #database: Database;
  #made = false;

  /** @param database whose lock keeps two processes from rotating at once */
  constructor(directory: string, database: Database) {
    this.directory = directory;
    this.#database = database;
  }

  /** The file that is appended to. Its directory is there afterwards. */
  path(): string {
    if (!this.#made) {
      mkdirSync(this.directory, { recursive: true, mode: 0o700 });
      this.#made = true;
    }
    return join(this.directory, "events");
  }

  /** Tells whoever listens. What can't be written is not told: no action fails for that. */
  emit(type: EventType, action: string, id: string, attributes: EngineEvent["attributes"]): void {
    try {
      const descriptor = openSync(this.path(), "a", 0o600);
      let size;
      try {
        writeSync(descriptor, `${encodeEvent({ type, action, id, attributes, time: now() })}\n`);
        ({ size } = fstatSync(descriptor));
      } finally {
        closeSync(descriptor);
      }
      if (size > maxSize) this.#rotate();
    } catch (error) {
      // A full disk, or a directory that was removed meanwhile.
      this.#made = false;
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    }
  }

  /** One process at a time, and only one for the same file. */
  #rotate(): void {
    const [newest, older, oldest] = journalFiles.map((name) => join(this.directory, name)) as [string, string, string];
    this.#database.transaction(() => {
      if (statSync(newest).size <= maxSize) return;
      renameIfThere(older, oldest);
      renameSync(newest, older);
    });
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** What to add to the monotonic clock. `performance` would be loaded for it. */
const offset = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();
let last = 0n;

/** Nanoseconds since the epoch, each time more than the time before in this process. */
function now(): bigint {
  const wall = offset + process.hrtime.bigint();
  const coarse = BigInt(Date.now()) * 1_000_000n;
  // The monotonic clock does not follow one that is set.
  const time = wall > coarse - 1_000_000_000n && wall < coarse + 1_000_000_000n ? wall : coarse;
  last = time > last ? time : last + 1n;
  return last;
}
