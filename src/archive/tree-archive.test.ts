import { describe, expect, it } from "vitest";
import type { FoundFile } from "#keel";
import { defaultLimits } from "./limits.ts";
import { TarReader, type TarEntry } from "./tar-reader.ts";
import { archiveTree, type ArchiveEvent, type TreeArchiveOptions } from "./tree-archive.ts";

const plain: FoundFile = {
  path: "file",
  link: "",
  mode: 0o100644,
  uid: 0,
  gid: 0,
  major: 0,
  minor: 0,
  size: 0n,
  seconds: 1n,
  nanoseconds: 0,
  target: "",
  xattrs: [],
  segments: [],
};

const file = (changes: Partial<FoundFile>): ArchiveEvent => ({ kind: "file", file: { ...plain, ...changes } });
const data = (text: string): ArchiveEvent => ({ kind: "data", data: Buffer.from(text) });
const end: ArchiveEvent = { kind: "end" };

async function* each(events: readonly ArchiveEvent[]): AsyncGenerator<ArchiveEvent> {
  yield* events;
}

async function bytesOf(events: readonly ArchiveEvent[], options?: TreeArchiveOptions): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of archiveTree(each(events), options)) parts.push(part);
  return Buffer.concat(parts);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Reads back with the reader of layers, which is tested with real archives. */
async function readBack(
  archive: Uint8Array,
): Promise<{ readonly entry: TarEntry; readonly data: readonly [number, string][] }[]> {
  const reader = new TarReader(once(archive), defaultLimits);
  const list = [];
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
    const parts: [number, string][] = [];
    for (let part = await reader.read(); part !== undefined; part = await reader.read())
      parts.push([part.offset, Buffer.from(part.data).toString()]);
    list.push({ entry, data: parts });
  }
  return list;
}

