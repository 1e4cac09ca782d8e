/** What every snapshotter does, as tests. Needs root. */
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Executor } from "#keel";
import { chainIds } from "./chain.ts";
import type { ChainId, Fill, RootSource, Snapshotter } from "./snapshotter.ts";

type Entries = Parameters<Awaited<ReturnType<Executor["openLayer"]>>["write"]>[0][];

export interface SnapshotterHost {
  /** Makes a snapshotter on a directory, which several may share. */
  readonly open: (root: string) => Snapshotter;
  /** Makes a new empty directory. */
  readonly directory: () => string;
  readonly executor: Executor;
  /** Makes a root filesystem, and says where it is until the end of the test. */
  readonly mount: (source: RootSource) => string;
  /** Undoes `mount` for all. */
  readonly unmountAll: () => void;
}

const layerKey = (text: string): ChainId => `sha256:${createHash("sha256").update(text).digest("hex")}` as ChainId;
const [one = layerKey(""), two = layerKey(""), three = layerKey("")] = chainIds(
  ["one", "two", "three"].map((text) => layerKey(text)),
);

const attributes = { mode: 0o755, uid: 0, gid: 0, modified: { seconds: 1n, nanoseconds: 0 }, xattrs: [] };
const directory = (path: string, more: Partial<typeof attributes> = {}): Entries => [
  { kind: "apply-directory", path, ...attributes, ...more },
];
const file = (path: string, content: string): Entries => [
  { kind: "apply-file", path, size: BigInt(content.length), ...attributes },
  { kind: "apply-data", offset: 0n, data: Buffer.from(content) },
  { kind: "apply-end" },
];

