import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ContentStore } from "#content";
import type { SnapshotInfo, Snapshotter } from "#snapshots";
import type { Digest } from "#spec";
import { openDatabase, type Database } from "./database.ts";
import { collectGarbage } from "./garbage.ts";
import { ImageStore } from "./image-store.ts";
import { Lease } from "./leases.ts";
import { NamedLeases } from "./named-leases.ts";

const hour = 3600 * 1000;
let directory = "";
let database: Database;
let content: ContentStore;
let store: ImageStore;
let snapshots: SnapshotInfo[];
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: 1_700_000_000_000 });
  directory = mkdtempSync(join(tmpdir(), "sampan-garbage-"));
  database = openDatabase(join(directory, "metadata.db"));
  content = ContentStore.open(directory);
  store = new ImageStore(database);
  snapshots = [];
});
afterEach(() => {
  vi.useRealTimers();
  database[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

const layerOf = (letter: string): Digest => `sha256:${letter.repeat(64)}` as Digest;
const layer = (letter: string, below?: string): void =>
  void snapshots.push({
    key: layerOf(letter),
    kind: "layer",
    parent: below === undefined ? undefined : layerOf(below),
  });
const removed: string[] = [];
const collect = async (grace?: number) => {
  removed.length = 0;
  const snapshotter = {
    list: async () => snapshots,
    cleanup: async () => undefined,
    remove: async (key: string) => {
      removed.push(key.slice(7, 8));
      snapshots = snapshots.filter((info) => info.key !== key);
    },
  } as unknown as Snapshotter;
  return await collectGarbage({ database, store, content, snapshotter }, grace);
};
const blob = async (text: string): Promise<Digest> => {
  async function* source() {
    yield Buffer.from(text);
  }
  return (await content.add(source())).digest;
};
const need = (key: string): void =>
  void database.prepare("INSERT INTO image_keys (namespace, digest, key) VALUES ('default', 'image', ?)").run(key);

test("collectGarbage() deletes what nothing has needed for the grace time, and keeps the rest", async () => {
  const needed = await blob("needed");
  need(needed);
  await blob("garbage");
  expect(await collect(hour)).toMatchObject({ blobs: 0 });
  vi.advanceTimersByTime(hour - 1);
  expect(await collect(hour)).toMatchObject({ blobs: 0 });
  vi.advanceTimersByTime(1);
  expect(await collect(hour)).toEqual({ blobs: 1, layers: 0, ingests: 0, bytes: 7 });
  expect([...content.list()]).toEqual([needed]);
  expect(database.prepare("SELECT count(*) AS count FROM image_garbage").get()).toEqual({ count: 0 });
});

test("collectGarbage() begins to count anew for what was needed meanwhile", async () => {
  const digest = await blob("came back");
  await collect(hour);
  vi.advanceTimersByTime(hour);
  {
    using lease = new Lease(database);
    await lease.use([digest]);
    expect(await collect(hour)).toMatchObject({ blobs: 0 });
  }
  expect(await collect(hour)).toMatchObject({ blobs: 0 });
  vi.advanceTimersByTime(hour);
  expect(await collect(hour)).toMatchObject({ blobs: 1 });
});

test("collectGarbage() keeps what stands below a container or a needed layer, and takes the rest from the top", async () => {
  layer("a");
  layer("b", "a");
  layer("c", "b");
  layer("d", "c");
  layer("e", "a");
  layer("f", "e");
  snapshots.push({ key: "container", kind: "snapshot", parent: layerOf("b") });
  need(`snapshot:${layerOf("e")}`);
  expect(await collect(0)).toMatchObject({ layers: 3 });
  expect(removed.toSorted()).toEqual(["c", "d", "f"]);
  expect(removed.indexOf("d")).toBeLessThan(removed.indexOf("c"));
});

test("collectGarbage() takes what a clock that was set back has marked in the future", async () => {
  await blob("marked tomorrow");
  vi.setSystemTime(Date.now() + 24 * hour);
  await collect(hour);
  vi.setSystemTime(Date.now() - 24 * hour);
  expect(await collect(hour)).toMatchObject({ blobs: 0 });
  vi.advanceTimersByTime(hour);
  expect(await collect(hour)).toMatchObject({ blobs: 1 });
});

test("NamedLeases keep what they name until they expire or are ended", async () => {
  const leases = new NamedLeases(database, "default");
  const [one, two, three] = [await blob("one"), await blob("two"), await blob("three")];
  const short = leases.create({ lifetime: hour, labels: { by: "test" } });
  leases.add(short, [one]);
  leases.add(leases.create({ id: "endless" }), [two]);
  expect(leases.list()).toEqual(
    [
      { id: "endless", createdAt: Date.now(), expiresAt: undefined, labels: {}, keys: [two] },
      { id: short, createdAt: Date.now(), expiresAt: Date.now() + hour, labels: { by: "test" }, keys: [one] },
    ].toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  );
  expect(await collect(0)).toMatchObject({ blobs: 1 });
  expect(content.has(three)).toBe(false);
  expect(() => leases.create({ id: "endless" })).toThrow(expect.objectContaining({ code: "already-exists" }));
  expect(() => leases.create({ id: "a/b" })).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  expect(() => new NamedLeases(database, "other").add("endless", [one])).toThrow(
    expect.objectContaining({ code: "not-found" }),
  );
  vi.advanceTimersByTime(hour);
  expect(await collect(0)).toMatchObject({ blobs: 1 });
  expect(leases.list().map(({ id }) => id)).toEqual(["endless"]);
  leases.remove("endless");
  expect(await collect(0)).toMatchObject({ blobs: 1 });
});
