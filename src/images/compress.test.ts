import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Compression } from "#spec";
import { compress } from "./compress.ts";

async function* chunks(data: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

async function all(data: Uint8Array, compression: Compression, size = 64 * 1024): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of compress(chunks(data, size), compression)) parts.push(part);
  return Buffer.concat(parts);
}

const data = Buffer.concat([Buffer.alloc(1_500_000, "text "), randomBytes(700_000), Buffer.alloc(3_000_000)]);

describe("compress()", () => {
  it("gives one stream for all blocks, as others read it", async () => {
    expect(gunzipSync(await all(data, "gzip")).equals(data)).toBe(true);
    expect(zstdDecompressSync(await all(data, "zstd")).equals(data)).toBe(true);
    expect((await all(data, "none")).equals(data)).toBe(true);
    expect(gunzipSync(await all(Buffer.alloc(0), "gzip")).length).toBe(0);
  });

  it("gives the same bytes however the source is cut", async () => {
    const one = await all(data, "gzip");
    expect(one.length).toBeLessThan(data.length / 2);
    expect((await all(data, "gzip", 1_048_576)).equals(one)).toBe(true);
    expect((await all(data, "gzip", 5_000_000)).equals(one)).toBe(true);
    expect((await all(data, "gzip", 999)).equals(one)).toBe(true);
  });

  it("reads on only as far as it compresses", async () => {
    let read = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        read += 1;
        yield Buffer.alloc(1024 * 1024);
      }
    }
    let taken = 0;
    for await (const _ of compress(endless(), "zstd")) {
      void _;
      taken += 1;
      if (taken === 20) break;
    }
    expect(read).toBeLessThanOrEqual(25);
  });

  it("passes the source's failure on", async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(3 * 1024 * 1024);
      await Promise.reject(new Error("broken"));
    }
    await expect(
      (async () => {
        for await (const _ of compress(broken(), "gzip")) void _;
      })(),
    ).rejects.toThrow("broken");
  });
});
