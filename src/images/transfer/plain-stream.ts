/** An archive from outside, which may be compressed. */
import { dataLoss, invalidArgument, resourceExhausted, type SampanError } from "#errdefs";
import type { Compression } from "#spec";
import { decompress, defaultLimits as layerLimits } from "../layer-stream.ts";

const magics: readonly (readonly [Compression, Uint8Array])[] = [
  ["gzip", Uint8Array.of(0x1f, 0x8b)],
  ["zstd", Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd)],
];
const xz = Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00);
const bzip2 = Uint8Array.of(0x42, 0x5a, 0x68);

/**
 * The bytes of an archive, decompressed when they are gzip or zstd.
 *
 * @param action continues `Cannot`, for messages
 * @throws SampanError `data-loss` (damaged), `invalid-argument` (compressed with something else), `resource-exhausted` (made
 * to fill the disk)
 */
export async function* plainStream(stream: AsyncIterable<Uint8Array>, action: string): AsyncGenerator<Uint8Array> {
  const damaged = (cause: unknown): SampanError =>
    dataLoss(`Cannot ${action}: its compressed data is damaged`, { cause });
  const { compression, all } = await sniff(stream, action);
  yield* bounded(all, action, (source) => decompress(source, compression, damaged));
}

/** Tells how a stream is compressed by its first bytes. */
export async function sniff(
  stream: AsyncIterable<Uint8Array>,
  action: string,
): Promise<{ readonly compression: Compression; readonly all: AsyncIterable<Uint8Array> }> {
  const chunks = stream[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  for (let size = 0; size < xz.length;) {
    const { done, value } = await chunks.next();
    if (done === true) break;
    first.push(value);
    size += value.length;
  }
  const start = Buffer.concat(first).subarray(0, xz.length);
  const begins = (magic: Uint8Array): boolean => start.subarray(0, magic.length).equals(magic);
  if (begins(xz) || begins(bzip2)) {
    throw invalidArgument(`Cannot ${action}: it is compressed with ${begins(xz) ? "xz" : "bzip2"}`, {
      remedy: "Decompress it first; gzip, zstd and none are known",
    });
  }
  const compression = magics.find(([, magic]) => begins(magic))?.[0] ?? "none";
  const all = async function* all(): AsyncGenerator<Uint8Array> {
    try {
      yield* first;
      for (;;) {
        const { done, value } = await chunks.next();
        if (done === true) return;
        yield value;
      }
    } finally {
      await chunks.return?.();
    }
  };
  return { compression, all: all() };
}

/** Refuses what is made to fill the disk. */
async function* bounded(
  stream: AsyncIterable<Uint8Array>,
  action: string,
  inflate: (source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let read = 0;
  let given = 0;
  const counted = async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of stream) {
      read += chunk.length;
      yield chunk;
    }
  };
  for await (const chunk of inflate(counted())) {
    given += chunk.length;
    if (given > Math.max(layerLimits.ratioFrom, read * layerLimits.ratio)) {
      throw resourceExhausted(`Cannot ${action}: it unpacks to more than ${layerLimits.ratio} times its size`, {
        remedy: "Don't use it: it is made to fill the disk",
      });
    }
    yield chunk;
  }
}
