/** One layer from its compressed bytes to its files: what is the same in this thread and in one of its own. */
import { applyLayer, type LayerStats } from "#archive";
import { failedPrecondition } from "#errdefs";
import type { Executor } from "#keel";
import type { Compression, Descriptor, Digest } from "#spec";
import { layerStream, type ImageLimits } from "./layer-stream.ts";

/** Plain data, so that it can be sent to a thread. */
export interface LayerJob {
  readonly layer: Descriptor;
  readonly compression: Compression;
  readonly diffId: Digest;
  readonly directory: string;
  readonly overlay: boolean;
  /** Flush the filesystem at the end. */
  readonly sync: boolean;
  readonly limits: ImageLimits;
}

export interface UnpackedLayer {
  readonly stats: LayerStats;
  /** Of the tar stream, in bytes. */
  readonly size: number;
}

/**
 * Reads the stream to its end, where it is verified, before anything counts as made.
 *
 * @throws SampanError like `layerStream` and `applyLayer`
 */
export async function unpackInto(
  { layer, compression, diffId, directory, overlay, sync, limits }: LayerJob,
  compressed: AsyncIterable<Uint8Array>,
  executor: Pick<Executor, "openLayer">,
): Promise<UnpackedLayer> {
  let size = 0;
  async function* counted(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      size += chunk.length;
      yield chunk;
    }
  }
  const tar = counted(layerStream(compressed, { layer, compression, diffId }, limits));
  await using sink = await executor.openLayer(directory, { overlay });
  const stats = await applyLayer(tar, sink, { sync, ...(limits.archive && { limits: limits.archive }) });
  // Thrown here, so that no snapshot is made of it.
  if (size === 0) throw failedPrecondition(`Cannot unpack layer "${layer.digest}": it has no content`);
  return { stats, size };
}
