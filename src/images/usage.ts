/** What images take on disk: alone, and together with others. */
import type { ContentStore } from "#content";
import type { Snapshotter, Usage } from "#snapshots";
import type { Digest } from "#spec";
import type { Database } from "./database.ts";
import { findGarbage } from "./garbage.ts";
import type { ImageStore } from "./image-store.ts";
import type { Key } from "./leases.ts";
import type { InUse } from "./remove.ts";

/** One target: a manifest, or an index with all of its platforms that are here. */
export interface ImageUsage {
  readonly target: Digest;
  /** Of the first platform. */
  readonly id: Digest;
  /** Canonical, sorted. */
  readonly names: readonly string[];
  readonly platforms: readonly string[];
  /** As the image says, RFC 3339, or empty. */
  readonly created: string;
  /** Milliseconds since the epoch, to the hour. */
  readonly used: number;
  readonly pinned: boolean;
  /** What uses it, e.g. `container web`. */
  readonly users: readonly string[];
  /** On disk: blobs and layers that only it needs, and those that others need too. */
  readonly unique: Usage;
  readonly shared: Usage;
}

export interface ImagesUsage {
  readonly images: readonly ImageUsage[];
  readonly imageBytes: { readonly total: number; readonly reclaimable: number };
  readonly garbage: { readonly count: number; readonly bytes: number };
  readonly layers: readonly { readonly key: string; readonly usage: Usage; readonly images: number }[];
}

export interface UsageTools {
  readonly database: Database;
  readonly store: ImageStore;
  readonly content: ContentStore;
  readonly snapshotter: Snapshotter;
}

const nothing: Usage = { bytes: 0, inodes: 0 };
const plus = (a: Usage, b: Usage): Usage => ({ bytes: a.bytes + b.bytes, inodes: a.inodes + b.inodes });
const layerPrefix = "snapshot:";

/** @param measure false leaves all sizes 0, and reads no tree */
export async function imagesUsage(tools: UsageTools, inUse: InUse, measure: boolean): Promise<ImagesUsage> {
  const { database, store, content, snapshotter } = tools;
  const sizes = new Sizes(tools, measure);
  const needs = new Map<Key, number>();
  for (const row of database.prepare("SELECT key, count(*) AS count FROM image_keys GROUP BY key").all()) {
    needs.set(row["key"] as Key, Number(row["count"]));
  }
  const images: ImageUsage[] = [];
  const unused = new Map<Key, number>();
  let total = 0;
  const counted = new Set<Key>();
  for (const [target, rows] of Map.groupBy(store.list(), (row) => row.target)) {
    const [first] = rows;
    if (first === undefined) continue;
    const users = [...new Set(store.idsAndTopLayers(target).flatMap((key) => inUse(key)))];
    let [unique, shared] = [nothing, nothing];
    for (const key of store.keys(target)) {
      const size = await sizes.of(key);
      if ((needs.get(key) ?? 0) > 1) shared = plus(shared, size);
      else unique = plus(unique, size);
      if (counted.size < counted.add(key).size) total += size.bytes;
      if (users.length === 0) unused.set(key, (unused.get(key) ?? 0) + 1);
    }
    const pinned = rows.some((row) => row.pinned);
    images.push({
      target,
      id: first.id,
      names: store.names(target),
      platforms: [...new Set(rows.map(({ platform }) => platform))],
      created: first.created,
      used: Math.max(...rows.map(({ used }) => used)),
      pinned,
      users,
      unique,
      shared,
    });
  }
  let reclaimable = 0;
  for (const [key, count] of unused) if (needs.get(key) === count) reclaimable += (await sizes.of(key)).bytes;

  const garbage = await findGarbage(tools);
  const ingests = content.ingests();
  let garbageBytes = ingests.bytes;
  for (const key of garbage) garbageBytes += (await sizes.of(key)).bytes;
  const layers: { key: string; usage: Usage; images: number }[] = [];
  for (const { key, kind } of measure ? await snapshotter.list() : []) {
    if (kind !== "layer") continue;
    layers.push({ key, usage: await sizes.of(layerPrefix + key), images: needs.get(layerPrefix + key) ?? 0 });
  }
  return {
    images,
    imageBytes: { total, reclaimable },
    garbage: { count: garbage.length + ingests.count, bytes: garbageBytes },
    layers,
  };
}

/** What all that a namespace's images need takes, each blob and layer once. */
export async function totalUsage(namespace: string, tools: Omit<UsageTools, "store">): Promise<Usage> {
  const sizes = new Sizes(tools, true);
  let total = nothing;
  const rows = tools.database.prepare("SELECT DISTINCT key FROM image_keys WHERE namespace = ?").all(namespace);
  for (const row of rows) total = plus(total, await sizes.of(row["key"] as Key));
  return total;
}

/** Sizes of blobs and layers; a layer never changes, so that it is measured once. */
export class Sizes {
  readonly #tools: Pick<UsageTools, "database" | "content" | "snapshotter">;
  readonly #measure: boolean;
  readonly #known = new Map<Key, Usage>();

  constructor(tools: Pick<UsageTools, "database" | "content" | "snapshotter">, measure: boolean) {
    this.#tools = tools;
    this.#measure = measure;
    if (!measure) return;
    for (const row of tools.database.prepare("SELECT key, bytes, inodes FROM image_usage").all()) {
      this.#known.set(row["key"] as Key, { bytes: Number(row["bytes"]), inodes: Number(row["inodes"]) });
    }
  }

  async of(key: Key): Promise<Usage> {
    if (!this.#measure) return nothing;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const usage = key.startsWith(layerPrefix) ? await this.#layer(key) : this.#blob(key as Digest);
    this.#known.set(key, usage);
    return usage;
  }

  #blob(digest: Digest): Usage {
    const bytes = this.#tools.content.size(digest);
    return bytes === undefined ? nothing : { bytes, inodes: 1 };
  }

  async #layer(key: Key): Promise<Usage> {
    const { database, snapshotter } = this.#tools;
    const chainId = key.slice(layerPrefix.length);
    if (!(await snapshotter.has(chainId))) return nothing;
    const usage = await snapshotter.usage(chainId).catch(() => undefined);
    if (usage === undefined) return nothing;
    try {
      database
        .prepare("INSERT OR REPLACE INTO image_usage (key, bytes, inodes) VALUES (?, ?, ?)")
        .run(key, usage.bytes, usage.inodes);
    } catch {
      // On a full or read-only disk it is measured again next time.
    }
    return usage;
  }
}
