/** Reading the journal: what is there, and what comes. */
import { closeSync, fstatSync, openSync, readSync, watch, type FSWatcher } from "node:fs";
import { join } from "node:path";
import { decodeEvent, type EngineEvent } from "./event.ts";
import { journalFiles, type Journal } from "./journal.ts";

export interface ReadOptions {
  /** Only events of this time or later, in milliseconds since the epoch; from now on when undefined. */
  readonly since?: number | undefined;
  /** Ends at this time, which may be to come. Without it events are followed until the signal. */
  readonly until?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface OpenFile {
  readonly descriptor: number;
  readonly inode: bigint;
  offset: number;
  /** Half a line that a write in progress has left. */
  rest: string;
}

/**
 * Follows the journal from the moment it is made: what is appended from then on, before the first call too, is given by
 * {@link JournalReader.poll}, each event once.
 */
class JournalReader implements Disposable {
  readonly #journal: Journal;
  readonly #files: OpenFile[] = [];
  readonly #names = new Map<string, string>();
  readonly #starts = new Map<string, bigint>();
  #watcher: FSWatcher | undefined;
  #changed = true;
  #wake: (() => void) | undefined;

  /** @param past events that are there already are given too */
  constructor(journal: Journal, past: boolean) {
    this.#journal = journal;
    const first = this.poll();
    if (past) this.#past = first;
  }
  #past: EngineEvent[] | undefined;

  /** What has come since the last call, in order of time. */
  poll(): EngineEvent[] {
    const past = this.#past ?? [];
    this.#past = undefined;
    this.#open();
    const events = [...this.#files].flatMap((file) => this.#read(file));
    const order = events.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
    return [...past, ...order.map((e) => this.#complete(e))];
  }

  /** A monitor tells of its container by the name that it started with, and does not tell how long it ran. */
  #complete(event: EngineEvent): EngineEvent {
    const { id, action, time } = event;
    if (event.type !== "container") return event;
    if (action === "rename") this.#names.set(id, event.attributes["name"] ?? "");
    else if (action === "start") this.#starts.set(id, time);
    else if (action === "destroy") {
      this.#names.delete(id);
      this.#starts.delete(id);
    } else if (action === "die" || action === "oom") {
      const name = this.#names.get(id);
      const start = action === "die" ? this.#starts.get(id) : undefined;
      const attributes = {
        ...event.attributes,
        ...(name !== undefined && { name }),
        ...(start !== undefined && { execDuration: String((time - start) / 1_000_000_000n) }),
      };
      return { ...event, attributes };
    }
    return event;
  }

  /**
   * Opens what is new; lets go of what has been read and is gone. Looks from the newest to older ones: a file that is renamed
   * meanwhile is met at its new name at the latest, so that none that is there is taken for gone.
   */
  #open(): void {
    this.#journal.path();
    const seen = new Set<bigint>();
    const fresh: OpenFile[] = [];
    for (const name of journalFiles) {
      let descriptor;
      try {
        descriptor = openSync(join(this.#journal.directory, name), "r");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") continue;
        throw error;
      }
      const inode = fstatSync(descriptor, { bigint: true }).ino;
      const known = this.#files.some((f) => f.inode === inode) || seen.has(inode);
      seen.add(inode);
      if (known) closeSync(descriptor);
      else fresh.push({ descriptor, inode, offset: 0, rest: "" });
    }
    for (const file of this.#files.filter((f) => !seen.has(f.inode))) this.#gone.add(file.inode);
    this.#files.push(...fresh.toReversed());
  }
  readonly #gone = new Set<bigint>();

  #read(file: OpenFile): EngineEvent[] {
    const events: EngineEvent[] = [];
    const chunk = Buffer.alloc(64 * 1024);
    for (;;) {
      const size = readSync(file.descriptor, chunk, 0, chunk.length, file.offset);
      if (size === 0) break;
      file.offset += size;
      // A character that is cut in two is put together by reading bytes as such first.
      const lines = (file.rest + chunk.toString("latin1", 0, size)).split("\n");
      file.rest = lines.pop() ?? "";
      for (const line of lines) {
        const event = decodeEvent(Buffer.from(line, "latin1").toString());
        if (event !== undefined) events.push(event);
      }
    }
    if (this.#gone.delete(file.inode)) {
      closeSync(file.descriptor);
      this.#files.splice(this.#files.indexOf(file), 1);
    }
    return events;
  }

  /**
   * Resolves when something may have come since the last call, after `milliseconds`, or with the signal's end.
   *
   * @param milliseconds at most so long; for ever when undefined
   */
  async changed(milliseconds: number | undefined, signal: AbortSignal | undefined): Promise<void> {
    this.#listen();
    if (this.#changed || signal?.aborted === true) {
      this.#changed = false;
      return;
    }
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        this.#wake = undefined;
        this.#changed = false;
        resolve();
      };
      // Without inotify (out of watches) a look now and then is all there is.
      const longest = this.#watcher === undefined ? 250 : 2 ** 31 - 1;
      const timer = setTimeout(done, Math.min(milliseconds ?? longest, longest));
      this.#wake = done;
      signal?.addEventListener("abort", done);
    });
  }

  #listen(): void {
    if (this.#watcher !== undefined) return;
    try {
      this.#watcher = watch(this.#journal.directory, () => {
        this.#changed = true;
        this.#wake?.();
      });
      // What came before the watch is told by the first poll after it.
      this.#changed = true;
      this.#watcher.on("error", () => {
        this.#watcher?.close();
        this.#watcher = undefined;
      });
    } catch {
      this.#watcher = undefined;
    }
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
    for (const file of this.#files.splice(0)) closeSync(file.descriptor);
  }
}

/** Events in their order. The reader listens from this call on, not from the first `next`. */
export function readEvents(
  journal: Journal,
  wanted: (event: EngineEvent) => boolean,
  options: ReadOptions,
): AsyncGenerator<EngineEvent, void, void> {
  const reader = new JournalReader(journal, options.since !== undefined);
  return follow(reader, wanted, options);
}

async function* follow(
  reader: JournalReader,
  wanted: (event: EngineEvent) => boolean,
  { since, until, signal }: ReadOptions,
): AsyncGenerator<EngineEvent, void, void> {
  using _ = reader;
  const from = since === undefined ? undefined : BigInt(Math.floor(since * 1e6));
  const to = until === undefined ? undefined : BigInt(Math.floor(until * 1e6));
  for (;;) {
    const late = until !== undefined && Date.now() >= until;
    for (const event of reader.poll()) {
      if (signal?.aborted === true) return;
      if ((from === undefined || event.time >= from) && (to === undefined || event.time <= to) && wanted(event))
        yield event;
    }
    if (late || signal?.aborted === true) return;
    await reader.changed(until === undefined ? undefined : Math.max(0, until - Date.now()), signal);
  }
}
