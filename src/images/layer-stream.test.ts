import { createHash } from "node:crypto";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { isDigest, mediaTypes, type Compression, type Descriptor, type Digest } from "#spec";
import { layerStream, type LayerLimits } from "./layer-stream.ts";

const limits: LayerLimits = { size: 10_000_000, ratio: 1000, ratioFrom: 1_000_000 };
const tar = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * index) % 241));

function digestOf(bytes: Uint8Array): Digest {
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  if (!isDigest(digest)) throw new Error("no digest");
  return digest;
}

function withWrongChecksum(bytes: Buffer): Buffer {
  bytes.writeUInt32LE(0, bytes.length - 8);
  return bytes;
}

interface Options {
  readonly diffId?: Digest;
  readonly limits?: LayerLimits;
  readonly source?: AsyncIterable<Uint8Array>;
}

async function* chunked(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
}

function open(compressed: Uint8Array, compression: Compression, options: Options = {}) {
  const layer: Descriptor = { mediaType: mediaTypes.ociLayer, digest: digestOf(compressed), size: compressed.length };
  const diffId = options.diffId ?? digestOf(tar);
  return layerStream(options.source ?? chunked(compressed), { layer, compression, diffId }, options.limits ?? limits);
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

describe("layerStream", () => {
  const half = [tar.subarray(0, 1000), tar.subarray(1000)];
  const skippable = Buffer.from("502a4d1804000000deadbeef", "hex");
  test.each<[string, Compression, Uint8Array]>([
    ["plain", "none", tar],
    ["gzip", "gzip", gzipSync(tar)],
    ["gzip of several members", "gzip", Buffer.concat(half.map((part) => gzipSync(part)))],
    ["zstd", "zstd", zstdCompressSync(tar)],
    [
      "zstd of several frames, some to be skipped",
      "zstd",
      Buffer.concat([skippable, ...half.map((part) => zstdCompressSync(part)), skippable]),
    ],
  ])("gives the tar stream of a layer that is %s", async (_, compression, bytes) => {
    expect((await collect(open(bytes, compression))).equals(tar)).toBe(true);
  });

  test.each<[string, Compression, Uint8Array]>([
    ["gzip cut short", "gzip", gzipSync(tar).subarray(0, -20)],
    ["gzip with a wrong checksum", "gzip", withWrongChecksum(gzipSync(tar))],
    ["no gzip", "gzip", tar],
    ["zstd cut short", "zstd", zstdCompressSync(tar).subarray(0, -20)],
    ["no zstd", "zstd", tar],
    ["empty gzip", "gzip", new Uint8Array()],
  ])("refuses a layer that is %s", async (_, compression, bytes) => {
    await expect(collect(open(bytes, compression))).rejects.toMatchObject({ code: "data-loss" });
  });

  test("refuses content that is not that of the diff id, at its end", async () => {
    const diffId = digestOf(Buffer.from("other"));
    await expect(collect(open(gzipSync(tar), "gzip", { diffId }))).rejects.toMatchObject({
      code: "data-loss",
      message: expect.stringContaining(`its content must have digest ${diffId}, but it has ${digestOf(tar).slice(7)}`),
    });
  });

  test("stops a layer that unpacks to more than the limits allow", async () => {
    const bomb = gzipSync(Buffer.alloc(5_000_000));
    const small = { ...limits, size: 100_000 };
    await expect(collect(open(bomb, "gzip", { limits: small }))).rejects.toMatchObject({
      code: "resource-exhausted",
      message: expect.stringContaining("it unpacks to more than 100000 bytes"),
    });
    const ratio = { size: 10_000_000, ratio: 100, ratioFrom: 1000 };
    await expect(collect(open(bomb, "gzip", { limits: ratio }))).rejects.toMatchObject({
      code: "resource-exhausted",
      message: expect.stringContaining(`it unpacks to more than ${bomb.length * 100} bytes`),
    });
  });

  test("passes on what the source throws, and ends the source when its reader stops", async () => {
    const bytes = gzipSync(tar);
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 100);
      throw new Error("gone");
    }
    await expect(collect(open(bytes, "gzip", { source: failing() }))).rejects.toThrow("gone");

    let ended = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield bytes;
      } finally {
        ended = true;
      }
    }
    for await (const _ of open(bytes, "gzip", { source: endless() })) break;
    expect(ended).toBe(true);
  });
});
