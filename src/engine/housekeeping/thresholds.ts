/** Keeps a disk from filling up with images nobody uses any more, as a kubelet does it. */
import { statfsSync } from "node:fs";
import { invalidArgument, isSampanError } from "#errdefs";
import type { HousekeepingTools } from "./housekeeping.ts";

export interface Thresholds {
  /** Percentage of the disk in use above which images are removed; 85 by default. */
  readonly high?: number;
  /** Percentage down to which; 80 by default. */
  readonly low?: number;
  /** Milliseconds that an image must have been unused for; 2 minutes by default. */
  readonly minimumAge?: number;
}

export interface KeptBelow {
  /** Ids of the images that were removed, in that order. */
  readonly removed: readonly string[];
  /** Percentage of the disk in use before and after. */
  readonly before: number;
  readonly after: number;
  /** Whether it is at or below `low` now, or never was above `high`. */
  readonly reached: boolean;
}

/** Percentage in use of what is for whoever is not root: the same as `df` prints. */
function percentUsed(path: string): number {
  const { blocks, bfree, bavail } = statfsSync(path);
  const used = blocks - bfree;
  return used + bavail === 0 ? 0 : (used / (used + bavail)) * 100;
}

/**
 * @param measure percentage in use; of the file system of the root directory by default
 * @throws SampanError `invalid-argument` unless 0 ≤ low ≤ high ≤ 100
 */
export async function keepBelow(
  { images, paths }: HousekeepingTools,
  { high = 85, low = 80, minimumAge = 120_000 }: Thresholds,
  measure: () => number = () => percentUsed(paths.root),
): Promise<KeptBelow> {
  if (!(low >= 0 && low <= high && high <= 100)) {
    throw invalidArgument(`Cannot keep the disk below ${high} %: it must be a percentage, and not below ${low} %`);
  }
  const before = measure();
  const removed: string[] = [];
  const result = (reached: boolean): KeptBelow => ({ removed, before, after: measure(), reached });
  if (before <= high) return result(true);
  // Garbage goes first: nobody misses it.
  await images.collect(0);
  const { images: all } = await images.usage({ measure: false });
  const now = Date.now();
  const candidates = all
    .filter(({ pinned, users, used }) => !pinned && users.length === 0 && Math.abs(now - used) >= minimumAge)
    .toSorted((a, b) => a.used - b.used);
  for (const { target } of candidates) {
    if (measure() <= low) return result(true);
    try {
      removed.push(...(await images.removeUnused(target)).deleted);
    } catch (error) {
      // A container was made of it meanwhile, or somebody has removed it.
      if (!isSampanError(error, "failed-precondition") && !isSampanError(error, "not-found")) throw error;
    }
  }
  return result(measure() <= low);
}
