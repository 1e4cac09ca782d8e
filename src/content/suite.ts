import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Digest } from "#spec";
import type { BlobSource, ContentStore, Expected } from "./store.ts";

/** Blob's name and size. */
export function describeBytes(bytes: Uint8Array): Expected {
  return { digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest, size: bytes.length };
}

/** A source that gives the bytes in chunks of `chunk` bytes, and throws `failure` after `failAt` bytes of the blob. */
export function sourceOf(bytes: Uint8Array, chunk = 1000, failAt = Infinity, failure?: Error): BlobSource {
  return async function* read(offset) {
    for (let position = offset; position < bytes.length; position += chunk) {
      if (position >= failAt) throw failure ?? new Error("broken");
      yield bytes.subarray(position, position + chunk);
    }
  };
}

const neverAsked: BlobSource = () => {
  throw new Error("asked");
};

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What every content store must do; `open` gives an empty one. */
export function contentStoreSuite(name: string, open: () => ContentStore): void {
  const bytes = Buffer.from(Array.from({ length: 10_000 }, (_, index) => (index * 7) % 251));
  const expected = describeBytes(bytes);

  describe(`ContentStore of ${name}`, () => {
    test("write() makes a blob visible, which reads give back", async () => {
      const store = open();
      expect(store.has(expected.digest)).toBe(false);
      await store.write(expected, sourceOf(bytes));
      expect(store.size(expected.digest)).toBe(10_000);
      expect(await store.readBytes(expected.digest, 10_000)).toEqual(bytes);
      expect(await collect(store.openRead(expected.digest))).toEqual(bytes);
      expect([...store.list()]).toEqual([expected.digest]);
    });

    test("write() does not ask the source for a blob that is there", async () => {
      const store = open();
      await store.write(expected, sourceOf(bytes));
      await expect(store.write(expected, neverAsked)).resolves.toBeUndefined();
    });

    test("write() takes an empty blob", async () => {
      const store = open();
      const empty = describeBytes(new Uint8Array());
      await store.write(empty, sourceOf(new Uint8Array()));
      expect(await store.readBytes(empty.digest, 0)).toHaveLength(0);
    });

    test("write() refuses other, fewer and more bytes, and keeps nothing of them", async () => {
      const store = open();
      const other = Buffer.from(bytes);
      other[5000] = 0xff;
      await expect(store.write(expected, sourceOf(other))).rejects.toMatchObject({ code: "data-loss" });
      await expect(store.write(expected, sourceOf(bytes.subarray(0, 9000)))).rejects.toMatchObject({
        code: "data-loss",
      });
      await expect(store.write(expected, sourceOf(Buffer.concat([bytes, bytes])))).rejects.toMatchObject({
        code: "data-loss",
      });
      expect(store.has(expected.digest)).toBe(false);
      expect(store.cleanIngests(0).count).toBe(0);
    });

    test("write() goes on where an interrupted one stopped", async () => {
      const store = open();
      await expect(store.write(expected, sourceOf(bytes, 1000, 4000))).rejects.toThrow("broken");
      expect(store.has(expected.digest)).toBe(false);
      const offsets: number[] = [];
      await store.write(expected, (offset) => {
        offsets.push(offset);
        return sourceOf(bytes)(offset);
      });
      expect(offsets).toEqual([4000]);
      expect(await store.readBytes(expected.digest, 10_000)).toEqual(bytes);
    });

    test("tee() gives all bytes, also those of an interrupted ingest", async () => {
      const store = open();
      const first = store.tee(expected, sourceOf(bytes));
      await first.next();
      await first.next();
      await first.return();
      expect(await collect(store.tee(expected, sourceOf(bytes)))).toEqual(bytes);
      expect(store.has(expected.digest)).toBe(true);
      expect(await collect(store.tee(expected, sourceOf(bytes)))).toEqual(bytes);
    });

    test("tee() by several callers asks the source once", async () => {
      const store = open();
      let asked = 0;
      const source: BlobSource = (offset) => {
        asked += 1;
        return sourceOf(bytes)(offset);
      };
      const all = await Promise.all([1, 2, 3].map(() => collect(store.tee(expected, source))));
      expect(all).toEqual([bytes, bytes, bytes]);
      expect(asked).toBe(1);
    });

    test("tee() of a waiting caller tries itself when the first one fails", async () => {
      const store = open();
      const results = await Promise.allSettled([
        collect(store.tee(expected, sourceOf(bytes, 1000, 3000))),
        collect(store.tee(expected, sourceOf(bytes))),
      ]);
      expect(results.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
    });

    test("add() stores bytes under the digest that it finds", async () => {
      const store = open();
      expect(await store.add(sourceOf(bytes)(0))).toEqual(expected);
      expect(await store.readBytes(expected.digest, 10_000)).toEqual(bytes);
      await expect(store.add(sourceOf(bytes, 10, 100)(0))).rejects.toThrow("broken");
      expect(store.cleanIngests(0).count).toBe(0);
    });

    test("readBytes() refuses a blob above the limit", async () => {
      const store = open();
      await store.write(expected, sourceOf(bytes));
      await expect(store.readBytes(expected.digest, 9999)).rejects.toMatchObject({ code: "resource-exhausted" });
    });

    test("delete() removes a blob once, and readers go on", async () => {
      const store = open();
      await store.write(expected, sourceOf(bytes));
      const reader = store.openRead(expected.digest)[Symbol.asyncIterator]();
      const first = await reader.next();
      expect(store.delete(expected.digest)).toBe(true);
      expect(store.delete(expected.digest)).toBe(false);
      expect(first.value).toHaveLength(10_000);
      expect((await reader.next()).done).toBe(true);
      await expect(store.readBytes(expected.digest, 10_000)).rejects.toMatchObject({ code: "not-found" });
      await expect(collect(store.openRead(expected.digest))).rejects.toMatchObject({ code: "not-found" });
    });

    test("forgetIngests() has the next write() begin anew", async () => {
      const store = open();
      await expect(store.write(expected, sourceOf(bytes, 1000, 4000))).rejects.toThrow("broken");
      store.forgetIngests(expected.digest);
      store.forgetIngests(expected.digest);
      expect(store.cleanIngests(0).count).toBe(0);
    });

    test("cleanIngests() removes what an interruption left, by age", async () => {
      const store = open();
      await expect(store.write(expected, sourceOf(bytes, 1000, 4000))).rejects.toThrow("broken");
      expect(store.cleanIngests(60_000).count).toBe(0);
      expect(store.cleanIngests(0).count).toBe(1);
    });
  });
}
