/**
 * How much containers have written. A tree is read for it, and a kubelet asks of all containers every few seconds: what is
 * known is told at once, and read again when it is old.
 */

/** On disk. */
export interface WrittenSize {
  readonly bytes: number;
  readonly inodes: number;
}

/** Milliseconds for which what was read counts as current. */
const holds = 10_000;
/** Trees that are read at once. */
const parallel = 4;

export class WrittenSizes {
  readonly #read: (id: string) => Promise<WrittenSize>;
  readonly #known = new Map<string, { readonly usage: WrittenSize; readonly at: number }>();
  readonly #reading = new Map<string, Promise<WrittenSize>>();
  readonly #waiting: (() => void)[] = [];
  #active = 0;

  constructor(read: (id: string) => Promise<WrittenSize>) {
    this.#read = read;
  }

  /** Waits only where nothing is known yet. */
  async of(id: string): Promise<WrittenSize> {
    const known = this.#known.get(id);
    if (known !== undefined && performance.now() - known.at < holds) return known.usage;
    const reading = this.#reading.get(id) ?? this.#start(id);
    return known?.usage ?? (await reading);
  }

  /** Forgets those that are gone. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
  }

  #start(id: string): Promise<WrittenSize> {
    const reading = this.#measure(id);
    this.#reading.set(id, reading);
    const ended = (): void => void this.#reading.delete(id);
    reading.then(ended, ended);
    return reading;
  }

  async #measure(id: string): Promise<WrittenSize> {
    while (this.#active >= parallel) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#active += 1;
    try {
      const usage = await this.#read(id);
      this.#known.set(id, { usage, at: performance.now() });
      return usage;
    } finally {
      this.#active -= 1;
      this.#waiting.shift()?.();
    }
  }
}
