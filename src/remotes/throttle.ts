import { setTimeout as sleep } from "node:timers/promises";

/** Seconds of the rate that may pass at once after a pause: less makes many short waits. */
const burst = 0.1;

/** What has passed so far, and how long to wait so that it stays below a rate. Knows no clock. */
export class TokenBucket {
  readonly #rate: number;
  /** Bytes that may pass at once; below 0 those that passed too early. */
  #level: number;
  #filled: number;

  /** @param rate bytes a second */
  constructor(rate: number, now: number) {
    this.#rate = rate;
    this.#level = rate * burst;
    this.#filled = now;
  }

  /**
   * Notes bytes that pass.
   *
   * @returns milliseconds to wait before more may
   */
  take(bytes: number, now: number): number {
    const gained = ((now - this.#filled) / 1000) * this.#rate;
    this.#level = Math.min(this.#level + gained, this.#rate * burst) - bytes;
    this.#filled = now;
    return this.#level >= 0 ? 0 : (-this.#level / this.#rate) * 1000;
  }
}

/** Slows down what passes through it, in both directions together. */
export class Throttle {
  readonly #bucket: TokenBucket | undefined;

  /** @param rate bytes a second; Infinity for none */
  constructor(rate: number) {
    this.#bucket = rate === Infinity ? undefined : new TokenBucket(rate, performance.now());
  }

  async pass(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    const wait = this.#bucket?.take(bytes, performance.now()) ?? 0;
    if (wait > 0) await sleep(wait, undefined, signal && { signal });
  }
}
