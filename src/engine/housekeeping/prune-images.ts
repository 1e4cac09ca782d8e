import { isSampanError } from "#errdefs";
import type { HousekeepingTools } from "./housekeeping.ts";
import { parsePruneFilters } from "./prune-filters.ts";
import { keepReserve, useReserve } from "./reserve.ts";

export interface PruneImagesOptions {
  /** Also those with names. */
  readonly all?: boolean;
  /** `until=TIME`, by when they were made; `label=KEY[=VALUE]`, `label!=KEY[=VALUE]`. */
  readonly filters?: readonly string[];
}

export interface PrunedImages {
  /** As people write them. */
  readonly untagged: readonly string[];
  /** Ids. */
  readonly deleted: readonly string[];
  /** Freed on disk. */
  readonly bytes: number;
}

/** Removes images that no container uses and that are not pinned. */
export async function pruneImages(
  { images, paths }: HousekeepingTools,
  { all = false, filters = [] }: PruneImagesOptions,
): Promise<PrunedImages> {
  const fits = parsePruneFilters(filters);
  useReserve(paths.root);
  const untagged: string[] = [];
  const deleted: string[] = [];
  let bytes = 0;
  const usage = await images.usage();
  for (const image of usage.images) {
    if (image.pinned || image.users.length > 0 || (image.names.length > 0 && !all)) continue;
    const createdAt = Date.parse(image.created);
    const labels = images.labelsOf(image.id);
    if (!fits({ createdAt: Number.isNaN(createdAt) ? 0 : createdAt, labels })) continue;
    try {
      const removed = await images.removeUnused(image.target);
      untagged.push(...removed.untagged);
      deleted.push(...removed.deleted);
      bytes += removed.bytes;
    } catch (error) {
      // Somebody has used or removed it meanwhile.
      if (!isSampanError(error, "failed-precondition") && !isSampanError(error, "not-found")) throw error;
    }
  }
  keepReserve(paths.root);
  return { untagged, deleted, bytes };
}
