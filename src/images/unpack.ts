import type { BlobSource, ContentStore } from "#content";
import { invalidArgument, isSampanError, resourceExhausted, SampanError, unsupported } from "#errdefs";
import type { Executor } from "#keel";
import { chainIds, type Snapshotter } from "#snapshots";
import {
  isConfigMediaType,
  isForeignLayerMediaType,
  layerCompression,
  type Compression,
  type Descriptor,
  type Digest,
  type ImageConfig,
  type ImageManifest,
} from "#spec";
import type { ImageLimits } from "./layer-stream.ts";
import { unpackInto, type UnpackedLayer } from "./layer-work.ts";
import type { Unflushed } from "./unflushed.ts";
import type { UnpackThreads } from "./unpack-threads.ts";
import type { OnProgress, PullProgress, TransferStatus } from "./progress.ts";

/** What unpacking works with. */
export interface UnpackTools {
  readonly content: ContentStore;
  readonly snapshotter: Snapshotter;
  readonly executor: Pick<Executor, "openLayer">;
  readonly limits: ImageLimits;
  /** Layers that are unpacked at once; the disk and two or three cores are busy with four. */
  readonly parallel: number;
  /** Bytes of compressed layers from which on threads of their own unpack them; never without it. They start keel themselves. */
  readonly threadsFrom?: number | undefined;
  /** Where nobody waits for the disk: gets what is visible before it is flushed. */
  readonly unflushed?: Unflushed | undefined;
}

/** One layer to unpack. */
export interface Layer {
  readonly descriptor: Descriptor;
  readonly compression: Compression;
  readonly diffId: Digest;
  readonly chainId: Digest;
  readonly parent: Digest | undefined;
}

/**
 * Checks that a manifest and its configuration describe one image that can be unpacked here.
 *
 * @throws SampanError `unsupported`, `invalid-argument`, `resource-exhausted`
 */
export function planLayers(
  name: string,
  manifest: ImageManifest,
  config: ImageConfig,
  limits: Pick<ImageLimits, "layers">,
): readonly Layer[] {
  const action = `Cannot unpack image "${name}"`;
  const { layers } = manifest;
  const { diffIds } = config;
  if (layers.length !== diffIds.length) {
    throw invalidArgument(
      `${action}: its manifest has ${layers.length} layers, its configuration ${diffIds.length} diff ids`,
      { path: name, remedy: "The image is damaged; push it again" },
    );
  }
  if (layers.length > limits.layers) {
    throw resourceExhausted(`${action}: it has ${layers.length} layers, at most ${limits.layers} are allowed`, {
      path: name,
      remedy: "Use an image whose layers are squashed to fewer",
    });
  }
  const chain = chainIds(diffIds);
  return layers.map((descriptor, index) => {
    const compression = layerCompression(descriptor.mediaType);
    if (compression === undefined) {
      const foreign = isForeignLayerMediaType(descriptor.mediaType);
      throw unsupported(
        foreign
          ? `${action}: layer ${descriptor.digest} is held elsewhere, by a foreign URL`
          : `${action}: layer ${descriptor.digest} has media type "${descriptor.mediaType}"`,
        { path: name, remedy: "Use an image whose registry holds all its layers, as tar, gzip or zstd" },
      );
    }
    const diffId = diffIds[index] as Digest;
    return { descriptor, compression, diffId, chainId: chain[index] as Digest, parent: chain[index - 1] };
  });
}

/** @throws SampanError `unsupported` when a manifest belongs to something else than a container image */
export function checkIsImage(name: string, manifest: ImageManifest): void {
  if (isConfigMediaType(manifest.config.mediaType)) return;
  throw unsupported(
    `Cannot use "${name}" as a container image: it is an artifact of type "${manifest.config.mediaType}"`,
    { path: name },
  );
}

/**
 * Gets the layers that have no snapshot yet, several side by side: each is downloaded, verified, decompressed, verified
 * again by its diff id and unpacked in one pass. A snapshot becomes visible only when all of that went well.
 *
 * @param source where a blob that is not in the store comes from
 * @param onLayer called with each newly made snapshot and the size of its tar stream in bytes
 * @throws the first failure; the other layers are stopped then, and have ended
 */
