/**
 * The garbage collector, in two phases, each of which may be cut off anywhere.
 *
 *     mark    what is on disk and neither an image needs nor anybody leases is noted with the time, once; what is
 *             needed again is taken off the list
 *     sweep   what has been on the list for the grace time is claimed, which asks again whether it is needed, and
 *             deleted: layers from the top, then blobs
 *
 * A claim shuts out who wants to use the key, who waits then; and a lease shuts out the claim; both are one transaction
 * each. A claim of a process that was killed counts no more, and what it left is on disk and on the list, or neither.
 *
 * What references what is all in the database (`image_keys`, one row a target and key) or on disk (a layer's parent), so
 * that blobs need no labels for it, as containerd's have.
 */
import type { ContentStore } from "#content";
import { isSampanError } from "#errdefs";
import type { SnapshotInfo, Snapshotter } from "#snapshots";
import type { Digest } from "#spec";
import type { Database } from "./database.ts";
import type { ImageStore } from "./image-store.ts";
import { forgetDeadLeases, Lease, type Key } from "./leases.ts";
import { endExpiredLeases } from "./named-leases.ts";

export interface GarbageTools {
  readonly database: Database;
  readonly store: Pick<ImageStore, "isNeeded">;
  readonly content: ContentStore;
  readonly snapshotter: Snapshotter;
}

export interface Collected {
  readonly blobs: number;
  readonly layers: number;
  /** Partial downloads. */
  readonly ingests: number;
  /** Freed, of blobs and partial downloads; layers are not measured for it. */
  readonly bytes: number;
}

/** How long what nothing needs is kept, in milliseconds: an interrupted download goes on with it. */
export const graceTime = 24 * 3600 * 1000;
/** Keys that are claimed at once: whoever needs one waits no longer than these take. */
const batch = 64;

/** @param grace milliseconds that garbage must have been known for; 0 takes all that nobody works with */
export async function collectGarbage(tools: GarbageTools, grace: number = graceTime): Promise<Collected> {
  const { content, snapshotter } = tools;
  // First what needs no note in the database: on a full disk none could be made.
  const ingests = content.cleanIngests(grace);
  await snapshotter.cleanup();
  const candidates = await mark(tools, grace);
  const swept = await sweep(tools, candidates);
  return { ...swept, ingests: ingests.count, bytes: swept.bytes + ingests.bytes };
}

/** What is on disk and not needed, top layers first. */
export async function findGarbage(tools: GarbageTools): Promise<readonly Key[]> {
  const { database, store, content, snapshotter } = tools;
  const leased = new Set(
    database
      .prepare("SELECT DISTINCT key FROM image_leases")
      .all()
      .map(({ key }) => key as string),
  );
  const isWanted = (key: Key): boolean => store.isNeeded(key) || leased.has(key);
  const infos = await snapshotter.list();
  return [...unusedLayers(infos, isWanted), ...[...content.list()].filter((digest) => !isWanted(digest))];
}

/** @returns garbage that is old enough */
async function mark(tools: GarbageTools, grace: number): Promise<readonly Key[]> {
  const { database } = tools;
  endExpiredLeases(database);
  forgetDeadLeases(database);
  const found = await findGarbage(tools);
  const now = Date.now();
  const since = new Map(
    database
      .prepare("SELECT key, since FROM image_garbage")
      .all()
      .map(({ key, since: at }) => [key as string, Number(at)]),
  );
  // A mark from the future is from before the clock was set back: its time begins anew.
  const fresh = found.filter((key) => (since.get(key) ?? Infinity) > now);
  const kept = new Set(found);
  const gone = [...since.keys()].filter((key) => !kept.has(key));
  if (fresh.length + gone.length > 0 && grace > 0) {
    database.transaction(() => {
      const insert = database.prepare("INSERT OR REPLACE INTO image_garbage (key, since) VALUES (?, ?)");
      for (const key of fresh) insert.run(key, now);
      const remove = database.prepare("DELETE FROM image_garbage WHERE key = ?");
      for (const key of gone) remove.run(key);
    });
  }
  return grace === 0 ? found : found.filter((key) => (since.get(key) ?? Infinity) <= now - grace);
}

