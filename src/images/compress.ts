/** Compresses a layer on both processors: blocks of it side by side in threads of the pool, put together in their order. */
import type { Compression } from "#spec";

/** Bytes of a block: each becomes a gzip member or a zstd frame of its own, which every reader takes as one stream. */
const blockSize = 1024 * 1024;
/** Blocks that are compressed at once. */
const parallel = 4;

/**
 * The same bytes always become the same bytes.
 *
 * @returns chunks that stay as they are
 */
export async function* compress(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
): AsyncGenerator<Uint8Array, void, void> {
  if (compression === "none") {
    yield* source;
    return;
  }
  const zlib = await import("node:zlib");
  const one = (block: Uint8Array): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      const done = (error: Error | null, result: Uint8Array): void =>
        error === null ? resolve(result) : reject(error);
      if (compression === "gzip") zlib.gzip(block, { level: 6 }, done);
      else zlib.zstdCompress(block, done);
    });
  const running: Promise<Uint8Array>[] = [];
  let any = false;
  for await (const block of blocks(source)) {
    any = true;
    const compressed = one(block);
    // A failure is seen when its turn comes.
    compressed.catch(() => undefined);
    running.push(compressed);
    if (running.length < parallel) continue;
    const first = await running.shift();
    if (first !== undefined) yield first;
  }
  if (!any) running.push(one(new Uint8Array(0)));
  for (const compressed of running) yield await compressed;
}

async function* blocks(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    let left = chunk;
    while (size + left.length >= blockSize) {
      const part = left.subarray(0, blockSize - size);
      yield Buffer.concat([...parts, part], blockSize);
      left = left.subarray(part.length);
      parts = [];
      size = 0;
    }
    if (left.length === 0) continue;
    parts.push(left);
    size += left.length;
  }
  if (size > 0) yield Buffer.concat(parts, size);
}
