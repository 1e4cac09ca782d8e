/** Looks for what is wrong with blobs, layers and images: bytes that are others, and what is needed and not there. */
import type { ContentStore } from "#content";
import { isSampanError } from "#errdefs";
import type { ChainId, Snapshotter } from "#snapshots";
import { chainIds } from "#snapshots";
import { maxDocumentSize, parseImageConfig, parseManifestDocument, type Digest } from "#spec";
import type { Database } from "./database.ts";
import { findGarbage } from "./garbage.ts";
import { compareLayer } from "./layer-compare.ts";
import type { ImageStore } from "./image-store.ts";

export type FindingKind =
  /** The database of images, or of containers. */
  | "damaged-database"
  /** A blob whose bytes have another digest, or cannot be read. */
  | "damaged-blob"
  /** A manifest or configuration that an image needs, or a layer's blob where the unpacked layer is not there either. */
  | "missing-blob"
  /** A layer's blob that is not there while the unpacked layer is: save and push fetch it when they need it. */
  | "absent-blob"
  /** A layer that an image needs. */
  | "missing-layer"
  /** A layer without its content, on top of nothing, or with files that are others than in its blob. */
  | "broken-layer"
  /** A container's writable layer that is not whole. */
  | "broken-snapshot"
  /** A container's writable layer whose container there is not. */
  | "orphaned-snapshot"
  | "orphaned-blob"
  | "orphaned-layer"
  /** Something in the store's directories that is none of it. */
  | "stranger";

export interface Finding {
  readonly kind: FindingKind;
  /** Digest of a blob, chain id of a layer, id of a container, or a path. */
  readonly key: string;
  /** In a few words. */
  readonly state: string;
  /** Names of the images that need it, of other namespaces with those before them. */
  readonly images: readonly string[];
}

/** Findings that say nothing against the store's health. */
export const harmless: ReadonlySet<FindingKind> = new Set(["absent-blob", "orphaned-blob", "orphaned-layer"]);

export interface CheckTools {
  readonly database: Database;
  readonly store: ImageStore;
  readonly content: ContentStore;
  readonly snapshotter: Snapshotter;
}

