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
const selectPlatforms = "SELECT i.name, p.digest, p.platform, p.manifest, p.config FROM image_platforms p";

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
  readonly #database: Database;
  readonly #configs = new Map<Digest, ParsedConfig>();

  constructor(database: Database) {
    this.#database = database;
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
    const rows = this.#rows(
      `${selectPlatforms} JOIN images i ON i.digest = p.digest WHERE i.name = ?`,
      recordName(reference),
    );
    if (rows.length > 0 || reference.digest === undefined) return rows;
    // Pulled by a tag, asked for by the digest that the tag stands for.
    const repository = repositoryName(reference);
    return this.#rows(
      `${selectPlatforms} JOIN images i ON i.digest = p.digest WHERE p.digest = ?`,
      reference.digest,
    ).filter(({ name }) => name !== null && repositoryName(parseReference(name)) === repository);
  }

  #findId(hex: string, text: string): readonly PlatformRow[] {
    const rows = this.#rows(
      `${selectPlatforms} LEFT JOIN images i ON i.digest = p.digest WHERE p.config >= ? AND p.config < ? ORDER BY i.name`,
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
    return this.#database.prepare(sql).all(...parameters) as unknown as readonly PlatformRow[];
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

  /** Whether this name stands for the target already, and that is unpacked for a platform that matches. */
  isCurrent(name: string, target: Digest, platform: Platform | undefined): boolean {
    const rows = this.#rows(`${selectPlatforms} JOIN images i ON i.digest = p.digest WHERE i.name = ?`, name);
    const row = bestRow(rows, platform ?? hostPlatform()) ?? bestRow(rows, platform);
    return row?.digest === target;
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
          `INSERT INTO images (name, digest, media_type, size, created, updated) VALUES (?1, ?2, ?3, ?4, ?5, ?5)
        ON CONFLICT (name) DO UPDATE SET digest = excluded.digest, media_type = excluded.media_type,
        size = excluded.size, updated = excluded.updated`,
          name,
          target.digest,
          target.mediaType,
          target.size,
          now,
        );
      run("INSERT OR IGNORE INTO image_configs (digest, text) VALUES (?, ?)", configDigest, configText);
      run(
        `INSERT OR REPLACE INTO image_platforms (digest, platform, manifest, config, size, created)
        VALUES (?, ?, ?, ?, ?, ?)`,
        target.digest,
        platform,
        manifest,
        configDigest,
        size,
        config.created ?? "",
      );
      for (const key of keys) run("INSERT OR IGNORE INTO image_keys (digest, key) VALUES (?, ?)", target.digest, key);
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

  /** Another name for what `target` is, in place of what that name stood for. */
  tag(name: string, image: ResolvedImage, now: number): void {
    this.#database
      .prepare(
        `INSERT OR REPLACE INTO images (name, digest, media_type, size, created, updated) VALUES (
        ?1, ?2, COALESCE((SELECT media_type FROM images WHERE digest = ?2 LIMIT 1), ''),
        COALESCE((SELECT size FROM images WHERE digest = ?2 LIMIT 1), 0), ?3, ?3)`,
      )
      .run(name, image.target, now);
  }

  /** All images, newest name first; dangling ones last. */
  list(): readonly ImageSummary[] {
    const rows = this.#database
      .prepare(
        `SELECT i.name, p.config, p.digest, p.platform, p.created, p.size FROM image_platforms p
        LEFT JOIN images i ON i.digest = p.digest ORDER BY i.updated DESC NULLS LAST, i.name, p.platform`,
      )
      .all();
    return rows.map((row) => ({
      name: (row["name"] as string | null) ?? undefined,
      id: row["config"] as Digest,
      target: row["digest"] as Digest,
      platform: row["platform"] as string,
      created: row["created"] as string,
      size: Number(row["size"]),
    }));
  }

  /** What a name stands for. */
  targetOf(name: string): Digest | undefined {
    return this.#database.prepare("SELECT digest FROM images WHERE name = ?").get(name)?.["digest"] as
      | Digest
      | undefined;
  }

  /** Names of other images that have a blob too. */
  namesWith(key: Key): readonly string[] {
    const rows = this.#database
      .prepare("SELECT i.name FROM image_keys k JOIN images i ON i.digest = k.digest WHERE k.key = ? ORDER BY i.name")
      .all(key);
    return rows.map(({ name }) => name as string);
  }

  /** Names of a target, sorted. */
  names(target: Digest): readonly string[] {
    const rows = this.#database.prepare("SELECT name FROM images WHERE digest = ? ORDER BY name").all(target);
    return rows.map(({ name }) => name as string);
  }

  /** Image ids and top snapshots of everything that was unpacked of a target. */
  idsAndTopLayers(target: Digest): readonly Digest[] {
    return this.#rows(`SELECT NULL AS name, * FROM image_platforms WHERE digest = ?`, target).flatMap(({ config }) => [
      config,
      this.#config(config).layers.at(-1) ?? config,
    ]);
  }

  /** Takes a name away; what it stood for stays. */
  untag(name: string): void {
    this.#database.prepare("DELETE FROM images WHERE name = ?").run(name);
  }

  /** Forgets a target without names, and gives the keys that it needed, top snapshots first. */
  forget(target: Digest): readonly Key[] {
    return this.#database.transaction(() => {
      const layers = this.#rows(`SELECT NULL AS name, * FROM image_platforms WHERE digest = ?`, target).flatMap(
        ({ config }) => this.#config(config).layers.toReversed().map(snapshotKey),
      );
      const rows = this.#database.prepare("SELECT key FROM image_keys WHERE digest = ?").all(target);
      this.#database.prepare("DELETE FROM image_keys WHERE digest = ?").run(target);
      this.#database.prepare("DELETE FROM image_platforms WHERE digest = ?").run(target);
      this.#database
        .prepare("DELETE FROM image_configs WHERE digest NOT IN (SELECT config FROM image_platforms)")
        .run();
      return [...new Set([...layers, ...rows.map(({ key }) => key as string)])];
    });
  }

  /** Whether an image needs a key. */
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