async function sweep(
  tools: GarbageTools,
  candidates: readonly Key[],
): Promise<{ readonly blobs: number; readonly layers: number; readonly bytes: number }> {
  const { database, content } = tools;
  let [blobs, layers, bytes] = [0, 0, 0];
  for (let at = 0; at < candidates.length; at += batch) {
    using lease = new Lease(database);
    const claimed = lease.claim(candidates.slice(at, at + batch));
    const sizes = claimed.map((key) => (isLayer(key) ? 0 : (content.size(key as Digest) ?? 0)));
    const deleted = await deleteKeys(claimed, tools);
    for (const [index, key] of claimed.entries()) {
      if (!deleted.has(key)) continue;
      if (isLayer(key)) layers += 1;
      else blobs += 1;
      bytes += sizes[index] ?? 0;
    }
  }
  return { blobs, layers, bytes };
}

const layerPrefix = "snapshot:";
const isLayer = (key: Key): boolean => key.startsWith(layerPrefix);

/**
 * Deletes what was claimed, in this order. A layer with something on top of it stays. One failure does not keep the rest
 * from being deleted; the first is thrown.
 */
export async function deleteKeys(
  keys: readonly Key[],
  { database, content, snapshotter }: Pick<GarbageTools, "database" | "content" | "snapshotter">,
): Promise<ReadonlySet<Key>> {
  const deleted = new Set<Key>();
  let failure: { readonly error: unknown } | undefined;
  for (const key of keys) {
    try {
      if (isLayer(key)) await snapshotter.remove(key.slice(layerPrefix.length));
      else {
        content.forgetIngests(key as Digest);
        content.delete(key as Digest);
      }
      deleted.add(key);
    } catch (error) {
      if (!isSampanError(error, "failed-precondition")) failure ??= { error };
    }
  }
  if (deleted.size > 0) {
    database.transaction(() => {
      for (const table of ["image_garbage", "image_usage"]) {
        const forget = database.prepare(`DELETE FROM ${table} WHERE key = ?`);
        for (const key of deleted) forget.run(key);
      }
      const layer = database.prepare("DELETE FROM image_layers WHERE chain_id = ?");
      for (const key of deleted) if (isLayer(key)) layer.run(key.slice(layerPrefix.length));
    });
  }
  if (failure !== undefined) throw failure.error;
  return deleted;
}

/** Layers that no wanted layer and no container stands on, the topmost first. */
function unusedLayers(infos: readonly SnapshotInfo[], isWanted: (key: Key) => boolean): readonly Key[] {
  const layers = infos.filter(({ kind }) => kind === "layer");
  const parents = new Map<string, string | undefined>(layers.map(({ key, parent }) => [key, parent]));
  const used = new Set<string>();
  const use = (from: string | undefined): void => {
    for (let at = from; at !== undefined && !used.has(at); at = parents.get(at)) used.add(at);
  };
  for (const { key, kind, parent } of infos) {
    if (kind === "snapshot") use(parent);
    else if (isWanted(layerPrefix + key)) use(key);
  }
  const depths = new Map<string, number>();
  const depth = (key: string): number => {
    const known = depths.get(key);
    if (known !== undefined) return known;
    const parent = parents.get(key);
    // A parent that is not there, or is its own ancestor, as only a damaged store has it, is none.
    depths.set(key, 0);
    const found = parent === undefined || !parents.has(parent) ? 0 : depth(parent) + 1;
    depths.set(key, found);
    return found;
  };
  return layers
    .filter(({ key }) => !used.has(key))
    .map(({ key }) => ({ key: layerPrefix + key, depth: depth(key) }))
    .sort((a, b) => b.depth - a.depth)
    .map(({ key }) => key);
}
