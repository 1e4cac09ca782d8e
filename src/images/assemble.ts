/** A new image of an existing one's layers and one more: of a container's changes, or of an archive. */
import { createHash } from "node:crypto";
import type { ContentStore, Expected } from "#content";
import { cancelled, fromSystemError, isSampanError } from "#errdefs";
import {
  isForeignLayerMediaType,
  layerCompression,
  maxDocumentSize,
  mediaTypes,
  parseImageConfig,
  parseManifest,
  type Compression,
  type Descriptor,
  type Digest,
} from "#spec";
import { compress } from "./compress.ts";
import { deleteKeys } from "./garbage.ts";
import { snapshotKey, type ResolvedImage } from "./image-store.ts";
import { Lease, type Key } from "./leases.ts";
import type { RemoveTools } from "./remove.ts";
import { planLayers, unpackLayers, type UnpackTools } from "./unpack.ts";

export interface AssembleRequest {
  /** Continues `Cannot`, for messages. */
  readonly action: string;
  readonly base: ResolvedImage | undefined;
  /** The layer, a tar archive. */
  readonly tar: AsyncIterable<Uint8Array>;
  readonly compression: Compression;
  /** The configuration's text, with the digest of the uncompressed layer as the last of its `diff_ids`. */
  readonly configText: (diffId: Digest) => string;
  /** Canonical names; without one the image dangles. */
  readonly names: readonly string[];
  readonly signal: AbortSignal;
}

const layerTypes: Readonly<Record<Compression, string>> = {
  none: mediaTypes.ociLayer,
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
};

/**
 * Stores the layer compressed, unpacks it, and records the image. When it fails nothing is left.
 *
 * @returns the image's id
 */
export async function assembleImage(request: AssembleRequest, tools: UnpackTools & RemoveTools): Promise<Digest> {
  const { signal, action } = request;
  using lease = new Lease(tools.database);
  const made: Key[] = [];
  try {
    const id = await assemble(request, tools, lease, made);
    made.length = 0;
    return id;
  } catch (error) {
    if (signal.aborted && !isSampanError(error))
      throw cancelled(`Cannot ${action}: it was cancelled`, { cause: error });
    throw fromSystemError(error) ?? error;
  } finally {
    await deleteKeys(lease.claim(made.toReversed()), tools);
  }
}

async function assemble(
  { base, tar, compression, configText, names, signal }: AssembleRequest,
  tools: UnpackTools & RemoveTools,
  lease: Lease,
  made: Key[],
): Promise<Digest> {
  const { content, store } = tools;
  const old = base === undefined ? [] : await layersOf(base, content, lease, signal);
  const add = async (mediaType: string, source: AsyncIterable<Uint8Array>): Promise<Descriptor> => {
    const { digest, size }: Expected = await content.add(source, async (key) => await lease.use([key], signal));
    made.push(digest);
    return { mediaType, digest, size };
  };

  const hash = createHash("sha256");
  const layer = await add(layerTypes[compression], compress(hashed(tar, hash, signal), compression));
  const diffId = `sha256:${hash.digest("hex")}` as Digest;
  const text = configText(diffId);
  const config = await add(mediaTypes.ociConfig, bytesOf(text));
  const manifestText = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config,
    layers: [...old, layer],
  });
  const target = await add(mediaTypes.ociManifest, bytesOf(manifestText));

  const layers = planLayers(
    names[0] ?? config.digest,
    parseManifest(manifestText),
    parseImageConfig(text),
    tools.limits,
  );
  await lease.use(
    layers.map(({ chainId }) => snapshotKey(chainId)),
    signal,
  );
  await unpackLayers(
    layers,
    tools,
    ({ digest }) =>
      () =>
        content.openRead(digest),
    {
      signal,
      onLayer: (chainId, size) => {
        made.push(snapshotKey(chainId));
        store.setLayerSize(chainId, size);
      },
    },
  );
  store.put({
    names,
    target,
    manifest: target.digest,
    configDigest: config.digest,
    configText: text,
    keys: [
      ...[target, config, ...old, layer].map(({ digest }) => digest),
      ...layers.map(({ chainId }) => snapshotKey(chainId)),
    ],
    now: Date.now(),
  });
  return config.digest;
}

/** Descriptors of an image's layers, with OCI's names for what they are. */
async function layersOf(
  image: ResolvedImage,
  content: ContentStore,
  lease: Lease,
  signal: AbortSignal,
): Promise<readonly Descriptor[]> {
  await lease.use([image.manifest, ...image.layers.map(snapshotKey)], signal);
  const text = new TextDecoder().decode(await content.readBytes(image.manifest, maxDocumentSize));
  const { layers } = parseManifest(text);
  await lease.use(
    layers.map(({ digest }) => digest),
    signal,
  );
  return layers.map((descriptor) => {
    const compression = layerCompression(descriptor.mediaType);
    if (compression === undefined || isForeignLayerMediaType(descriptor.mediaType)) return descriptor;
    return { ...descriptor, mediaType: layerTypes[compression] };
  });
}

async function* hashed(
  source: AsyncIterable<Uint8Array>,
  hash: ReturnType<typeof createHash>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    signal.throwIfAborted();
    hash.update(chunk);
    yield chunk;
  }
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
