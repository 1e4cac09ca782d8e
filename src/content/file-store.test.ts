import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { digestHex } from "#spec";
import { openContentStore } from "./file-store.ts";
import { contentStoreSuite, describeBytes, sourceOf } from "./suite.ts";

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

function temporaryRoot(): string {
  const root = mkdtempSync(join(tmpdir(), "sampan-content-"));
  roots.push(root);
  return root;
}

contentStoreSuite("openContentStore", () => openContentStore(temporaryRoot()));

const bytes = Buffer.alloc(5000, "sampan");
const expected = describeBytes(bytes);

test("write() takes over the ingest of a dead process", async () => {
  const root = temporaryRoot();
  const store = openContentStore(root);
  const directory = join(root, "content/ingest");
  writeFileSync(join(directory, `${digestHex(expected.digest)}.999999999-1.1`), bytes.subarray(0, 1234));
  const offsets: number[] = [];
  await store.write(expected, (offset) => {
    offsets.push(offset);
    return sourceOf(bytes)(offset);
  });
  expect(offsets).toEqual([1234]);
  expect(readdirSync(directory)).toEqual([]);
});

test("write() discards an earlier ingest whose bytes are wrong", async () => {
  const root = temporaryRoot();
  const store = openContentStore(root);
  writeFileSync(join(root, "content/ingest", `${digestHex(expected.digest)}.partial`), "wrong");
  await expect(store.write(expected, sourceOf(bytes))).rejects.toMatchObject({ code: "data-loss" });
  await store.write(expected, sourceOf(bytes));
  expect(store.has(expected.digest)).toBe(true);
});

test("write() by two stores on one directory stores one blob", async () => {
  const root = temporaryRoot();
  const stores = [openContentStore(root), openContentStore(root)];
  await Promise.all(stores.map(async (store) => store.write(expected, sourceOf(bytes, 100))));
  expect(readdirSync(join(root, "content/blobs/sha256"))).toEqual([digestHex(expected.digest)]);
  expect(readdirSync(join(root, "content/ingest"))).toEqual([]);
});

test("readBytes() notices bytes that the disk changed", async () => {
  const root = temporaryRoot();
  const store = openContentStore(root);
  await store.write(expected, sourceOf(bytes));
  writeFileSync(join(root, "content/blobs/sha256", digestHex(expected.digest)), "other");
  await expect(store.readBytes(expected.digest, 10_000)).rejects.toMatchObject({ code: "data-loss" });
});
