/**
 * Keeps several processes from fetching the same blob: a symbolic link beside the ingests, which says who does. It saves
 * work and is not what the store's safety rests on: each writer has a file of its own, and what it makes is verified.
 */
import { readlinkSync, symlinkSync, unlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { currentOwner, isOwnerAlive } from "./owner.ts";

const pollInterval = 25;
export const lockSuffix = ".writer";

export class WriterLock implements Disposable {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * Waits until nobody living holds the lock.
   *
   * @param isDone asked while waiting: whether there is nothing to do any more
   * @returns undefined when there is nothing to do
   * @throws AbortError
   */
  static async take(path: string, isDone: () => boolean, signal?: AbortSignal): Promise<WriterLock | undefined> {
    for (;;) {
      if (isDone()) return undefined;
      if (tryLink(path)) return new WriterLock(path);
      await sleep(pollInterval, undefined, signal && { signal });
    }
  }

  [Symbol.dispose](): void {
    try {
      unlinkSync(this.#path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
}

function tryLink(path: string): boolean {
  try {
    symlinkSync(currentOwner(), path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  // Two may find the same dead holder, and one of them remove the other's new link: then both fetch, as without a lock.
  if (!isLocked(path)) unlinkIfThere(path);
  return false;
}

/** Whether somebody living holds it. */
export function isLocked(path: string): boolean {
  try {
    return isOwnerAlive(readlinkSync(path));
  } catch {
    return false;
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
