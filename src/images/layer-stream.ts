import { createHash } from "node:crypto";
import { pipeline } from "node:stream";
import type { Transform } from "node:stream";
import type { ArchiveLimits } from "#archive";
import { dataLoss, resourceExhausted, type SampanError } from "#errdefs";
import { defaultDocumentSize, digestAlgorithm, digestHex, type Compression, type Descriptor, type Digest } from "#spec";

/** Bounds on what a layer may unpack to. */
export interface LayerLimits {
  /** Largest tar stream in bytes. */
  readonly size: number;
  /** Largest tar stream as a multiple of the compressed layer… */
  readonly ratio: number;
  /** …from this many bytes on. */
  readonly ratioFrom: number;
}

/** Bounds on images. */
export interface ImageLimits extends LayerLimits {
  /** Largest manifest, index or configuration in bytes; never more than 64 MiB. */
  readonly documentSize: number;
  /** Most layers. */
  readonly layers: number;
  /** Of the layers' archives: entries, names, headers and so on. */
  readonly archive?: Partial<ArchiveLimits>;
}

/** gzip cannot reach more than 1032:1, zstd can; files with holes come near either. */
export const defaultLimits: ImageLimits = {
  size: 64 * 2 ** 30,
  ratio: 1000,
  ratioFrom: 256 * 2 ** 20,
  documentSize: defaultDocumentSize,
  // overlayfs takes 500 below one mount, of which one is for mount points.
  layers: 499,
};

/** As fast as more, and four layers at once have several of them. */
const chunkSize = 256 * 1024;

/**
 * Decompresses a layer and verifies that it is the one that the configuration names. zlib works in threads of the pool,
 * so that several layers are decompressed at once.
 *
 * @returns the tar stream's chunks, each of which stays as it is until the next one is asked for; when it ends without an error, the whole is verified
 * @throws SampanError `data-loss` when the compressed data is damaged or the diff id is another, `resource-exhausted`
 * when it is larger than `limits` allow; whatever `compressed` throws
 */
export async function* layerStream(
  compressed: AsyncIterable<Uint8Array>,
  { layer, compression, diffId }: { layer: Descriptor; compression: Compression; diffId: Digest },
  limits: LayerLimits,
): AsyncGenerator<Uint8Array, void, void> {
  const limit = Math.min(limits.size, Math.max(limits.ratioFrom, layer.size * limits.ratio));
  const hash = createHash(digestAlgorithm(diffId));
  const damaged = (cause: unknown): SampanError =>
    dataLoss(`Cannot unpack layer "${layer.digest}": its ${compression} data is damaged`, {
      path: layer.digest,
      remedy: "The image is damaged; push it again",
      cause,
    });
  let size = 0;
  for await (const chunk of decompress(compressed, compression, damaged, true)) {
    size += chunk.length;
    if (size > limit) {
      throw resourceExhausted(`Cannot unpack layer "${layer.digest}": it unpacks to more than ${limit} bytes`, {
        path: layer.digest,
        remedy: "Don't use this image: the layer is made to fill the disk",
      });
    }
    hash.update(chunk);
    yield chunk;
  }
  const actual = hash.digest("hex");
  if (actual === digestHex(diffId)) return;
  throw dataLoss(
    `Cannot unpack layer "${layer.digest}": its content must have digest ${diffId}, but it has ${actual}`,
    { path: layer.digest, remedy: "The image is damaged; push it again" },
  );
}

/**
 * Gives a decoder's buffer back once its last part was used. Left to the garbage collector, memory outside of its heap makes
 * it run for each 64 MiB that pass.
 */
function release({ buffer, byteOffset, length }: Uint8Array): void {
  if (length > 0 && byteOffset + length === buffer.byteLength && buffer.byteLength === chunkSize) {
    (buffer as ArrayBuffer).transfer(0);
  }
}

/**
 * Decompresses in threads of the pool.
 *
 * @param damaged makes the error for what is no such data
 * @param fleeting the caller is done with a chunk when it asks for the next one: its memory is given back then
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
  damaged: (cause: unknown) => SampanError,
  fleeting = false,
): AsyncGenerator<Uint8Array> {
  if (compression === "none") {
    yield* source;
    return;
  }
  const zlib = await import("node:zlib");
  const decoder: Transform =
    compression === "gzip" ? zlib.createGunzip({ chunkSize }) : zlib.createZstdDecompress({ chunkSize });
  // Ends the source when the decoder is destroyed, and the decoder when the source fails.
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  pipeline(source, decoder, () => resolve());
  try {
    for await (const chunk of decoder) {
      yield chunk as Uint8Array;
      if (fleeting) release(chunk as Uint8Array);
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (!/^(?:Z_|ZSTD_|ERR_ZSTD|ERR_ZLIB)/.test(code)) throw error;
    throw damaged(error);
  } finally {
    decoder.destroy();
    await ended;
  }
}