/** Runs the suite; `make` is called once for each test. */
export function testSnapshotter(name: string, make: () => SnapshotterHost): void {
  describe(name, () => {
    let host: SnapshotterHost;
    let root: string;
    let snapshotter: Snapshotter;

    beforeEach(() => {
      host = make();
      root = join(host.directory(), "root");
      snapshotter = host.open(root);
    });

    afterEach(() => {
      host.unmountAll();
      rmSync(join(root, ".."), { recursive: true });
    });

    const fill =
      (...entries: Entries): Fill =>
      async (path, options) => {
        await using sink = await host.executor.openLayer(path, options);
        for (const entry of entries) await sink.write(entry);
        await sink.finish({ sync: false });
        return {};
      };
    const never: Fill = () => Promise.reject(new Error("called again"));
    const see = (source: RootSource): Record<string, string> => {
      const at = host.mount(source);
      return Object.fromEntries(
        readdirSync(at, { recursive: true, encoding: "utf8" })
          .sort()
          .map((path) => [path, lstatSync(join(at, path)).isFile() ? readFileSync(join(at, path), "utf8") : "/"]),
      );
    };
    const temporary = (): string[] => readdirSync(join(root, "tmp"));

    it("extract() commits a layer that view() shows", async () => {
      await snapshotter.extract(one, undefined, fill(...directory("a"), ...file("a/f", "one")));
      expect(await snapshotter.has(one)).toBe(true);
      expect(see(await snapshotter.view(one))).toEqual({ a: "/", "a/f": "one" });
      expect(temporary()).toEqual([]);
    });

    it("extract() puts layers on each other: files replaced, hidden, and directories cleared", async () => {
      await snapshotter.extract(
        one,
        undefined,
        fill(
          ...directory("d"),
          ...file("d/old", "1"),
          ...directory("o"),
          ...file("o/old", "1"),
          ...file("f", "1"),
          ...file("g", "1"),
        ),
      );
      await snapshotter.extract(
        two,
        one,
        fill(
          ...file("d/new", "2"),
          ...file("o/new", "2"),
          { kind: "apply-opaque", path: "o" },
          { kind: "apply-whiteout", path: "f" },
          ...directory("g"),
          ...file("g/inside", "2"),
        ),
      );
      await snapshotter.extract(
        three,
        two,
        fill(...file("d/new", "3"), { kind: "apply-whiteout", path: "g" }, ...file("f", "3")),
      );
      expect(see(await snapshotter.view(two))).toEqual({
        d: "/",
        "d/new": "2",
        "d/old": "1",
        g: "/",
        "g/inside": "2",
        o: "/",
        "o/new": "2",
      });
      expect(see(await snapshotter.view(three))).toEqual({
        d: "/",
        "d/new": "3",
        "d/old": "1",
        f: "3",
        o: "/",
        "o/new": "2",
      });
    });

    it("extract() hides what is below and nothing of the layer, in either order", async () => {
      await snapshotter.extract(
        one,
        undefined,
        fill(...directory("d"), ...file("d/old", "1"), ...directory("e"), ...file("e/old", "1"), ...file("f", "1")),
      );
      const hide: Entries = [
        { kind: "apply-whiteout", path: "d" },
        { kind: "apply-opaque", path: "e" },
        { kind: "apply-whiteout", path: "f" },
      ];
      const add = [
        ...directory("d"),
        ...file("d/new", "2"),
        ...directory("e"),
        ...file("e/new", "2"),
        ...file("f", "2"),
      ];
      const expected = { d: "/", "d/new": "2", e: "/", "e/new": "2", f: "2" };
      await snapshotter.extract(two, one, fill(...hide, ...add));
      await snapshotter.extract(three, one, fill(...add, ...hide));
      expect(see(await snapshotter.view(two))).toEqual(expected);
      expect(see(await snapshotter.view(three))).toEqual(expected);
    });

    it("extract() does nothing for a layer that is there", async () => {
      await snapshotter.extract(one, undefined, fill(...file("f", "1")));
      await snapshotter.extract(one, undefined, never);
      await host.open(root).extract(one, undefined, never);
    });

    it("extract() calls fill once for callers at the same time, and lets two processes do it twice", async () => {
      let calls = 0;
      const slow: Fill = async (path, options) => {
        calls += 1;
        await new Promise((resolve) => setTimeout(resolve, 30));
        return fill(...file("f", "1"))(path, options);
      };
      await Promise.all([snapshotter.extract(one, undefined, slow), snapshotter.extract(one, undefined, slow)]);
      expect(calls).toBe(1);
      const other = host.open(root);
      await Promise.all([snapshotter.extract(two, one, slow), other.extract(two, one, slow)]);
      expect(calls).toBe(3);
      expect(see(await snapshotter.view(two))).toEqual({ f: "1" });
      expect(temporary()).toEqual([]);
    });

    it("extract() takes all layers of an image at once, and commits them in order", async () => {
      const done: string[] = [];
      const slow =
        (label: string, milliseconds: number): Fill =>
        async (path, options) => {
          await new Promise((resolve) => setTimeout(resolve, milliseconds));
          return fill(...file(label, label))(path, options);
        };
      await Promise.all([
        snapshotter.extract(one, undefined, slow("1", 60)).then(() => done.push("1")),
        snapshotter.extract(two, one, slow("2", 1)).then(() => done.push("2")),
        snapshotter.extract(three, two, slow("3", 20)).then(() => done.push("3")),
      ]);
      expect(done).toEqual(["1", "2", "3"]);
      expect(see(await snapshotter.view(three))).toEqual({ 1: "1", 2: "2", 3: "3" });
    });

    it("extract() leaves nothing when fill fails, nor of the layers on top", async () => {
      const broken: Fill = async (path, options) => {
        await fill(...directory("a/b/c"), ...file("f", "1"))(path, options);
        throw new Error("broken layer");
      };
      const results = await Promise.allSettled([
        snapshotter.extract(one, undefined, broken),
        snapshotter.extract(two, one, fill(...file("g", "2"))),
      ]);
      expect(results.map((r) => (r.status === "rejected" ? String(r.reason) : "made"))).toEqual([
        "Error: broken layer",
        "Error: broken layer",
      ]);
      expect([await snapshotter.list(), temporary()]).toEqual([[], []]);
      await snapshotter.extract(one, undefined, fill(...file("f", "1")));
      expect(see(await snapshotter.view(one))).toEqual({ f: "1" });
    });

    it("extract() refuses a layer without the one below", async () => {
      await expect(snapshotter.extract(two, one, never)).rejects.toMatchObject({ code: "failed-precondition" });
    });

    it("extract() keeps what lower layers say of directories that the layer does not describe", async () => {
      await snapshotter.extract(
        one,
        undefined,
        fill(
          ...directory(".", { mode: 0o711 }),
          ...directory("tmp", { mode: 0o1777, uid: 3, gid: 4 }),
          ...directory("gone", { mode: 0o700 }),
        ),
      );
      const make = fill(...file("tmp/f", "2"), { kind: "apply-whiteout", path: "gone" }, ...file("gone/f", "2"));
      await snapshotter.extract(two, one, async (path, options) => {
        await make(path, options);
        return { implied: [".", "tmp"] };
      });
      const at = host.mount(await snapshotter.prepare("c", two));
      const look = (path: string): (string | number)[] => {
        const { mode, uid, gid } = statSync(join(at, path));
        return [(mode & 0o7777).toString(8), uid, gid];
      };
      expect(["", "tmp", "gone"].map(look)).toEqual([
        ["711", 0, 0],
        ["1777", 3, 4],
        ["755", 0, 0],
      ]);
    });

    it("prepare() gives a writable root that leaves the layer as it is", async () => {
      await snapshotter.extract(one, undefined, fill(...directory("."), ...file("f", "1")));
      const at = host.mount(await snapshotter.prepare("first", one));
      writeFileSync(join(at, "f"), "changed");
      mkdirSync(join(at, "new"));
      host.mount(await snapshotter.prepare("second", one));
      expect(see(await snapshotter.view(one))).toEqual({ f: "1" });
      expect(see(await snapshotter.mounts("second"))).toEqual({ f: "1" });
    });

    it("prepare() without a layer gives an empty root", async () => {
      expect(see(await snapshotter.prepare("scratch", undefined))).toEqual({});
    });

    it("prepare() refuses an id that is used or is none, and a layer that is not there", async () => {
      await snapshotter.prepare("c", undefined);
      await expect(snapshotter.prepare("c", undefined)).rejects.toMatchObject({ code: "already-exists" });
      for (const id of ["", ".", "..", "a/b", ".hidden", "x".repeat(129)])
        await expect(snapshotter.prepare(id, undefined)).rejects.toMatchObject({ code: "invalid-argument" });
      await expect(snapshotter.prepare("d", one)).rejects.toMatchObject({ code: "not-found" });
      expect(await snapshotter.has("d")).toBe(false);
    });

    it("mounts() gives what prepare() gave, also in another process", async () => {
      await snapshotter.extract(one, undefined, fill(...file("f", "1")));
      const source = await snapshotter.prepare("c", one);
      expect(await snapshotter.mounts("c")).toEqual(source);
      expect(await host.open(root).mounts("c")).toEqual(source);
      await expect(snapshotter.mounts("d")).rejects.toMatchObject({ code: "not-found" });
    });

    it("list() and stat() say what there is, from disk", async () => {
      await snapshotter.extract(one, undefined, fill());
      await snapshotter.extract(two, one, fill());
      await snapshotter.prepare("c", two);
      const expected = [
        { key: "c", kind: "snapshot", parent: two },
        { key: one, kind: "layer", parent: undefined },
        { key: two, kind: "layer", parent: one },
      ];
      const other = host.open(root);
      expect(
        (await other.list()).sort(
          (a, b) => expected.findIndex((e) => e.key === a.key) - expected.findIndex((e) => e.key === b.key),
        ),
      ).toEqual(expected);
      expect(await other.stat(two)).toEqual(expected[2]);
      await expect(other.stat("d")).rejects.toMatchObject({ code: "not-found" });
    });

    it("remove() removes from the top, and nothing twice", async () => {
      await snapshotter.extract(one, undefined, fill(...file("f", "1")));
      await snapshotter.extract(two, one, fill());
      await snapshotter.prepare("c", two);
      await expect(snapshotter.remove(two)).rejects.toMatchObject({ code: "failed-precondition" });
      await expect(snapshotter.remove(one)).rejects.toMatchObject({ code: "failed-precondition" });
      for (const key of ["c", two, one, one, "c"]) await snapshotter.remove(key);
      expect([await snapshotter.list(), temporary(), await snapshotter.has(one)]).toEqual([[], [], false]);
      await expect(snapshotter.view(one)).rejects.toMatchObject({ code: "not-found" });
      await expect(snapshotter.prepare("d", two)).rejects.toMatchObject({ code: "not-found" });
    });

    it("usage() counts a file with two names once", async () => {
      const content = "x".repeat(100_000);
      await snapshotter.extract(
        one,
        undefined,
        fill(...file("a", content), { kind: "apply-hardlink", path: "b", target: "a" }, ...directory("d")),
      );
      const { bytes, inodes } = await snapshotter.usage(one);
      expect(inodes).toBe(3);
      expect(bytes).toBeGreaterThanOrEqual(100_000);
      expect(bytes).toBeLessThan(200_000);
      await expect(snapshotter.usage("d")).rejects.toMatchObject({ code: "not-found" });
    });

    it("cleanup() removes what processes that have ended left, and nothing of those that run", async () => {
      // A process that has ended, one whose number another one has now, and this one.
      const self = readFileSync("/proc/self/stat", "utf8").split(") ")[1]?.split(" ")[19] ?? "";
      const left = ["4194303-1-a", `${process.pid}-1-b`, `${process.pid}-${self}-c`];
      for (const each of left) mkdirSync(join(root, "tmp", each, "fs/deep"), { recursive: true });
      await snapshotter.extract(one, undefined, fill(...file("f", "1")));
      await snapshotter.cleanup();
      expect(temporary()).toEqual([left[2]]);
      expect(see(await snapshotter.view(one))).toEqual({ f: "1" });
    });

    it("keeps its directories from other users (CVE-2021-41103)", async () => {
      await snapshotter.extract(one, undefined, fill());
      await snapshotter.prepare("c", one);
      expect(statSync(root).mode & 0o7777).toBe(0o700);
      expect(existsSync(join(root, "snapshots", "c"))).toBe(true);
    });
  });
}
