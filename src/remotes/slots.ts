/** Requests that a host is sent at once; the others wait, first come, first served. */
export class Slots {
  readonly #limit: number;
  readonly #used = new Map<string, number>();
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Waits for a slot of the host.
   *
   * @returns gives it back; may be called more than once
   * @throws the signal's reason when that is aborted meanwhile
   */
  async take(host: string, signal: AbortSignal | undefined): Promise<() => void> {
    const used = this.#used.get(host) ?? 0;
    if (used < this.#limit) this.#used.set(host, used + 1);
    else await this.#wait(host, signal);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const [next] = this.#waiting.get(host) ?? [];
      // It goes from hand to hand.
      if (next !== undefined) next();
      else this.#used.set(host, (this.#used.get(host) ?? 1) - 1);
    };
  }

  async #wait(host: string, signal: AbortSignal | undefined): Promise<void> {
    const waiting = this.#waiting.get(host) ?? new Set();
    this.#waiting.set(host, waiting);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const wake = (): void => {
      waiting.delete(wake);
      resolve();
    };
    const abort = (): void => {
      waiting.delete(wake);
      reject(signal?.reason as Error);
    };
    waiting.add(wake);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }
}
