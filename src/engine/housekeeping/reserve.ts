/**
 * Room for the notes that deleting needs: on a full disk not even a database's journal can be written. A file of zeros
 * stands for it, and goes when a disk is full.
 */
import { rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const size = 1024 * 1024;
/** On a disk with less than this left it would be part of the problem. */
const plenty = 64 * size;

const pathIn = (root: string): string => join(root, "reserve");

/** Makes it, where there is plenty of room. Never fails. */
export function keepReserve(root: string): void {
  try {
    if (statSync(pathIn(root), { throwIfNoEntry: false })?.size === size) return;
    const { bavail, bsize } = statfsSync(root);
    if (bavail * bsize > plenty) writeFileSync(pathIn(root), Buffer.alloc(size), { mode: 0o600 });
  } catch {
    // Then there is none.
  }
}

/** Gives it up. Whether there was one. */
export function useReserve(root: string): boolean {
  try {
    rmSync(pathIn(root));
    return true;
  } catch {
    return false;
  }
}
