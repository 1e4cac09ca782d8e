/** How fast counters of CPU time grow, from one time that they are asked for to the next. */

/** Nanoseconds between two samples: a counter that is read twice at once gives no rate. */
const shortest = 100_000_000n;
const second = 1_000_000_000n;

interface Sample {
  /** Of a clock that is never set. */
  readonly clock: bigint;
  readonly total: bigint;
}

export class Rates {
  readonly #samples = new Map<string, { readonly run: number; readonly from: Sample; readonly rate: bigint }>();

  /**
   * Nanoseconds of CPU time a second. The first time it is the average since the start, and between two times that are close
   * it is what was told before.
   *
   * @param run of a container that may start again, when this start was, in milliseconds since the epoch
   * @param total nanoseconds
   */
  of(
    id: string,
    run: number,
    total: bigint,
    clock: bigint = process.hrtime.bigint(),
    now: number = Date.now(),
  ): bigint {
    const before = this.#samples.get(id);
    if (before !== undefined && before.run === run && total >= before.from.total) {
      const elapsed = clock - before.from.clock;
      if (elapsed < shortest) return before.rate;
      const rate = ((total - before.from.total) * second) / elapsed;
      this.#samples.set(id, { run, from: { clock, total }, rate });
      return rate;
    }
    const elapsed = BigInt(Math.max(1, Math.round((now - run) * 1e6)));
    const rate = (total * second) / elapsed;
    this.#samples.set(id, { run, from: { clock, total }, rate });
    return rate;
  }

  /** Forgets those that are gone. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of this.#samples.keys()) if (!ids.has(id)) this.#samples.delete(id);
  }
}
