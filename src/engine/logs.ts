/** Reading a container's log: the last lines, from a time, and what comes. */
import { watch } from "node:fs";
import { dirname } from "node:path";
import { invalidArgument } from "#errdefs";
import type { LogEntry } from "./log-file.ts";
import type { ContainerOptions } from "./options.ts";
import { RotatedLog } from "./rotated-log.ts";
import { parseBytes, parseInteger } from "./units.ts";

export interface LogOptions {
  /** Go on until the container ends. */
  readonly follow?: boolean;
  /** Only that many last lines. */
  readonly tail?: number;
  /** Only entries of this time or later, in milliseconds since the epoch. */
  readonly since?: number;
  /** Only entries before this time. */
  readonly until?: number;
  readonly signal?: AbortSignal;
}

/** When the monitor begins a new file of the log. Throws `invalid-argument` for what can't be. */
export function logLimit({
  logMaxSize,
  logMaxFiles,
}: ContainerOptions): { readonly maxSize: bigint; readonly maxFiles: number } | undefined {
  const maxFiles = parseInteger(logMaxFiles ?? 1, "--log-opt max-file", 1, 1000);
  if (logMaxSize === undefined || logMaxSize === "-1" || logMaxSize === -1) {
    if (maxFiles > 1) throw invalidArgument("Cannot keep several files of a log: --log-opt max-size is missing");
    return undefined;
  }
  const maxSize = parseBytes(logMaxSize, "--log-opt max-size");
  if (maxSize < 1024) throw invalidArgument(`Cannot limit a log to ${logMaxSize}: the smallest size is 1k`);
  return { maxSize: BigInt(maxSize), maxFiles };
}

export async function* readLog(
  path: string,
  options: LogOptions,
  isRunning: () => boolean,
): AsyncGenerator<LogEntry, void, void> {
  const { since, until, tail } = options;
  const timed = since !== undefined || until !== undefined;
  // By time, all must be read to know which are the last of those.
  using reader = new RotatedLog(path, timed ? undefined : tail);
  const wanted = (entry: LogEntry): boolean => {
    if (!timed) return true;
    const at = Date.parse(entry.time);
    return !(since !== undefined && at < since) && !(until !== undefined && at >= until);
  };
  if (tail === undefined || !timed) {
    for (let entries = reader.read(); entries !== undefined; entries = reader.read()) yield* entries.filter(wanted);
  } else yield* lastLines(reader, tail, wanted);
  if (options.follow !== true) return;

  using change = new ChangeWatch(dirname(path));
  for (;;) {
    if (options.signal?.aborted === true) return;
    // Asked before reading: what is written until the end is read once more after it.
    const running = isRunning();
    const late = until !== undefined && Date.now() >= until;
    let any = false;
    for (let entries = reader.read(); entries !== undefined; entries = reader.read()) {
      any = true;
      yield* entries.filter(wanted);
    }
    if ((!running && !any) || late) return;
    if (running) await change.next(options.signal);
  }
}

/** The last `count` whole lines; parts of a line count as the line that they belong to. */
function lastLines(reader: RotatedLog, count: number, wanted: (entry: LogEntry) => boolean): LogEntry[] {
  let kept: LogEntry[] = [];
  let lines = 0;
  for (let entries = reader.read(); entries !== undefined; entries = reader.read()) {
    for (const entry of entries.filter(wanted)) {
      kept.push(entry);
      if (entry.complete) lines += 1;
    }
    // Drops from the front now and then, so that a long log takes little memory.
    if (kept.length > 4 * count + 1024) ({ kept, lines } = trim(kept, lines, count));
  }
  return trim(kept, lines, count).kept;
}

function trim(kept: LogEntry[], lines: number, count: number): { kept: LogEntry[]; lines: number } {
  const unfinished = kept.at(-1)?.complete === false ? 1 : 0;
  let surplus = lines + unfinished - count;
  let start = 0;
  let left = lines;
  while (surplus > 0 && start < kept.length) {
    if (kept[start]?.complete === true) {
      surplus -= 1;
      left -= 1;
    }
    start += 1;
  }
  return { kept: kept.slice(start), lines: left };
}

/** Wakes when a file of the log changes, and now and then to see whether the container still runs. */
class ChangeWatch implements Disposable {
  readonly #watcher;
  #wake: (() => void) | undefined;
  #changed = false;

  constructor(path: string) {
    this.#watcher = watch(path, () => {
      this.#changed = true;
      this.#wake?.();
    });
  }

  next(signal: AbortSignal | undefined): Promise<void> {
    if (this.#changed) {
      this.#changed = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        this.#wake = undefined;
        this.#changed = false;
        resolve();
      };
      const timer = setTimeout(done, 100);
      this.#wake = done;
      signal?.addEventListener("abort", done);
    });
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
  }
}
