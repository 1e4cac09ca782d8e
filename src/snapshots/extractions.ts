/** Extractions that are running in this process, by chain id. */
import { failedPrecondition } from "#errdefs";
import type { ChainId } from "./snapshotter.ts";
import type { SnapshotStore } from "./store.ts";

export class Extractions {
  readonly #running = new Map<ChainId, Promise<void>>();
  readonly #store: SnapshotStore;

  constructor(store: SnapshotStore) {
    this.#store = store;
  }

  /**
   * Calls `make` unless the layer is there or on its way, and waits for it. `make` gets a function that waits for the parent.
   *
   * @throws SampanError `failed-precondition` when the parent is neither there nor on its way
   */
  async run(
    key: ChainId,
    parent: ChainId | undefined,
    make: (parentReady: () => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    if (this.#store.has(key)) return undefined;
    const below = parent === undefined ? undefined : this.#running.get(parent);
    if (parent !== undefined && below === undefined && !this.#store.has(parent))
      throw failedPrecondition(`Cannot make the layer "${key}": the layer "${parent}" below it is not there`);
    const made = make(async () => below).finally(() => this.#running.delete(key));
    this.#running.set(key, made);
    // Whoever waits for the parent sees its failure too; nobody may be waiting yet.
    below?.catch(() => undefined);
    return made;
  }
}
