import { failedPrecondition, notFound } from "#errdefs";
import {
  familiarName,
  formatPlatform,
  formatReference,
  normalizePlatform,
  parseImageConfig,
  parsePlatform,
  parseReference,
  platformDistance,
  repositoryName,
  type Descriptor,
  type Digest,
  type ImageConfig,
  type Platform,
  type Reference,
} from "#spec";
import { chainIds } from "#snapshots";
import type { Database } from "./database.ts";
import type { Key } from "./leases.ts";
import { logName, type LoggedName } from "./name-log.ts";
import { migrations } from "./schema.ts";

/** An image that is unpacked and can be run. */
export interface ResolvedImage {
  /** Canonical name, or the id for one found by its id. */
  readonly name: string;
  /** Digest of the configuration. */
  readonly id: Digest;
  /** Digest of what the name stands for: the manifest, or an index. */
  readonly target: Digest;
  readonly manifest: Digest;
  readonly platform: Platform;
  readonly config: ImageConfig;
  /** Snapshots of the layers, bottom first. */
  readonly layers: readonly Digest[];
  /** The topmost snapshot, a container's parent; undefined for an image without layers. */
  readonly chainId: Digest | undefined;
}

/** One line of a listing. */
export interface ImageSummary {
  /** Canonical name; undefined for a dangling image. */
  readonly name: string | undefined;
  readonly id: Digest;
  readonly target: Digest;
  readonly platform: string;
  /** As the image says, RFC 3339, or empty. */
  readonly created: string;
  /** Bytes of its unpacked layers' tar streams. */
  readonly size: number;
  /** When it was got or a container was last made of it, to the hour, in milliseconds since the epoch. */
  readonly used: number;
  /** Never pruned. */
  readonly pinned: boolean;
}

/** What an image needs to be recorded. */
export interface ImageRecord {
  /** Without one the image dangles. */
  readonly names: readonly string[];
  readonly target: Descriptor;
  readonly manifest: Digest;
  readonly configDigest: Digest;
  readonly configText: string;
  /** Everything that must be kept for it. */
  readonly keys: readonly Key[];
  readonly now: number;
}

interface PlatformRow {
  readonly name: string | null;
  readonly digest: Digest;
  readonly platform: string;
  readonly manifest: Digest;
  readonly config: Digest;
}

interface ParsedConfig {
  readonly config: ImageConfig;
  readonly layers: readonly Digest[];
}

const cacheLimit = 512;
/** Milliseconds within which a further use is not noted. */
const useResolution = 3600 * 1000;

/** The namespace of whoever names none. */
export const defaultNamespace = "default";

/** Names with what they stand for, in one namespace (`?1`). */
const selectNamed = `SELECT i.name, p.digest, p.platform, p.manifest, p.config FROM images i
  JOIN image_platforms p ON p.namespace = i.namespace AND p.digest = i.digest WHERE i.namespace = ?1`;
/** Everything unpacked, with a name or without. */
const selectAll = `SELECT i.name, p.digest, p.platform, p.manifest, p.config FROM image_platforms p
  LEFT JOIN images i ON i.namespace = p.namespace AND i.digest = p.digest WHERE p.namespace = ?1`;
const selectTarget = "SELECT NULL AS name, * FROM image_platforms WHERE namespace = ?1 AND digest = ?2";

/** The key under which a reference is recorded: a digest says all, and a tag next to it does not count. */
export function recordName(reference: Reference): string {
  const { domain, path, digest } = reference;
  return formatReference(digest === undefined ? reference : { domain, path, digest });
}

/** Platform of this machine. */
export function hostPlatform(): Platform {
  return normalizePlatform({ os: "linux", architecture: process.arch });
}

/** Names of images and what was unpacked of them. Synchronous; a warm {@link resolve} takes some 20 µs. */
export class ImageStore {
  readonly namespace: string;
  readonly #database: Database;
  readonly #configs = new Map<Digest, ParsedConfig>();

  /** @param namespace whose names these are; blobs and layers are everybody's */
  constructor(database: Database, namespace: string = defaultNamespace) {
    this.#database = database;
    this.namespace = namespace;
    database.migrate("images", migrations);
  }

  /**
   * Finds an image by its name, or by its id or the beginning of it.
   *
   * @param platform must match when it is given; otherwise this machine's platform is preferred
   * @throws SampanError `not-found`; `failed-precondition` when several images' ids begin like that
   */
  resolve(nameOrId: string, platform?: Platform): ResolvedImage {
    const rows = this.#find(nameOrId);
    const row = bestRow(rows, platform);
    if (row === undefined) {
      const there = rows.map((found) => found.platform).join(", ");
      throw notFound(
        platform === undefined || rows.length === 0
          ? `Cannot find image "${nameOrId}": it is not on this machine`
          : `Cannot find image "${nameOrId}": it is here for ${there}, not for ${formatPlatform(platform)}`,
        { path: nameOrId, remedy: "Pull it first" },
      );
    }
    return this.#resolved(row);
  }

