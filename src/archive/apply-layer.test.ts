import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SampanError } from "#errdefs";
import { applyLayer, type ApplyOptions, type LayerStats } from "./apply-layer.ts";
import { RecordingSink } from "./recording-sink.ts";
import { chunked, tarEntry, tarOf, type WrittenEntry } from "./tar-writer.ts";

async function apply(archive: Uint8Array, options?: ApplyOptions): Promise<RecordingSink & { stats: LayerStats }> {
  const sink = new RecordingSink();
  const stats = await applyLayer(chunked(archive, 1000), sink, options);
  return Object.assign(sink, { stats });
}

async function refusal(...entries: WrittenEntry[]): Promise<string> {
  const sink = new RecordingSink();
  try {
    await applyLayer(chunked(tarOf(...entries)), sink);
  } catch (error) {
    expect(sink.finished).toBeUndefined();
    if (error instanceof SampanError && error.code === "invalid-argument") return error.message;
    throw error;
  }
  throw new Error(`nothing was refused: ${JSON.stringify(sink.entries.map((e) => e.kind))}`);
}

const modified = { seconds: 0n, nanoseconds: 0 };
const plain = { uid: 0, gid: 0, modified, xattrs: [] };

describe("applyLayer()", () => {
  it("sends every kind of entry, and finishes the sink", async () => {
    const { entries, stats, finished } = await apply(
      tarOf(
        { name: "./", type: "5", mode: 0o755 },
        { name: "./etc/", type: "5", mode: 0o2755, uid: 1, gid: 2, mtime: 3 },
        { name: "./etc/file", data: "content", mode: 0o4755, pax: [["SCHILY.xattr.user.a", "b"]] },
        { name: "./etc/empty" },
        { name: "./etc/link", type: "2", linkname: "../../outside" },
        { name: "./etc/hard", type: "1", linkname: "./etc/file" },
        { name: "./dev/null", type: "3", mode: 0o666, major: 1, minor: 3 },
        { name: "./dev/disk", type: "4", mode: 0o600, major: 8, minor: 0 },
        { name: "./pipe", type: "6", mode: 0o600 },
        { name: "./etc/.wh.old" },
        { name: "./var/.wh..wh..opq" },
        { name: "./.wh..wh.plnk/12.34", data: "aufs" },
      ),
      { sync: true },
    );
    expect(entries).toEqual([
      { kind: "apply-directory", path: ".", mode: 0o755, ...plain },
      {
        kind: "apply-directory",
        path: "etc",
        mode: 0o2755,
        uid: 1,
        gid: 2,
        modified: { ...modified, seconds: 3n },
        xattrs: [],
      },
      {
        kind: "apply-file",
        path: "etc/file",
        size: 7n,
        mode: 0o4755,
        ...plain,
        xattrs: [{ name: "user.a", value: Buffer.from("b") }],
      },
      { kind: "apply-data", offset: 0n, data: new Uint8Array(Buffer.from("content")) },
      { kind: "apply-end" },
      { kind: "apply-file", path: "etc/empty", size: 0n, mode: 0o644, ...plain },
      { kind: "apply-end" },
      { kind: "apply-symlink", path: "etc/link", target: "../../outside", ...plain },
      { kind: "apply-hardlink", path: "etc/hard", target: "etc/file" },
      { kind: "apply-node", path: "dev/null", mode: 0o020666, major: 1, minor: 3, ...plain },
      { kind: "apply-node", path: "dev/disk", mode: 0o060600, major: 8, minor: 0, ...plain },
      { kind: "apply-node", path: "pipe", mode: 0o010600, major: 0, minor: 0, ...plain },
      { kind: "apply-whiteout", path: "etc/old" },
      { kind: "apply-opaque", path: "var" },
    ]);
    expect(stats).toEqual({ entries: 11, bytes: 7, implied: ["dev", "var"], opaque: false });
    expect(finished).toEqual({ sync: true });
  });

  it("names the directories that a lower layer may describe, and says when all below is hidden", async () => {
    const { stats } = await apply(
      tarOf({ name: "a/b/c" }, { name: "a", type: "5" }, { name: "x/y/z", type: "5" }, { name: ".wh..wh..opq" }),
    );
    expect(stats).toMatchObject({ implied: [".", "a/b", "x", "x/y"], opaque: true });
    const hidden = await apply(tarOf({ name: "a/b/c" }, { name: ".wh.a" }, { name: "d/.wh.e" }));
    expect(hidden.stats.implied).toEqual([".", "d"]);
  });

  it("sends large files in parts of at most 1 MiB, without what is in holes", async () => {
    const sizes: number[] = [];
    const sink = new RecordingSink();
    const write = sink.write.bind(sink);
    sink.write = (entry) => {
      if (entry.kind === "apply-data") sizes.push(entry.data.length);
      return write(entry);
    };
    const archive = tarOf({ name: "big", data: "x".repeat(3_000_000) });
    await applyLayer(chunked(archive, archive.length), sink);
    expect(sizes).toEqual([1_048_576, 1_048_576, 902_848]);
    const sparse = await apply(
      tarOf({
        name: "s",
        data: "ab",
        pax: [
          ["GNU.sparse.map", "5,1,1000,1"],
          ["GNU.sparse.size", "4000"],
        ],
      }),
    );
    expect(sparse.entries).toEqual([
      { kind: "apply-file", path: "s", size: 4000n, mode: 0o644, ...plain },
      { kind: "apply-data", offset: 5n, data: new Uint8Array([0x61]) },
      { kind: "apply-data", offset: 1000n, data: new Uint8Array([0x62]) },
      { kind: "apply-end" },
    ]);
    expect(sparse.stats.bytes).toBe(2);
  });

  it("leaves overlayfs' own attributes out, and takes its whiteouts for whiteouts", async () => {
    const { entries } = await apply(
      tarOf(
        {
          name: "d",
          type: "5",
          pax: [
            ["SCHILY.xattr.trusted.overlay.redirect", "/x"],
            ["SCHILY.xattr.user.overlay.opaque", "y"],
          ],
        },
        { name: "gone", type: "3", major: 0, minor: 0 },
      ),
    );
    expect(entries).toEqual([
      { kind: "apply-directory", path: "d", mode: 0o644, ...plain },
      { kind: "apply-whiteout", path: "gone" },
    ]);
  });

  it("refuses names that leave the root (CVE-2018-20834, CVE-2021-32803)", async () => {
    expect(await refusal({ name: "ok" }, { name: "../evil", data: "x" })).toBe(
      'Cannot unpack "../evil": it leaves the layer\'s root',
    );
    await refusal({ name: "a/../../evil" });
    await refusal({ name: "..", type: "5" });
    await refusal({ name: "x", pax: [["path", "/../../etc/passwd"]] });
    await refusal({ name: "../.wh.etc" });
  });

  it("refuses hard links out of the root, and to the root (CVE-2026-23745)", async () => {
    expect(await refusal({ name: "a", type: "1", linkname: "../../etc/shadow" })).toBe(
      'Cannot unpack "a" (entry 1 at byte 0): it is a hard link to "../../etc/shadow", which leaves the layer\'s root',
    );
    await refusal({ name: "a", type: "1", linkname: "." });
    await refusal({ name: "a", type: "1", linkname: "" });
  });

  it("takes absolute names and targets for names below the root", async () => {
    const { entries } = await apply(tarOf({ name: "/etc/passwd" }, { name: "x", type: "1", linkname: "/etc/passwd" }));
    expect(entries.map((e) => ("path" in e ? [e.path, "target" in e ? e.target : ""] : []))).toEqual([
      ["etc/passwd", ""],
      [],
      ["x", "etc/passwd"],
    ]);
  });

  it("refuses what stands for the root but is no directory, whiteouts of nothing, and links to nothing", async () => {
    await refusal({ name: "./", type: "2", linkname: "/etc" });
    await refusal({ name: ".", data: "x" });
    await refusal({ name: "a/.wh." });
    await refusal({ name: "a/.wh..." });
    await refusal({ name: ".wh.a/b" });
    await refusal({ name: "a", type: "2" });
    await refusal({ name: "a", type: "3", major: 4096 });
  });

  it("refuses names with components that no filesystem takes", async () => {
    expect(await refusal({ name: "x", pax: [["path", `a/${"b".repeat(256)}`]] })).toContain("longer than 255 bytes");
  });

  it("reads the stream to its end, so that its maker sees all of it, before it finishes the sink", async () => {
    const sink = new RecordingSink();
    async function* stream(): AsyncGenerator<Uint8Array> {
      yield tarOf({ name: "a" });
      yield Buffer.alloc(10_000);
      expect(sink.finished).toBeUndefined();
      if (sink.finished === undefined) throw new Error("wrong digest");
      yield Buffer.alloc(0);
    }
    await expect(applyLayer(stream(), sink)).rejects.toThrow("wrong digest");
    expect(sink.finished).toBeUndefined();
    expect(sink.entries).toHaveLength(2);
  });

  it("lets the stream go when the sink fails, and gives its error", async () => {
    let closed = false;
    async function* stream(): AsyncGenerator<Uint8Array> {
      try {
        yield tarEntry({ name: "a", data: "x" });
        yield tarEntry({ name: "b", data: "x" });
        yield Buffer.alloc(1024);
      } finally {
        closed = true;
      }
    }
    const sink = new RecordingSink();
    sink.write = () => Promise.reject(new Error("no space"));
    await expect(applyLayer(stream(), sink)).rejects.toThrow("no space");
    expect(closed).toBe(true);
  });

  it("stops when it is told to", async () => {
    const signal = AbortSignal.abort(new Error("stop"));
    await expect(apply(tarOf({ name: "a" }), { signal })).rejects.toThrow("stop");
  });

  it("limits what it remembers of directories", async () => {
    const archive = tarOf(
      ...Array.from({ length: 20 }, (_, i): WrittenEntry => ({ name: `directory-${i}/x`, type: "5" })),
    );
    await expect(apply(archive, { limits: { directoryCharacters: 100 } })).rejects.toMatchObject({
      code: "resource-exhausted",
    });
  });

  it("never sends a path that is not below the root, whatever the names are", async () => {
    const part = fc.constantFrom("a", "..", ".", "", ".wh.a", ".wh..wh..opq", ".wh..", "b");
    const name = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join("/"));
    const entry = fc.record({ name, type: fc.constantFrom("0", "1", "2", "5", "6"), linkname: name });
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 5 }), async (entries) => {
        const sink = new RecordingSink();
        try {
          await applyLayer(chunked(tarOf(...entries)), sink);
        } catch (error) {
          expect(error).toMatchObject({ code: "invalid-argument" });
        }
        for (const sent of sink.entries)
          for (const path of ["path" in sent ? sent.path : "x", sent.kind === "apply-hardlink" ? sent.target : "x"])
            expect(
              path === "." ||
                path.split("/").every((p) => p !== "" && p !== "." && p !== ".." && !p.startsWith(".wh.")),
            ).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
