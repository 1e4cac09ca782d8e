import { rmSync } from "node:fs";
import { treeUsage } from "#snapshots";
import { EngineNetworks } from "../network/api.ts";
import type { HousekeepingTools } from "./housekeeping.ts";
import { pruneContainers } from "./prune-containers.ts";
import { parsePruneFilters } from "./prune-filters.ts";
import { pruneImages, type PrunedImages } from "./prune-images.ts";
import { keepReserve, useReserve } from "./reserve.ts";
import { pruneVolumes } from "./prune-volumes.ts";

export interface PruneSystemOptions {
  /** All images that no container uses, not only those without a name. */
  readonly all?: boolean;
  /** Also anonymous volumes that no container uses. */
  readonly volumes?: boolean;
  readonly filters?: readonly string[];
}

export interface PrunedSystem {
  /** Ids. */
  readonly containers: readonly string[];
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
  readonly images: PrunedImages;
  /** Freed on disk, all together. */
  readonly bytes: number;
}

export async function pruneSystem(
  tools: HousekeepingTools,
  { all = false, volumes = false, filters = [] }: PruneSystemOptions,
): Promise<PrunedSystem> {
  const { core, images, paths } = tools;
  useReserve(paths.root);
  // What needs no note in a database goes first, and makes room for those notes on a full disk.
  const cache = await treeUsage(paths.cache).catch(() => ({ bytes: 0, inodes: 0 }));
  rmSync(paths.cache, { recursive: true, force: true });
  const early = await images.collect(0);

  let bytes = cache.bytes + early.bytes;
  const sizes = new Map<string, number>();
  for (const { key, kind } of await core.snapshotter.list()) {
    if (kind !== "snapshot") continue;
    sizes.set(key, (await core.snapshotter.usage(key).catch(() => ({ bytes: 0 }))).bytes);
  }
  const containers = await pruneContainers(tools, filters);
  for (const id of containers) bytes += sizes.get(id) ?? 0;
  const removedVolumes = volumes ? await pruneVolumes(tools, false) : { removed: [], bytes: 0 };
  const fits = parsePruneFilters(filters);
  const networks = await new EngineNetworks(core).prune(({ createdAt, labels }) =>
    fits({ createdAt, labels: new Map(Object.entries(labels)) }),
  );
  const removedImages = await pruneImages(tools, { all, filters });
  const late = await images.collect(0);
  keepReserve(paths.root);
  bytes += removedVolumes.bytes + removedImages.bytes + late.bytes;
  return { containers, networks, volumes: removedVolumes.removed, images: removedImages, bytes };
}
