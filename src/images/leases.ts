import { setTimeout as sleep } from "node:timers/promises";
import { currentOwner, isOwnerAlive } from "#content";
import type { Database } from "./database.ts";
import { isNamedHolder, isNamedLeaseAlive } from "./named-leases.ts";

/** A blob's digest, or `snapshot:<chain id>`. */
export type Key = string;

let counter = 0;
const pollInterval = 20;

/**
 * Says which blobs and snapshots are in use by a pull that has no image to show yet, or are being removed. A pull leases
 * its keys before it looks whether they are there; a removal takes only keys that nobody leases; so neither loses what
 * the other one counts on, in one process or several. What a dead process holds does not count.
 */
export class Lease implements Disposable {
  readonly #database: Database;
  readonly #holder: string;

  constructor(database: Database) {
    this.#database = database;
    counter += 1;
    this.#holder = `${currentOwner()}.${counter}`;
  }

  /** Keeps keys from being removed; waits for removals that are under way. Idempotent. */
  async use(keys: Iterable<Key>, signal?: AbortSignal): Promise<void> {
    const wanted = [...new Set(keys)];
    while (!this.#tryUse(wanted)) await sleep(pollInterval, undefined, signal && { signal });
  }

  #tryUse(keys: readonly Key[]): boolean {
    return this.#database.transaction(() => {
      if (keys.some((key) => this.#others(key, true).length > 0)) return false;
      const insert = this.#database.prepare(
        "INSERT OR IGNORE INTO image_leases (key, holder, removing) VALUES (?, ?, 0)",
      );
      for (const key of keys) insert.run(key, this.#holder);
      return true;
    });
  }

  /**
   * Claims keys for removal, those that no image needs and nobody else leases. Call it in the transaction that decided
   * to remove them.
   */
  claim(keys: Iterable<Key>): readonly Key[] {
    return this.#database.transaction(() => {
      const needed = this.#database.prepare("SELECT 1 FROM image_keys WHERE key = ? LIMIT 1");
      const insert = this.#database.prepare(
        "INSERT OR REPLACE INTO image_leases (key, holder, removing) VALUES (?, ?, 1)",
      );
      const claimed = [...keys].filter((key) => needed.get(key) === undefined && this.#others(key, false).length === 0);
      for (const key of claimed) insert.run(key, this.#holder);
      return claimed;
    });
  }

  /** Living holders of a key other than this one. */
  #others(key: Key, removing: boolean): readonly string[] {
    const rows = this.#database
      .prepare("SELECT holder FROM image_leases WHERE key = ? AND holder <> ? AND removing >= ?")
      .all(key, this.#holder, removing ? 1 : 0);
    return rows.map(({ holder }) => holder as string).filter((one) => isHolderAlive(this.#database, one));
  }

  /** Lets go of everything. */
  [Symbol.dispose](): void {
    this.#database.prepare("DELETE FROM image_leases WHERE holder = ?").run(this.#holder);
  }
}

/** Forgets what dead processes and expired leases held. */
export function forgetDeadLeases(database: Database): void {
  const holders = database.prepare("SELECT DISTINCT holder FROM image_leases").all();
  const dead = holders.map(({ holder }) => holder as string).filter((holder) => !isHolderAlive(database, holder));
  if (dead.length === 0) return;
  database.transaction(() => {
    const forget = database.prepare("DELETE FROM image_leases WHERE holder = ?");
    for (const holder of dead) forget.run(holder);
  });
}

function isHolderAlive(database: Database, holder: string): boolean {
  return isNamedHolder(holder) ? isNamedLeaseAlive(database, holder) : isOwnerAlive(holder.split(".")[0] ?? "");
}
