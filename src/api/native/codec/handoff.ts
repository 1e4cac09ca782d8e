/** Values from one who produces them to one who takes them, with a bound on what waits between the two. */

export class Handoff<T> implements AsyncIterable<T> {
  readonly #limit: number;
  readonly #items: { readonly value: T; readonly size: number }[] = [];
  #waiting = 0;
  #taker: (() => void) | undefined;
  #room: PromiseWithResolvers<void> | undefined;
  #ended = false;
  #error: { readonly error: unknown } | undefined;

  /** How many items have been taken: that it goes on, however slowly. */
  taken = 0;

  /** @param limit how much may wait before the producer has to */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @returns a promise when the producer should not go on before it resolves; it does when the taker has gone, too */
  put(value: T, size: number): Promise<void> | undefined {
    if (this.#ended) return undefined;
    this.#items.push({ value, size });
    this.#waiting += size;
    this.#wake();
    if (this.#waiting < this.#limit) return undefined;
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }

  /** What was put is still taken. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  fail(error: unknown): void {
    this.#error ??= { error };
    this.end();
  }

  #wake(): void {
    this.#taker?.();
    this.#taker = undefined;
  }

  #release(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    try {
      for (;;) {
        const item = this.#items.shift();
        if (item !== undefined) {
          this.#waiting -= item.size;
          this.taken += 1;
          if (this.#waiting < this.#limit) this.#release();
          yield item.value;
        } else if (this.#ended) {
          if (this.#error !== undefined) throw this.#error.error;
          return;
        } else await new Promise<void>((resolve) => (this.#taker = resolve));
      }
    } finally {
      this.#ended = true;
      this.#items.length = 0;
      this.#release();
    }
  }
}
