/** Opens a database that may be damaged: refuses it, or keeps it aside and begins a new one. */
import { existsSync, renameSync } from "node:fs";
import { dataLoss, fromSystemError, isSampanError } from "#errdefs";
import { dirname } from "node:path";
import { openDatabase, type Database } from "#images";
import { useReserve } from "./reserve.ts";

/** What to do with a damaged database: fail, or keep it aside and find out again, from what is on disk, what it had. */
export type OnDamage = "refuse" | "rebuild";

export interface OpenedBook {
  readonly database: Database;
  /** Where the damaged one is kept, when there was one. */
  readonly aside: string | undefined;
}

/** @throws SampanError `data-loss` when it is damaged and not to be rebuilt */
export function openBook(path: string, onDamage: OnDamage, readOnly: boolean = false): OpenedBook {
  try {
    if (readOnly) return { database: openDatabase(path, { readOnly }), aside: undefined };
    const database = openDatabase(path);
    const state = onDamage === "rebuild" ? database.damage() : undefined;
    if (state === undefined) return { database, aside: undefined };
    database[Symbol.dispose]();
    throw dataLoss(`Cannot use "${path}": ${state}`);
  } catch (error) {
    const known = fromSystemError(error);
    // On a full disk not even the database's journal can be made.
    if (isSampanError(known, "resource-exhausted") && useReserve(dirname(path))) return openBook(path, onDamage);
    if (!isDamage(error)) throw error;
    if (onDamage === "refuse") {
      throw dataLoss(`Cannot open "${path}": it is damaged`, {
        path,
        cause: error,
        remedy: "sampan content fsck --repair keeps it aside, and finds out again from what is on disk what it had",
      });
    }
    const aside = `${path}.damaged-${Date.now()}`;
    for (const suffix of ["", "-wal", "-shm"]) {
      if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
    }
    return { database: openDatabase(path), aside };
  }
}

/** SQLITE_CORRUPT, SQLITE_NOTADB, or what a look through all of it found. A disk that fails to be read is none. */
function isDamage(error: unknown): boolean {
  if (isSampanError(error)) return error.code === "data-loss";
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  return code === "ERR_SQLITE_ERROR" && [11, 26].includes(Number(errcode) & 0xff);
}