export interface CheckOptions {
  /** Do not read blobs, nor the files of layers: see only whether they are there. */
  readonly quick?: boolean;
  readonly onProgress?: ((key: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One unpacked platform of a target, in any namespace. */
export interface StoredImage {
  readonly namespace: string;
  readonly target: Digest;
  readonly platform: string;
  readonly manifest: Digest;
  readonly config: Digest;
  readonly configText: string;
  readonly names: readonly string[];
}

export function storedImages(database: Database): readonly StoredImage[] {
  const names = database.prepare("SELECT name FROM images WHERE namespace = ? AND digest = ? ORDER BY name");
  return database
    .prepare(
      `SELECT p.*, c.text FROM image_platforms p LEFT JOIN image_configs c ON c.digest = p.config
      ORDER BY p.namespace, p.digest, p.platform`,
    )
    .all()
    .map((row) => ({
      namespace: row["namespace"] as string,
      target: row["digest"] as Digest,
      platform: row["platform"] as string,
      manifest: row["manifest"] as Digest,
      config: row["config"] as Digest,
      configText: (row["text"] as string | null) ?? "",
      names: names.all(row["namespace"] as string, row["digest"] as string).map(({ name }) => name as string),
    }));
}

/** Reads everything, unless `quick`; changes nothing. Safe while others work, whose blobs on the way it does not see. */
export async function checkStore(tools: CheckTools, options: CheckOptions = {}): Promise<readonly Finding[]> {
  const { database, content, snapshotter } = tools;
  const images = storedImages(database);
  const users = new Users(database, tools.store.namespace);
  const findings: Finding[] = [];
  const add = (kind: FindingKind, key: string, state: string): void =>
    void findings.push({ kind, key, state, images: users.of(key) });

  for (const path of content.strangers()) add("stranger", path, "its name is no digest");
  const damaged = new Set<Digest>();
  for (const digest of options.quick === true ? [] : content.list()) {
    options.onProgress?.(digest);
    const state = await content.verify(digest, options.signal).catch(ifNotFound);
    if (state === undefined) continue;
    damaged.add(digest);
    add("damaged-blob", digest, state);
  }

  const problems = await snapshotter.problems();
  const broken = new Set(problems.map(({ key }) => key));
  for (const { key, kind, state } of problems) {
    if (kind === "snapshot") add("broken-snapshot", key, state);
    else if (key.includes(":")) add("broken-layer", key, state);
    else add("stranger", key, state);
  }
  const checked = new Set<string>();
  const once = (key: string): boolean => checked.size < checked.add(key).size;
  for (const image of images) {
    for (const digest of [image.target, image.manifest, image.config]) {
      if (!content.has(digest) && once(digest)) add("missing-blob", digest, "a manifest or configuration is missing");
    }
    const layers = await layersOf(image, content);
    for (const { blob, diffId, chainId } of layers) {
      const exists = await snapshotter.has(chainId);
      if (!exists && once(chainId)) add("missing-layer", chainId, "it is missing");
      if (blob === undefined) continue;
      if (!content.has(blob.digest)) {
        if (!once(blob.digest)) continue;
        if (exists) add("absent-blob", blob.digest, "it was unpacked from another image, or removed");
        else add("missing-blob", blob.digest, "a layer's blob is missing");
      } else if (exists && options.quick !== true && !damaged.has(blob.digest) && !broken.has(chainId)) {
        const directory = snapshotter.contentOf(chainId);
        if (directory === undefined || !once(chainId)) continue;
        options.onProgress?.(chainId);
        const state = await compareLayer(directory, content.openRead(blob.digest), { ...blob, diffId }, options.signal);
        if (state !== undefined) add("broken-layer", chainId, state);
      }
    }
  }
  for (const key of await findGarbage(tools)) {
    const layer = key.startsWith("snapshot:") ? key.slice("snapshot:".length) : undefined;
    if (damaged.has(key as Digest) || broken.has(layer ?? key)) continue;
    add(layer === undefined ? "orphaned-blob" : "orphaned-layer", layer ?? key, "nothing needs it");
  }
  return findings;
}

interface StoredLayer {
  readonly chainId: ChainId;
  readonly diffId: Digest;
  /** Undefined when the manifest is missing. */
  readonly blob: { readonly digest: Digest; readonly mediaType: string; readonly size: number } | undefined;
}

/** Layers of an image, by its configuration in the database and its manifest, as far as that can be read. */
async function layersOf({ manifest, configText }: StoredImage, content: ContentStore): Promise<readonly StoredLayer[]> {
  let diffIds: readonly Digest[] = [];
  try {
    diffIds = parseImageConfig(configText).diffIds;
  } catch (error) {
    if (!isSampanError(error)) throw error;
  }
  let blobs: readonly StoredLayer["blob"][] = [];
  try {
    const text = new TextDecoder().decode(await content.readBytes(manifest, maxDocumentSize));
    const document = parseManifestDocument(text);
    if (document.kind === "manifest") blobs = document.manifest.layers;
  } catch (error) {
    if (!isSampanError(error)) throw error;
  }
  const chain = chainIds(diffIds);
  return chain.map((chainId, index) => ({ chainId, diffId: diffIds[index] as Digest, blob: blobs[index] }));
}

/** Which images need a key. */
class Users {
  readonly #database: Database;
  readonly #namespace: string;

  constructor(database: Database, namespace: string) {
    this.#database = database;
    this.#namespace = namespace;
  }

  of(key: string): readonly string[] {
    const rows = this.#database
      .prepare(
        `SELECT DISTINCT k.namespace, k.digest, i.name FROM image_keys k
        LEFT JOIN images i ON i.namespace = k.namespace AND i.digest = k.digest
        WHERE k.key = ?1 OR k.key = 'snapshot:' || ?1 ORDER BY k.namespace, i.name`,
      )
      .all(key);
    return rows.map(({ namespace, name, digest }) => {
      const shown = (name ?? digest) as string;
      return namespace === this.#namespace ? shown : `${namespace as string}/${shown}`;
    });
  }
}

function ifNotFound(error: unknown): undefined {
  // Somebody has removed it meanwhile.
  if (!isSampanError(error, "not-found")) throw error;
}