describe("archiveTree()", () => {
  it("writes every kind of file, and leaves sockets out with a note", async () => {
    const notes: [string, string][] = [];
    const archive = await bytesOf(
      [
        file({ path: ".", mode: 0o040755 }),
        file({ path: "a", size: 3n, segments: [{ offset: 0n, size: 3n }], mode: 0o104755, uid: 7, gid: 8 }),
        data("abc"),
        end,
        file({ path: "b", link: "a", size: 3n }),
        file({ path: "c", mode: 0o120777, target: "a" }),
        file({ path: "d", mode: 0o020600, major: 1, minor: 3 }),
        file({ path: "e", mode: 0o060600, major: 259, minor: 300 }),
        file({ path: "f", mode: 0o010600 }),
        file({ path: "g", mode: 0o140600 }),
      ],
      { onNote: (path, note) => notes.push([path, note]) },
    );
    const back = await readBack(archive);
    expect(back.map(({ entry, data: parts }) => [entry.type, entry.name, entry.linkname, entry.mode, parts])).toEqual([
      ["directory", "./", "", 0o755, []],
      ["file", "a", "", 0o4755, [[0, "abc"]]],
      ["hardlink", "b", "a", 0o644, []],
      ["symlink", "c", "a", 0o777, []],
      ["character", "d", "", 0o600, []],
      ["block", "e", "", 0o600, []],
      ["fifo", "f", "", 0o600, []],
    ]);
    expect([back[5]?.entry.major, back[5]?.entry.minor, back[1]?.entry.uid, back[1]?.entry.gid]).toEqual([
      259, 300, 7, 8,
    ]);
    expect(notes).toEqual([["g", "socket"]]);
    expect(archive.length % 512).toBe(0);
  });

  it("keeps names, owners, sizes and times that a ustar header has no room for", async () => {
    const names = [
      "d".repeat(90) + "/" + "f".repeat(90),
      "x".repeat(255),
      "ü☃𝄞",
      "latin1-\udce4\udcff",
      "y".repeat(150) + "\udce4",
    ];
    const times: readonly (readonly [bigint, number])[] = [
      [0n, 1],
      [-1n, 0],
      [-1n, 250_000_000],
      [-5n, 500_000_000],
      [8_589_934_592n, 123_456_789],
    ];
    const archive = await bytesOf(
      names.flatMap((path, i) => {
        const [seconds = 0n, nanoseconds = 0] = times[i] ?? [];
        return [file({ path, seconds, nanoseconds, uid: 4_000_000_000, gid: 2_097_152 }), end];
      }),
    );
    const back = await readBack(archive);
    expect(back.map(({ entry }) => [entry.name, entry.modified, entry.uid, entry.gid])).toEqual(
      names.map((name, i) => [name, { seconds: times[i]?.[0], nanoseconds: times[i]?.[1] }, 4_000_000_000, 2_097_152]),
    );
  });

  it("keeps attributes of the file, and leaves out those of the host", async () => {
    const value = new Uint8Array([0, 10, 61, 255]);
    const names = ["user.a=b%", "security.capability", "trusted.overlay.opaque", "security.selinux", "user.overlay.x"];
    const archive = await bytesOf([file({ xattrs: names.map((name) => ({ name, value })) }), end]);
    const [first] = await readBack(archive);
    expect([...(first?.entry.xattrs ?? [])].map(([name, bytes]) => [name, [...bytes]])).toEqual([
      ["security.capability", [0, 10, 61, 255]],
      ["user.a=b%", [0, 10, 61, 255]],
    ]);
  });

  const holes = {
    size: 20n,
    segments: [
      { offset: 2n, size: 3n },
      { offset: 10n, size: 2n },
    ],
  };

  it("writes files with holes without them", async () => {
    const [first] = await readBack(await bytesOf([file(holes), data("abcde"), end]));
    expect([first?.entry.name, first?.entry.size, first?.data]).toEqual([
      "file",
      20,
      [
        [2, "abc"],
        [10, "de"],
      ],
    ]);
    const [hole] = await readBack(await bytesOf([file({ size: 5_000_000_000n }), end]));
    expect([hole?.entry.size, hole?.data]).toEqual([5_000_000_000, []]);
  });

  it("writes holes as zeros when they are smaller than wanted", async () => {
    const [first] = await readBack(await bytesOf([file(holes), data("abcde"), end], { sparseFrom: 100 }));
    expect(first?.data).toEqual([[0, "\0\0abc\0\0\0\0\0de\0\0\0\0\0\0\0\0"]]);
  });

  it("fills up a file that has become shorter, and says so", async () => {
    const notes: [string, string][] = [];
    const archive = await bytesOf(
      [file({ size: 600n, segments: [{ offset: 0n, size: 600n }] }), data("abc"), end, file({ path: "next" }), end],
      { onNote: (path, note) => notes.push([path, note]) },
    );
    const back = await readBack(archive);
    expect(back.map(({ entry }) => [entry.name, entry.size])).toEqual([
      ["file", 600],
      ["next", 0],
    ]);
    expect(back[0]?.data.map(([, text]) => text).join("")).toBe(`abc${"\0".repeat(597)}`);
    expect(notes).toEqual([["file", "shorter"]]);
  });

  it("takes later times back to the latest that is wanted", async () => {
    const archive = await bytesOf(
      [file({ seconds: 5n, nanoseconds: 7 }), end, file({ path: "b", seconds: 3n, nanoseconds: 7 }), end],
      { latest: 4n },
    );
    const back = await readBack(archive);
    expect(back.map(({ entry }) => entry.modified)).toEqual([
      { seconds: 4n, nanoseconds: 0 },
      { seconds: 3n, nanoseconds: 7 },
    ]);
  });

  it("gives many small files in few chunks, and never keeps more than one batch of a large one", async () => {
    let chunks = 0;
    let largest = 0;
    const many = Array.from({ length: 1000 }, (_, i) => [file({ path: `f${i}` }), end]).flat();
    for await (const part of archiveTree(each(many))) {
      chunks += 1;
      largest = Math.max(largest, part.length);
    }
    expect([chunks < 10, largest < 70_000]).toEqual([true, true]);
  });
});