  #resolved(row: PlatformRow): ResolvedImage {
    const { config, layers } = this.#config(row.config);
    return {
      name: row.name ?? row.config,
      id: row.config,
      target: row.digest,
      manifest: row.manifest,
      platform: config.platform,
      config,
      layers,
      chainId: layers.at(-1),
    };
  }

  #find(nameOrId: string): readonly PlatformRow[] {
    const id = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(nameOrId)?.[1];
    if (id?.length !== 64 && !nameOrId.startsWith("sha256:")) {
      const named = this.#findName(parseReference(nameOrId));
      if (named.length > 0 || id === undefined) return named;
    }
    return id === undefined ? [] : this.#findId(id, nameOrId);
  }

  #findName(reference: Reference): readonly PlatformRow[] {
    const rows = this.#rows(`${selectNamed} AND i.name = ?2`, recordName(reference));
    if (rows.length > 0 || reference.digest === undefined) return rows;
    // Pulled by a tag, asked for by the digest that the tag stands for.
    const repository = repositoryName(reference);
    return this.#rows(`${selectNamed} AND i.digest = ?2`, reference.digest).filter(
      ({ name }) => name !== null && repositoryName(parseReference(name)) === repository,
    );
  }

  #findId(hex: string, text: string): readonly PlatformRow[] {
    const rows = this.#rows(
      `${selectAll} AND p.config >= ?2 AND p.config < ?3 ORDER BY i.name`,
      `sha256:${hex}`,
      `sha256:${hex}g`,
    );
    const ids = new Set(rows.map(({ config }) => config));
    if (ids.size < 2) return rows.map((row) => ({ ...row, name: null }));
    throw failedPrecondition(`Cannot find image "${text}": the ids of ${ids.size} images begin like that`, {
      path: text,
      remedy: "Give more digits",
    });
  }

  #rows(sql: string, ...parameters: string[]): readonly PlatformRow[] {
    return this.#database.prepare(sql).all(this.namespace, ...parameters) as unknown as readonly PlatformRow[];
  }

  #config(digest: Digest): ParsedConfig {
    const known = this.#configs.get(digest);
    if (known !== undefined) return known;
    const row = this.#database.prepare("SELECT text FROM image_configs WHERE digest = ?").get(digest);
    const config = parseImageConfig((row?.["text"] as string | undefined) ?? "");
    const parsed = { config, layers: chainIds(config.diffIds) };
    if (this.#configs.size >= cacheLimit) this.#configs.clear();
    this.#configs.set(digest, parsed);
    return parsed;
  }

  /** The image, when this name stands for the target already, and that is unpacked for a platform that matches. */
  current(name: string, target: Digest, platform: Platform | undefined): ResolvedImage | undefined {
    // In one transaction: another process may remove the image between its row and its configuration.
    return this.#database.transaction(() => {
      const rows = this.#rows(`${selectNamed} AND i.name = ?2`, name);
      const row = bestRow(rows, platform ?? hostPlatform()) ?? bestRow(rows, platform);
      return row?.digest === target ? this.#resolved(row) : undefined;
    });
  }

  /** Records an image, in place of what the name stood for before, which dangles then. */
  put({ names, target, manifest, configDigest, configText, keys, now }: ImageRecord): void {
    const config = parseImageConfig(configText);
    const size = this.#layersSize(chainIds(config.diffIds));
    const platform = formatPlatform(config.platform);
    const run = (sql: string, ...values: (string | number)[]): void => void this.#database.prepare(sql).run(...values);
    this.#database.transaction(() => {
      for (const name of names)
        run(
          `INSERT INTO images (namespace, name, digest, media_type, size, created, updated)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT (namespace, name) DO UPDATE SET digest = excluded.digest, media_type = excluded.media_type,
        size = excluded.size, updated = excluded.updated`,
          this.namespace,
          name,
          target.digest,
          target.mediaType,
          target.size,
          now,
        );
      for (const name of names) this.#logName(name);
      run("INSERT OR IGNORE INTO image_configs (digest, text) VALUES (?, ?)", configDigest, configText);
      run(
        `INSERT OR REPLACE INTO image_platforms (namespace, digest, platform, manifest, config, size, created, used)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        this.namespace,
        target.digest,
        platform,
        manifest,
        configDigest,
        size,
        config.created ?? "",
        now,
      );
      for (const key of keys) {
        run(
          "INSERT OR IGNORE INTO image_keys (namespace, digest, key) VALUES (?, ?, ?)",
          this.namespace,
          target.digest,
          key,
        );
      }
    });
  }

  /** Bytes of an unpacked layer's tar stream, 0 when that is not known. */
  layerSize(chainId: Digest): number {
    return this.#layersSize([chainId]);
  }

  #layersSize(layers: readonly Digest[]): number {
    const select = this.#database.prepare("SELECT size FROM image_layers WHERE chain_id = ?");
    return layers.reduce((sum, layer) => sum + Number(select.get(layer)?.["size"] ?? 0), 0);
  }

  /** The same as text, with all fields that are not known here. */
  configText(id: Digest): string {
    const row = this.#database.prepare("SELECT text FROM image_configs WHERE digest = ?").get(id);
    return (row?.["text"] as string | undefined) ?? "";
  }

  /** Configuration of an image by its id, which a listing has. */
  configOf(id: Digest): ImageConfig {
    return this.#config(id).config;
  }

  /** Remembers how large an unpacked layer is. */
  setLayerSize(chainId: Digest, size: number): void {
    this.#database.prepare("INSERT OR REPLACE INTO image_layers (chain_id, size) VALUES (?, ?)").run(chainId, size);
  }

  /** Adds up anew how large the images of a target are, from their layers. */
  measure(target: Digest): void {
    for (const { config, platform } of this.#rows(selectTarget, target)) {
      this.#database
        .prepare("UPDATE image_platforms SET size = ? WHERE namespace = ? AND digest = ? AND platform = ?")
        .run(this.#layersSize(this.#config(config).layers), this.namespace, target, platform);
    }
  }

  /** Another name for what `target` is, in place of what that name stood for. */
  tag(name: string, image: ResolvedImage, now: number): void {
    this.#database.transaction(() => {
      this.#tag(name, image, now);
      this.#logName(name);
    });
  }

  #tag(name: string, image: ResolvedImage, now: number): void {
    this.#database
      .prepare(
        `INSERT INTO images (namespace, name, digest, media_type, size, created, updated) VALUES (
        ?1, ?2, ?3, COALESCE((SELECT media_type FROM images WHERE digest = ?3 LIMIT 1), ''),
        COALESCE((SELECT size FROM images WHERE digest = ?3 LIMIT 1), 0), ?4, ?4)
        ON CONFLICT (namespace, name) DO UPDATE SET digest = excluded.digest, media_type = excluded.media_type,
        size = excluded.size, created = excluded.created, updated = excluded.updated`,
      )
      .run(this.namespace, name, image.target, now);
  }

  /** All images, newest name first; dangling ones last. */
  list(): readonly ImageSummary[] {
    const rows = this.#database
      .prepare(
        `SELECT i.name, p.config, p.digest, p.platform, p.created, p.size, p.used, i.updated, i.pinned
        FROM image_platforms p LEFT JOIN images i ON i.namespace = p.namespace AND i.digest = p.digest
        WHERE p.namespace = ? ORDER BY i.updated DESC NULLS LAST, i.name, p.platform`,
      )
      .all(this.namespace);
    return rows.map((row) => ({
      name: (row["name"] as string | null) ?? undefined,
      id: row["config"] as Digest,
      target: row["digest"] as Digest,
      platform: row["platform"] as string,
      created: row["created"] as string,
      size: Number(row["size"]),
      used: Math.max(Number(row["used"]), Number(row["updated"] ?? 0)),
      pinned: row["pinned"] === 1,
    }));
  }

  /** Remembers that a container is made of an image, to the hour, so that this seldom writes. */
  noteUse({ target, platform }: Pick<ResolvedImage, "target" | "platform">, now: number): void {
    const where = [this.namespace, target, formatPlatform(platform)];
    const row = this.#database
      .prepare("SELECT used FROM image_platforms WHERE namespace = ? AND digest = ? AND platform = ?")
      .get(...where);
    if (row === undefined || Math.abs(now - Number(row["used"])) < useResolution) return;
    this.#database
      .prepare("UPDATE image_platforms SET used = ? WHERE namespace = ? AND digest = ? AND platform = ?")
      .run(now, ...where);
  }

  /** Keeps a name, and what it stands for, from being pruned; or lets go of it. False when there is no such name. */
  pin(name: string, pinned: boolean): boolean {
    return this.#database.transaction(() => {
      const { changes } = this.#database
        .prepare("UPDATE images SET pinned = ? WHERE namespace = ? AND name = ?")
        .run(pinned ? 1 : 0, this.namespace, name);
      if (Number(changes) > 0) this.#logName(name);
      return Number(changes) > 0;
    });
  }

  /** Everything that a target needs. */
  keys(target: Digest): readonly Key[] {
    const rows = this.#database
      .prepare("SELECT key FROM image_keys WHERE namespace = ? AND digest = ?")
      .all(this.namespace, target);
    return rows.map(({ key }) => key as Key);
  }

  /** What a name stands for. */
  targetOf(name: string): Digest | undefined {
    return this.#database
      .prepare("SELECT digest FROM images WHERE namespace = ? AND name = ?")
      .get(this.namespace, name)?.["digest"] as Digest | undefined;
  }

  /** Media type of what a name stands for; empty where it is not known. */
  mediaTypeOf(name: string): string {
    const row = this.#database
      .prepare("SELECT media_type FROM images WHERE namespace = ? AND name = ?")
      .get(this.namespace, name);
    return (row?.["media_type"] as string | undefined) ?? "";
  }

  /** Names of other images that have a blob too. */
  namesWith(key: Key): readonly string[] {
    const rows = this.#database
      .prepare(
        `SELECT i.name FROM image_keys k JOIN images i ON i.namespace = k.namespace AND i.digest = k.digest
        WHERE k.key = ? AND k.namespace = ? ORDER BY i.name`,
      )
      .all(key, this.namespace);
    return rows.map(({ name }) => name as string);
  }

  /** Names of a target, sorted. */
  names(target: Digest): readonly string[] {
    const rows = this.#database
      .prepare("SELECT name FROM images WHERE namespace = ? AND digest = ? ORDER BY name")
      .all(this.namespace, target);
    return rows.map(({ name }) => name as string);
  }

  /** Image ids and top snapshots of everything that was unpacked of a target. */
  idsAndTopLayers(target: Digest): readonly Digest[] {
    return this.#rows(selectTarget, target).flatMap(({ config }) => [
      config,
      this.#config(config).layers.at(-1) ?? config,
    ]);
  }

  /** Takes a name away; what it stood for stays. */
  untag(name: string): void {
    this.#database.transaction(() => {
      this.#database.prepare("DELETE FROM images WHERE namespace = ? AND name = ?").run(this.namespace, name);
      this.#logName(name);
    });
  }

  /** Notes beside the database what a name stands for now. */
  #logName(name: string): void {
    const select = "SELECT namespace, name, digest, media_type AS mediaType, size, pinned FROM images";
    const now = this.#database.prepare(`${select} WHERE namespace = ? AND name = ?`).get(this.namespace, name);
    const line = (now ?? { namespace: this.namespace, name }) as unknown as LoggedName;
    logName(this.#database.path, line, () => this.#database.prepare(select).all() as unknown as LoggedName[]);
  }

  /** Forgets a target without names, and gives the keys that it needed, top snapshots first. */
  forget(target: Digest): readonly Key[] {
    return this.#database.transaction(() => {
      const layers = this.#rows(selectTarget, target).flatMap(({ config }) =>
        this.#config(config).layers.toReversed().map(snapshotKey),
      );
      const keys = this.keys(target);
      for (const table of ["image_keys", "image_platforms"]) {
        this.#database.prepare(`DELETE FROM ${table} WHERE namespace = ? AND digest = ?`).run(this.namespace, target);
      }
      this.#database
        .prepare("DELETE FROM image_configs WHERE digest NOT IN (SELECT config FROM image_platforms)")
        .run();
      return [...new Set([...layers, ...keys])];
    });
  }

  /** Whether an image of any namespace needs a key. */
  isNeeded(key: Key): boolean {
    return this.#database.prepare("SELECT 1 FROM image_keys WHERE key = ? LIMIT 1").get(key) !== undefined;
  }
}

export function snapshotKey(chainId: Digest): Key {
  return `snapshot:${chainId}`;
}

/** The row that runs best; without a wanted platform one for another machine is better than none. */
function bestRow(rows: readonly PlatformRow[], platform: Platform | undefined): PlatformRow | undefined {
  if (rows.length === 1 && platform === undefined) return rows[0];
  const wanted = platform ?? hostPlatform();
  let best: PlatformRow | undefined;
  let bestDistance = Infinity;
  for (const row of rows) {
    const distance =
      platformDistance(wanted, parsePlatform(row.platform)) ?? (platform === undefined ? 1000 : Infinity);
    if (distance >= bestDistance) continue;
    best = row;
    bestDistance = distance;
  }
  return best;
}

/** An image's name as people write it. */
export function displayName(name: string): string {
  return familiarName(parseReference(name));
}