export async function unpackLayers(
  layers: readonly Layer[],
  tools: UnpackTools,
  source: (descriptor: Descriptor, signal: AbortSignal) => BlobSource,
  options: {
    onProgress?: OnProgress | undefined;
    /** What progress is called; `pulling` by default. */
    status?: TransferStatus;
    onLayer: (chainId: Digest, size: number) => void;
    /** Told of a layer whose bytes were wrong: whether it is worth another try. */
    distrust?: ((descriptor: Descriptor) => Promise<boolean>) | undefined;
    signal: AbortSignal;
  },
): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const report = (layer: Layer, status: PullProgress["status"], current: number): void =>
    options.onProgress?.({ digest: layer.descriptor.digest, status, current, total: layer.descriptor.size });
  const missing: Layer[] = [];
  for (const layer of layers) {
    const exists = await tools.snapshotter.has(layer.chainId);
    report(layer, exists ? "exists" : "waiting", exists ? layer.descriptor.size : 0);
    if (!exists) missing.push(layer);
  }

  const bytes = missing.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
  const large = tools.threadsFrom !== undefined && bytes >= tools.threadsFrom;
  await using threads = large
    ? (await import("./unpack-threads.ts")).UnpackThreads.start(Math.min(tools.parallel, missing.length))
    : undefined;
  let failure: { error: unknown } | undefined;
  // Shared by the workers, and bottom first: a snapshotter wants to know of a layer's parent before.
  const queue = missing.values();
  const worker = async (): Promise<void> => {
    for (const layer of queue) {
      try {
        const size = await retryDamaged(tools, layer.descriptor, options.distrust, async () => {
          let current = 0;
          const onBytes = (bytes: number): void => {
            current += bytes;
            report(layer, options.status ?? "pulling", current);
          };
          return await unpackLayer(layer, tools, threads, source(layer.descriptor, signal), onBytes, signal);
        });
        if (size !== undefined) options.onLayer(layer.chainId, size);
        report(layer, "done", layer.descriptor.size);
      } catch (error) {
        failure ??= { error };
        stop.abort();
      }
      if (failure !== undefined) return;
    }
  };
  await Promise.all(Array.from({ length: Math.min(tools.parallel, missing.length) }, worker));
  if (failure !== undefined) throw failure.error;
}

/** For `ContentStore.write` and `tee`. */
export function whenVisible(unflushed: Unflushed | undefined): ((digest: Digest) => void) | undefined {
  return unflushed && ((digest) => unflushed.mark("blob", digest));
}

/** Tries again as long as damaged bytes came from one of several places. */
export async function retryDamaged<T>(
  { content }: Pick<UnpackTools, "content">,
  descriptor: Descriptor,
  distrust: ((descriptor: Descriptor) => Promise<boolean>) | undefined,
  action: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await action();
    } catch (error) {
      if (!isSampanError(error, "data-loss") || (await distrust?.(descriptor)) !== true) throw error;
      // What came may have been refused before its end, and must not be gone on with.
      content.forgetIngests(descriptor.digest);
    }
  }
}

/** @returns size of the tar stream; undefined when another process has made the layer meanwhile */
async function unpackLayer(
  { descriptor, compression, diffId, chainId, parent }: Layer,
  { content, snapshotter, executor, limits, unflushed }: UnpackTools,
  threads: UnpackThreads | undefined,
  source: BlobSource,
  onBytes: (count: number) => void,
  signal: AbortSignal,
): Promise<number | undefined> {
  let unpacked: UnpackedLayer | undefined;
  await snapshotter.extract(chainId, parent, async (directory, { overlay }) => {
    const blob = counted(content.tee(descriptor, source, signal, whenVisible(unflushed)), onBytes);
    const sync = unflushed === undefined;
    const job = { layer: descriptor, compression, diffId, directory, overlay, sync, limits };
    try {
      unpacked = await (threads === undefined ? unpackInto(job, blob, executor) : threads.unpack(job, blob));
    } catch (error) {
      throw aboutLayer(error, descriptor);
    }
    unflushed?.mark("layer", chainId);
    return unpacked.stats;
  });
  return unpacked?.size;
}

/** Neither the archive nor what writes its entries knows which layer it is. */
function aboutLayer(error: unknown, { digest }: Descriptor): unknown {
  if (!isSampanError(error) || error.message.includes(digest)) return error;
  // Those are of the registry and of the caller, and say whose.
  if (error.code === "unavailable" || error.code === "cancelled") return error;
  const reason = error.message.replace(/^Cannot unpack the layer: /, "").replace(/^Cannot /, "cannot ");
  const remedy =
    error.code === "data-loss" || error.code === "invalid-argument"
      ? { remedy: "The image is damaged; push it again" }
      : {};
  return new SampanError(error.code, `Cannot unpack layer "${digest}": ${reason}`, {
    ...remedy,
    ...error.fields,
    cause: error,
  });
}

async function* counted(source: AsyncIterable<Uint8Array>, count: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    count(chunk.length);
    yield chunk;
  }
}
