import type { ContentStore } from "#content";
import { failedPrecondition, notFound } from "#errdefs";
import type { Snapshotter } from "#snapshots";
import type { Digest } from "#spec";
import type { Database } from "./database.ts";
import { displayName, type ImageStore, type ResolvedImage } from "./image-store.ts";
import { collectGarbage, deleteKeys } from "./garbage.ts";
import { Lease } from "./leases.ts";
import { Sizes } from "./usage.ts";

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

/**
 * Removes a target with all its names, unless a container uses it or a name of it is pinned.
 *
 * @throws SampanError `failed-precondition` when it is in use, `not-found`
 */
export async function removeUnused(
  target: Digest,
  tools: RemoveTools,
): Promise<RemovedImage & { readonly bytes: number }> {
  const { database, store } = tools;
  using lease = new Lease(database);
  const { names, ids, claimed } = database.transaction(() => {
    const rows = store.list().filter((row) => row.target === target);
    const users = usersOf(target, tools);
    const [first] = rows;
    if (first === undefined) throw notFound(`Cannot remove image "${target}": it is not on this machine`);
    const shown = first.name === undefined ? first.id.slice(7, 19) : displayName(first.name);
    if (users.length > 0) {
      throw failedPrecondition(`Cannot remove image "${shown}": ${users.join(", ")} uses it`);
    }
    if (rows.some(({ pinned }) => pinned)) {
      throw failedPrecondition(`Cannot remove image "${shown}": it is pinned`);
    }
    const taken = store.names(target);
    for (const name of taken) store.untag(name);
    return {
      names: taken.map(displayName),
      ids: [...new Set(rows.map(({ id }) => id))],
      claimed: lease.claim(store.forget(target)),
    };
  });
  const sizes = new Sizes(tools, true);
  const before = await Promise.all(claimed.map(async (key) => ({ key, bytes: (await sizes.of(key)).bytes })));
  const deleted = await deleteKeys(claimed, tools);
  const bytes = before.reduce((sum, entry) => (deleted.has(entry.key) ? sum + entry.bytes : sum), 0);
  return { untagged: names, deleted: ids, bytes };
}
