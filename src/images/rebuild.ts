/** Finds out again which images there are, from what is on disk, when the database was lost. */
import { isSampanError, notFound } from "#errdefs";
import {
  isConfigMediaType,
  maxDocumentSize,
  parseManifestDocument,
  type Descriptor,
  type Digest,
  type ManifestDocument,
} from "#spec";
import type { ContentStore } from "#content";
import type { Snapshotter } from "#snapshots";
import type { Database } from "./database.ts";
import { defaultNamespace, ImageStore } from "./image-store.ts";
import { installImage, type InstallTools } from "./install.ts";
import { Lease } from "./leases.ts";
import { restoreNamedLeases } from "./named-leases.ts";
import { readNames } from "./name-log.ts";
import type { ImageReader } from "./transfer/endpoints.ts";

export interface Rebuilt {
  /** Names with their namespace before them, unless that is the default one; the digest of what has none. */
  readonly images: readonly string[];
  /** Names of images of which something is not there any more. */
  readonly lost: readonly string[];
  /** Named leases, like images. */
  readonly leases: readonly string[];
}

export type RebuildTools = Omit<InstallTools, "store"> & {
  readonly database: Database;
  readonly snapshotter: Snapshotter;
};

/**
 * Records every image that is whole on disk: under the names that it had, and without one where that is not known. Layers
 * that are not unpacked are, where their blob is there; nothing is fetched.
 */
export async function rebuildImages(tools: RebuildTools, signal: AbortSignal): Promise<Rebuilt> {
  const { content, database } = tools;
  const documents = await readDocuments(content);
  const children = new Set<Digest>();
  for (const document of documents.values()) {
    if (document.kind === "index") for (const { digest } of document.index.manifests) children.add(digest);
  }
  // Before anything else may take what they keep for garbage.
  const leases = restoreNamedLeases(database).map(({ namespace, id }) => inNamespace(namespace, id));
  const images: string[] = [];
  const lost: string[] = [];
  const named = new Set<Digest>();
  for (const { namespace, name, digest, mediaType, size, pinned } of readNames(database.path)) {
    named.add(digest);
    const shown = inNamespace(namespace, name);
    const found = await record(namespace, [name], { digest, mediaType, size }, documents, tools, signal);
    (found ? images : lost).push(shown);
    if (found && pinned === 1) new ImageStore(database, namespace).pin(name, true);
  }
  for (const [digest, document] of documents) {
    if (named.has(digest) || children.has(digest)) continue;
    const { mediaType } = document.kind === "index" ? document.index : document.manifest;
    const descriptor = { digest, mediaType, size: content.size(digest) ?? 0 };
    if (await record(defaultNamespace, [], descriptor, documents, tools, signal)) images.push(digest);
  }
  return { images, lost, leases };
}

const inNamespace = (namespace: string, name: string): string =>
  namespace === defaultNamespace ? name : `${namespace}/${name}`;

/** Manifests and indexes of container images among the blobs. */
async function readDocuments(content: ContentStore): Promise<ReadonlyMap<Digest, ManifestDocument>> {
  const documents = new Map<Digest, ManifestDocument>();
  for (const digest of content.list()) {
    if ((content.size(digest) ?? Infinity) > maxDocumentSize) continue;
    try {
      const bytes = await content.readBytes(digest, maxDocumentSize);
      // "{"
      if (bytes[0] !== 0x7b) continue;
      const document = parseManifestDocument(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
      if (document.kind === "manifest" && !isConfigMediaType(document.manifest.config.mediaType)) continue;
      documents.set(digest, document);
    } catch {
      // It is something else, a configuration for example, or damaged.
    }
  }
  return documents;
}

/** @returns whether at least one platform of it is whole */
async function record(
  namespace: string,
  names: readonly string[],
  target: Descriptor,
  documents: ReadonlyMap<Digest, ManifestDocument>,
  tools: RebuildTools,
  signal: AbortSignal,
): Promise<boolean> {
  const document = documents.get(target.digest);
  if (document === undefined) return false;
  const store = new ImageStore(tools.database, namespace);
  const platforms =
    document.kind === "manifest"
      ? [undefined]
      : document.index.manifests.flatMap(({ digest, platform }) => {
          const child = documents.get(digest);
          const isHere = child?.kind === "manifest" && tools.content.has(child.manifest.config.digest);
          return isHere && platform !== undefined ? [platform] : [];
        });
  let found = false;
  for (const platform of platforms) {
    using lease = new Lease(tools.database);
    const request = {
      names,
      shown: names[0] ?? target.digest,
      verb: "restore",
      status: "loading" as const,
      platform,
      onProgress: undefined,
      signal,
      keep: [...reachable(target.digest, documents)].filter((digest) => tools.content.has(digest)),
    };
    try {
      await installImage({ request, tools: { ...tools, store }, reader: nowhere, lease, made: [] }, target);
      found = true;
    } catch (error) {
      if (signal.aborted || !isSampanError(error)) throw error;
    }
  }
  if (found) await measureLayers(store, target.digest, tools);
  return found;
}

function* reachable(digest: Digest, documents: ReadonlyMap<Digest, ManifestDocument>): Iterable<Digest> {
  const seen = new Set<Digest>();
  const open = [digest];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    yield at;
    const document = documents.get(at);
    if (document?.kind === "index") open.push(...document.index.manifests.map((child) => child.digest));
    if (document?.kind === "manifest") {
      yield document.manifest.config.digest;
      for (const layer of document.manifest.layers) yield layer.digest;
    }
  }
}

/** How large the layers' archives were is not known any more: what they take on disk comes near it. */
async function measureLayers(store: ImageStore, target: Digest, { snapshotter }: RebuildTools): Promise<void> {
  for (const key of store.keys(target)) {
    if (!key.startsWith("snapshot:")) continue;
    const chainId = key.slice("snapshot:".length) as Digest;
    if (store.layerSize(chainId) > 0 || !(await snapshotter.has(chainId))) continue;
    store.setLayerSize(chainId, (await snapshotter.usage(chainId)).bytes);
  }
  store.measure(target);
}

/** What is not on disk is lost. */
const nowhere: ImageReader = {
  readManifest: async ({ digest }) => await Promise.reject(gone(digest)),
  // oxlint-disable-next-line require-yield -- it has none
  readBlob: async function* readBlob({ digest }) {
    await Promise.reject(gone(digest));
  },
};

function gone(digest: Digest): Error {
  return notFound(`Cannot restore the image: ${digest} is not on this machine`);
}
