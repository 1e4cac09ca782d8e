/**
 * Tells of kills for want of memory. The kernel's own notice on v1 is an eventfd, which Node cannot make; its counter of
 * kills is read instead: on v2 when the kernel says that memory.events has changed, on both at an interval. So no kill is
 * missed, and several within an interval are told as many.
 */
import { watch } from "node:fs";
import { containerProcesses, oomKills } from "#host";

/** Milliseconds between two looks. */
const defaultInterval = 250;

export interface OomWatchOptions {
  /** Ends the watch. */
  readonly signal?: AbortSignal;
  /** Milliseconds. */
  readonly interval?: number;
}

/**
 * Yields how many processes were killed since the last time, from the first kill on: also those before the watch began
 * are told. Ends with the container: when its groups have no process any more or are gone.
 *
 * @param paths controller → the container's directory
 */
export async function* watchOomKills(
  paths: ReadonlyMap<string, string>,
  { signal, interval = defaultInterval }: OomWatchOptions = {},
): AsyncGenerator<number, void> {
  using bell = new Bell(interval, signal);
  const memory = paths.get("memory");
  if (paths.has("") && memory !== undefined) bell.listen(`${memory}/memory.events`);
  let told = 0;
  for (;;) {
    if (signal?.aborted === true) return;
    // In this order, so that the last process's kill is counted.
    const alive = containerProcesses(paths).length > 0;
    const count = oomKills(paths) ?? told;
    if (count > told) yield count - told;
    told = Math.max(count, told);
    if (!alive) return;
    await bell.next();
  }
}

/** Rings at an interval, and at once when a file changes or all is over. */
class Bell implements Disposable {
  readonly #interval: number;
  readonly #signal: AbortSignal | undefined;
  readonly #closers: (() => void)[] = [];
  #ring: (() => void) | undefined;
  #rang = false;

  constructor(interval: number, signal: AbortSignal | undefined) {
    this.#interval = interval;
    this.#signal = signal;
    const end = (): void => this.#now();
    signal?.addEventListener("abort", end);
    this.#closers.push(() => signal?.removeEventListener("abort", end));
  }

  listen(path: string): void {
    try {
      const watcher = watch(path, { persistent: false }, () => this.#now());
      // Without inotify, as out of watches, the interval is all there is.
      watcher.on("error", () => watcher.close());
      this.#closers.push(() => watcher.close());
    } catch {
      // Likewise.
    }
  }

  #now(): void {
    this.#rang = true;
    this.#ring?.();
  }

  async next(): Promise<void> {
    if (!this.#rang && this.#signal?.aborted !== true)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.#interval);
        this.#ring = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    this.#ring = undefined;
    this.#rang = false;
  }

  [Symbol.dispose](): void {
    for (const close of this.#closers) close();
  }
}
