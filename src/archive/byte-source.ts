/**
 * Reads exact numbers of bytes from a stream of chunks; copies only what crosses chunks. A chunk need not stay as it is once
 * the next one is asked for.
 */
export class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;
  #position = 0;
  #ended = false;

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** Bytes taken so far. */
  get position(): number {
    return this.#position;
  }

  /** Bytes that can be taken without waiting. */
  get ready(): number {
    return this.#chunk.length - this.#at;
  }

  /** Waits until `size` bytes can be taken at once; false when the stream ends before. */
  async ensure(size: number): Promise<boolean> {
    while (this.ready < size) {
      const { ready } = this;
      if (ready === 0) {
        const next = await this.#next();
        if (next === undefined) return false;
        this.#chunk = next;
        this.#at = 0;
        continue;
      }
      const whole = new Uint8Array(Math.max(size, 2 * ready));
      whole.set(this.#chunk.subarray(this.#at));
      this.#chunk = whole.subarray(0, ready);
      this.#at = 0;
      if (!(await this.#append(whole, ready, size))) return false;
    }
    return true;
  }

  /** Adds the next chunks to what is ready, until that is `size` bytes; what is more of the last one is kept too. */
  async #append(whole: Uint8Array, ready: number, size: number): Promise<boolean> {
    let into = whole;
    let filled = ready;
    while (filled < size) {
      const next = await this.#next();
      if (next === undefined) {
        this.#chunk = into.subarray(0, filled);
        return false;
      }
      if (filled + next.length > into.length) {
        const larger = new Uint8Array(Math.max(filled + next.length, 2 * into.length));
        larger.set(into.subarray(0, filled));
        into = larger;
      }
      into.set(next, filled);
      filled += next.length;
    }
    this.#chunk = into.subarray(0, filled);
    return true;
  }

  /** Takes bytes that `ensure` has waited for. A view, which stays as it is until more is waited for. */
  take(size: number): Uint8Array {
    const start = this.#at;
    this.#at += size;
    this.#position += size;
    return this.#chunk.subarray(start, start + size);
  }

  /**
   * Takes at least one and at most `max` bytes, without copying; undefined at the end of the stream. A view, which stays as it
   * is until more is waited for.
   */
  async some(max: number): Promise<Uint8Array | undefined> {
    if (this.ready === 0) {
      const next = await this.#next();
      if (next === undefined) return undefined;
      this.#chunk = next;
      this.#at = 0;
    }
    return this.take(Math.min(max, this.ready));
  }

  /** Passes over `size` bytes; false when the stream ends before. */
  async skip(size: number): Promise<boolean> {
    let left = size;
    while (left > 0) {
      const part = await this.some(left);
      if (part === undefined) return false;
      left -= part.length;
    }
    return true;
  }

  /** Ends the stream early, so that its source can close what it has open. */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#chunks.return?.();
  }

  async #next(): Promise<Uint8Array | undefined> {
    while (!this.#ended) {
      const { done, value } = await this.#chunks.next();
      if (done === true) this.#ended = true;
      else if (value.length > 0) return value;
    }
    return undefined;
  }
}
