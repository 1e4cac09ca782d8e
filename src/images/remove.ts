import type { ContentStore } from "#content";
import { failedPrecondition, isSampanError } from "#errdefs";
import type { SnapshotInfo, Snapshotter } from "#snapshots";
import type { Digest } from "#spec";
import type { Database } from "./database.ts";
import { displayName, type ImageStore, type ResolvedImage } from "./image-store.ts";
import { forgetDeadLeases, Lease, type Key } from "./leases.ts";

export interface RemovedImage {
  /** Names that were taken away, as people write them. */
  readonly untagged: readonly string[];
  /** Id of the image whose data was deleted, if it was. */
  readonly deleted: readonly Digest[];
}

/** Who uses an image (by its id) or a snapshot (by its chain id), in words: `container web`. */
export type InUse = (idOrChainId: string) => readonly string[];

export interface RemoveTools {
  readonly database: Database;
  readonly store: ImageStore;
  readonly content: ContentStore;
  readonly snapshotter: Snapshotter;
  readonly inUse: InUse;
}

/** How long an interrupted download can be taken up again, in milliseconds. */
const ingestAge = 24 * 3600 * 1000;

/**
 * Takes a name away, and with the last one deletes what no other image needs.
 *
 * @param image what `nameOrId` resolved to
 * @param byId whether the image was named by its id: then it may have only one name, unless forced
 * @throws SampanError `failed-precondition` when a container uses it, or its id stands for several names
 */
export async function removeImage(
  image: ResolvedImage,
  byId: boolean,
  force: boolean,
  tools: RemoveTools,
): Promise<RemovedImage> {
  const { database, store } = tools;
  using lease = new Lease(database);
  const { untagged, deleted, claimed } = database.transaction(() => {
    const names = store.names(image.target);
    const shown = byId ? image.id.slice(7, 19) : displayName(image.name);
    if (byId && names.length > 1 && !force) {
      throw failedPrecondition(`Cannot remove image "${shown}": it has ${names.length} names`, {
        path: image.id,
        remedy: "Remove them by name, or force it",
      });
    }
    const removed = byId ? names : [image.name];
    const isLast = names.every((name) => removed.includes(name));
    const users = isLast ? usersOf(image.target, tools) : [];
    if (users.length > 0 && !force) {
      throw failedPrecondition(`Cannot remove image "${shown}": ${users.join(", ")} uses it`, {
        path: image.id,
        remedy: "Remove what uses it first",
      });
    }
    for (const name of removed) store.untag(name);
    const gone = isLast && users.length === 0;
    return {
      untagged: removed.map(displayName),
      deleted: gone ? [image.id] : [],
      claimed: gone ? lease.claim(store.forget(image.target)) : [],
    };
  });
  await deleteKeys(claimed, tools);
  await collectGarbage(tools);
  return { untagged, deleted };
}

/** Deletes a target that has no name left, unless a container uses it. */
export async function removeDangling(target: Digest, tools: RemoveTools): Promise<void> {
  const { database, store } = tools;
  using lease = new Lease(database);
  const claimed = database.transaction(() => {
    const isUsed = store.names(target).length > 0 || usersOf(target, tools).length > 0;
    return isUsed ? [] : lease.claim(store.forget(target));
  });
  await deleteKeys(claimed, tools);
}

function usersOf(target: Digest, { store, inUse }: RemoveTools): readonly string[] {
  return [...new Set(store.idsAndTopLayers(target).flatMap((key) => inUse(key)))];
}

/** Deletes what was claimed, snapshots before those that they stand on. One that a container stands on stays. */
export async function deleteKeys(
  keys: readonly Key[],
  { content, snapshotter }: Pick<RemoveTools, "content" | "snapshotter">,
): Promise<void> {
  for (const key of keys) {
    if (!key.startsWith("snapshot:")) {
      content.delete(key as Digest);
      content.forgetIngests(key as Digest);
      continue;
    }
    try {
      await snapshotter.remove(key.slice("snapshot:".length));
    } catch (error) {
      if (!isSampanError(error, "failed-precondition")) throw error;
    }
  }
}

/** Deletes blobs and layers that no image needs and nobody works on: what interrupted pulls left. */
export async function collectGarbage(tools: RemoveTools): Promise<void> {
  const { database, content, snapshotter, store } = tools;
  forgetDeadLeases(database);
  using lease = new Lease(database);
  const blobs = [...content.list()].filter((digest) => !store.isNeeded(digest));
  const layers = topmostFirst(await snapshotter.list()).filter((key) => !store.isNeeded(key));
  await deleteKeys(lease.claim([...layers, ...blobs]), tools);
  content.cleanIngests(ingestAge);
  await snapshotter.cleanup();
}

function topmostFirst(snapshots: readonly SnapshotInfo[]): readonly Key[] {
  const layers = snapshots.filter(({ kind }) => kind === "layer");
  const parents = new Map(layers.map(({ key, parent }) => [key, parent]));
  const depth = (key: string): number => {
    let count = 0;
    for (let at = parents.get(key); at !== undefined; at = parents.get(at)) count += 1;
    return count;
  };
  return layers
    .map(({ key }) => ({ key: `snapshot:${key}`, depth: depth(key) }))
    .sort((a, b) => b.depth - a.depth)
    .map(({ key }) => key);
}
