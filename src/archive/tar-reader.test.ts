import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SampanError } from "#errdefs";
import { defaultLimits, type ArchiveLimits } from "./limits.ts";
import { TarReader } from "./tar-reader.ts";
import { chunked, paxData, tarEntry, tarOf, type WrittenEntry } from "./tar-writer.ts";

interface Read {
  readonly name: string;
  readonly data: string;
  readonly [field: string]: unknown;
}

/** All entries with their content, holes as NULs. */
async function read(archive: Uint8Array, limits: Partial<ArchiveLimits> = {}, chunk?: number): Promise<Read[]> {
  const reader = new TarReader(chunked(archive, chunk), { ...defaultLimits, ...limits });
  const entries: Read[] = [];
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
    const data = Buffer.alloc(entry.size);
    for (let part = await reader.read(); part !== undefined; part = await reader.read())
      data.set(part.data, part.offset);
    entries.push({ ...entry, xattrs: Object.fromEntries(entry.xattrs), data: data.toString("latin1") });
  }
  await reader.drain();
  return entries;
}

const names = async (archive: Uint8Array): Promise<string[]> => (await read(archive)).map((e) => e.name);

async function failure(
  archive: Uint8Array,
  limits: Partial<ArchiveLimits> = {},
): Promise<{ code: string; message: string }> {
  try {
    await read(archive, limits);
  } catch (error) {
    if (error instanceof SampanError) return { code: error.code, message: error.message };
    throw error;
  }
  return { code: "none", message: "" };
}

describe("TarReader", () => {
  it("reads a ustar entry with all its fields", async () => {
    const archive = tarOf({ name: "dev/x", type: "3", mode: 0o104644, uid: 1, gid: 2, mtime: 3, major: 4, minor: 5 });
    expect(await read(archive)).toEqual([
      {
        type: "character",
        name: "dev/x",
        linkname: "",
        mode: 0o4644,
        uid: 1,
        gid: 2,
        modified: { seconds: 3n, nanoseconds: 0 },
        major: 4,
        minor: 5,
        xattrs: {},
        size: 0,
        data: "",
      },
    ]);
  });

  it("gives back what was written, whatever the chunks of the stream are", async () => {
    const entry = fc.record({
      name: fc.string({ unit: fc.constantFrom("a", "b", "/", ".", "ü"), minLength: 1, maxLength: 40 }),
      data: fc.uint8Array({ maxLength: 1500 }),
      mode: fc.integer({ min: 0, max: 0o7777 }),
      uid: fc.integer({ min: 0, max: 0xfffffffe }),
      mtime: fc.integer({ min: -100_000, max: 2 ** 40 }),
      format: fc.constantFrom("ustar" as const, "gnu" as const, "v7" as const),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 6 }), fc.integer({ min: 1, max: 2000 }), async (entries, size) => {
        const found = await read(tarOf(...entries), {}, size);
        expect(found.map((e) => [e.name, e["mode"], e["uid"], e["modified"], e.data])).toEqual(
          entries.map((e) => [
            e.name,
            e.mode,
            e.uid,
            { seconds: BigInt(e.mtime), nanoseconds: 0 },
            Buffer.from(e.data).toString("latin1"),
          ]),
        );
      }),
      { numRuns: 60 },
    );
  });

  it("takes PAX records before the header's fields, and GNU long names before both", async () => {
    const pax: WrittenEntry["pax"] = [
      ["path", "long/ü"],
      ["linkpath", "target"],
      ["uid", "4000000000"],
      ["mtime", "-1.5"],
      ["SCHILY.xattr.user.a%3Db", Buffer.from([0, 255, 10])],
      ["LIBARCHIVE.xattr.user.c%20d", "AAE="],
      ["LIBARCHIVE.xattr.user.a=b", "ZZZZ"],
      ["comment", "x=y\nz"],
    ];
    const [first] = await read(tarOf({ name: "short", type: "2", pax }));
    expect(first).toMatchObject({
      name: "long/ü",
      linkname: "target",
      uid: 4_000_000_000,
      modified: { seconds: -2n, nanoseconds: 500_000_000 },
      xattrs: { "user.a=b": Buffer.from([0, 255, 10]), "user.c d": Buffer.from([0, 1]) },
    });
    const long = "x/".repeat(500);
    const gnu = [
      tarEntry({ name: "././@LongLink", type: "K", data: `${long}target\0` }),
      tarEntry({ name: "././@LongLink", type: "L", data: `${long}name\0` }),
      tarOf({ name: "short", type: "2", pax: [["path", "pax"]] }),
    ];
    expect(await read(Buffer.concat(gnu))).toMatchObject([{ name: `${long}name`, linkname: `${long}target` }]);
  });

  it("takes the size of the PAX record, also for where the next header is (TARmageddon, CVE-2025-62518)", async () => {
    const inner = tarEntry({ name: "smuggled", data: "x" });
    const archive = tarOf(
      { name: "nested.tar", data: inner, size: 0, pax: [["size", String(inner.length)]] },
      { name: "next" },
    );
    expect(await names(archive)).toEqual(["nested.tar", "next"]);
  });

  it("applies global headers to what follows, and refuses names and sizes in them", async () => {
    const global = (...records: [string, string][]): WrittenEntry => ({ name: "g", type: "g", data: paxData(records) });
    const archive = tarOf(global(["uid", "7"], ["gid", "8"]), { name: "a" }, { name: "b", pax: [["uid", "9"]] });
    expect((await read(archive)).map((e) => [e["uid"], e["gid"]])).toEqual([
      [7, 8],
      [9, 8],
    ]);
    for (const key of ["path", "linkpath", "size", "GNU.sparse.map"])
      expect(await failure(tarOf(global([key, "1"]), { name: "a" }))).toMatchObject({ code: "data-loss" });
  });

  it("ignores the size of entries that have no content, as Go does", async () => {
    const archive = tarOf(
      { name: "d", type: "5", size: 4096 },
      { name: "l", type: "2", linkname: "x", size: 7 },
      { name: "f" },
    );
    expect((await read(archive)).map((e) => [e.name, e["type"]])).toEqual([
      ["d", "directory"],
      ["l", "symlink"],
      ["f", "file"],
    ]);
  });

  it("takes an old regular file with a slash behind its name for a directory", async () => {
    expect(await read(tarOf({ name: "d/", type: "\0", format: "v7" }))).toMatchObject([{ type: "directory" }]);
  });

  it("ends at two zero blocks, at one before the end, and at the end without any", async () => {
    const one = tarEntry({ name: "a", data: "x" });
    const zero = Buffer.alloc(512);
    expect(await names(one.subarray(0, 513))).toEqual(["a"]); // umoci insert leaves the padding out
    const endings = [[zero, zero, tarEntry({ name: "hidden" })], [zero, zero, Buffer.alloc(9000, 1)], [zero], []];
    for (const end of endings) expect(await names(Buffer.concat([one, ...end]))).toEqual(["a"]);
    expect(await failure(Buffer.concat([one, zero, one]))).toMatchObject({ code: "data-loss" });
    expect(await names(Buffer.alloc(0))).toEqual([]);
  });

  it("says where an archive is cut short, at each of its blocks", async () => {
    const archive = tarOf(
      { name: "one", data: "x".repeat(1200), pax: [["path", "long-one"]] },
      { name: "two", data: "y".repeat(600) },
    );
    const results: string[] = [];
    for (let at = 0; at < archive.length - 1024; at += 512) {
      const { code, message } = await failure(archive.subarray(0, at));
      results.push(code === "none" ? `${at}: ${(await names(archive.subarray(0, at))).join()}` : message);
    }
    const cut = (at: number, where: string): string =>
      `Cannot read the archive at ${where}: it is cut short after ${at} bytes`;
    expect(results).toEqual([
      "0: ",
      cut(512, "byte 0 (entry 1)"),
      cut(1024, "byte 1024 (entry 1)"),
      cut(1536, 'byte 1024 (entry 2, "long-one")'),
      cut(2048, 'byte 1024 (entry 2, "long-one")'),
      cut(2560, 'byte 1024 (entry 2, "long-one")'),
      "3072: long-one",
      cut(3584, 'byte 3072 (entry 3, "two")'),
      cut(4096, 'byte 3072 (entry 3, "two")'),
    ]);
    for (const at of [1, 511, 700, 1500, 2700, 3100])
      expect(await failure(archive.subarray(0, at))).toMatchObject({ code: "data-loss" });
  });

  it("refuses entries of types that no layer has", async () => {
    for (const type of ["M", "N", "D", "X", "?"])
      expect(await failure(tarOf({ name: "a", type }))).toEqual({
        code: "invalid-argument",
        message: `Cannot read the archive at byte 0 (entry 1, "a"): entries of type "${type}" are not supported`,
      });
  });

  it("refuses owners that are no ids, as chown would take -1 for none", async () => {
    expect(await failure(tarOf({ name: "a", uid: -1 }))).toMatchObject({ code: "invalid-argument" });
    expect(await failure(tarOf({ name: "a", pax: [["gid", "4294967295"]] }))).toMatchObject({
      code: "invalid-argument",
    });
  });

  it("refuses PAX headers that are malformed", async () => {
    const records = [
      "5 a=b\n",
      "99 a=b\n",
      "6 a=b",
      "x a=b\n",
      "0 a=b\n",
      "6 abc\n",
      "5 =b\n",
      "06 a=b\nx",
      "6 \0=b\n",
      "3 \n",
      " a=b\n",
    ];
    for (const data of records)
      expect(await failure(tarOf({ name: "x", type: "x", data }, { name: "a" }))).toMatchObject({ code: "data-loss" });
    for (const [key, value] of [
      ["size", "-1"],
      ["size", "1e3"],
      ["mtime", "now"],
      ["uid", "99999999999999999999"],
      ["path", "a\0b"],
      ["SCHILY.xattr.", "x"],
    ] as const)
      expect(await failure(tarOf({ name: "a", pax: [[key, value]] }))).toMatchObject({ code: "data-loss" });
  });

  it("reads nothing but errors from random bytes and damaged archives", async () => {
    const good = tarOf(
      { name: "a", data: "x".repeat(700), pax: [["SCHILY.xattr.user.a", "b"]] },
      { name: "b", type: "5" },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        async (changes) => {
          const damaged = Buffer.from(good);
          for (const [at, byte] of changes) damaged[at] = byte;
          expect(await failure(damaged, { totalBytes: 1 << 20 })).toHaveProperty("code");
        },
      ),
      { numRuns: 200 },
    );
  });

  it("keeps its limits", async () => {
    const big = tarOf({ name: "a", data: "x".repeat(2000) });
    const cases: [Uint8Array, Partial<ArchiveLimits>, string][] = [
      [tarOf({ name: "a" }, { name: "b" }), { entries: 1 }, "more than 1 entries"],
      [big, { totalBytes: 1999 }, "more than 1999 bytes"],
      [
        tarOf({ name: "a", pax: [["comment", "x".repeat(600)]] }),
        { headerBytes: 600 },
        "more than 600 bytes of a header",
      ],
      [tarOf({ name: "a", pax: [["path", "x".repeat(4096)]] }), {}, "more than 4095 bytes of a name"],
      [
        tarOf({
          name: "a",
          pax: [
            ["SCHILY.xattr.a", ""],
            ["SCHILY.xattr.b", ""],
          ],
        }),
        { xattrs: 1 },
        "more than 1 extended attributes of one entry",
      ],
      [Buffer.concat([big, Buffer.alloc(2000)]), { trailingBytes: 1000 }, "more than 1000 bytes behind its end"],
      [tarOf({ name: "a", size: 2 ** 50 }), {}, "more than 1099511627776 bytes"],
    ];
    for (const [archive, limits, state] of cases) {
      const { code, message } = await failure(archive, limits);
      expect([code, message.replace(/^.*: /, "")]).toEqual(["resource-exhausted", state]);
    }
  });
});

describe("TarReader, sparse files", () => {
  const old = (segments: [number, number][], realSize: number, more: Buffer[] = []): ((block: Buffer) => void) => {
    return (block) => {
      segments.forEach(([offset, size], i) => {
        block.write(
          `${offset.toString(8).padStart(11, "0")}\0${size.toString(8).padStart(11, "0")}\0`,
          386 + i * 24,
          "latin1",
        );
      });
      block[482] = more.length > 0 ? 1 : 0;
      block.write(realSize.toString(8).padStart(11, "0"), 483, "latin1");
    };
  };
  const whole = (parts: [number, string][], size: number): string => {
    const data = Buffer.alloc(size);
    for (const [at, text] of parts) data.write(text, at, "latin1");
    return data.toString("latin1");
  };

  it("reads GNU's old form", async () => {
    const archive = tarOf(
      {
        name: "s",
        type: "S",
        format: "gnu",
        data: "abcdef",
        patch: old(
          [
            [10, 3],
            [2000, 3],
            [5000, 0],
          ],
          5000,
        ),
      },
      { name: "next" },
    );
    const [first, next] = await read(archive);
    expect(first?.data).toBe(
      whole(
        [
          [10, "abc"],
          [2000, "def"],
        ],
        5000,
      ),
    );
    expect(next?.name).toBe("next");
  });

  it("reads GNU's old form with blocks of further segments", async () => {
    const segments = Array.from({ length: 30 }, (_, i): [number, number] => [i * 100, 1]);
    const extension = (list: [number, number][], more: boolean): Buffer => {
      const block = Buffer.alloc(512);
      list.forEach(([offset, size], i) => {
        block.write(
          `${offset.toString(8).padStart(11, "0")}\0${size.toString(8).padStart(11, "0")}\0`,
          i * 24,
          "latin1",
        );
      });
      block[504] = more ? 1 : 0;
      return block;
    };
    const blocks = [extension(segments.slice(4, 25), true), extension(segments.slice(25), false)];
    const header = tarEntry({
      name: "s",
      type: "S",
      format: "gnu",
      size: 30,
      patch: old(segments.slice(0, 4), 3000, blocks),
    });
    const data = Buffer.alloc(512);
    data.write("x".repeat(30));
    const [entry] = await read(Buffer.concat([header, ...blocks, data, Buffer.alloc(1024)]));
    expect(entry?.data).toBe(
      whole(
        segments.map(([at]) => [at, "x"]),
        3000,
      ),
    );
  });

  it("reads PAX 0.0, 0.1 and 1.0", async () => {
    const data = "abcdef";
    const map = "2\n10\n3\n2000\n3\n";
    const common: [string, string][] = [
      ["GNU.sparse.numblocks", "2"],
      ["GNU.sparse.size", "3000"],
    ];
    const archive = tarOf(
      {
        name: "zero",
        data,
        pax: [
          ...common,
          ["GNU.sparse.offset", "10"],
          ["GNU.sparse.numbytes", "3"],
          ["GNU.sparse.offset", "2000"],
          ["GNU.sparse.numbytes", "3"],
        ],
      },
      {
        name: "GNUSparseFile.1/one",
        data,
        pax: [...common, ["GNU.sparse.name", "one"], ["GNU.sparse.map", "10,3,2000,3"]],
      },
      {
        name: "GNUSparseFile.1/two",
        data: map.padEnd(512, "\0") + data,
        pax: [
          ["GNU.sparse.major", "1"],
          ["GNU.sparse.minor", "0"],
          ["GNU.sparse.name", "two"],
          ["GNU.sparse.realsize", "3000"],
        ],
      },
      { name: "next" },
    );
    const content = whole(
      [
        [10, "abc"],
        [2000, "def"],
      ],
      3000,
    );
    expect((await read(archive)).map((e) => [e.name, e.data])).toEqual([
      ["zero", content],
      ["one", content],
      ["two", content],
      ["next", ""],
    ]);
  });

  it("refuses maps that overlap, leave the file or do not match the content", async () => {
    const map = (text: string, size = "100"): Promise<{ code: string }> =>
      failure(
        tarOf({
          name: "s",
          data: "abcdef",
          pax: [
            ["GNU.sparse.map", text],
            ["GNU.sparse.size", size],
          ],
        }),
      );
    for (const text of [
      "0,3,2,3",
      "0,3,98,3",
      "0,3",
      "0,3,10,4",
      "0,3,10",
      "-1,3,10,3",
      "10,3,0,3",
      "0,3,9007199254740991,3",
    ])
      expect(await map(text)).toMatchObject({ code: "data-loss" });
    expect(await map("0,6", "x")).toMatchObject({ code: "data-loss" });
    expect(
      await failure(
        tarOf({
          name: "s",
          data: "abcdef",
          pax: [
            ["GNU.sparse.major", "2"],
            ["GNU.sparse.minor", "0"],
          ],
        }),
      ),
    ).toMatchObject({ code: "data-loss" });
  });

  it("refuses sparse bombs: too many segments, and files that are too large", async () => {
    const many = Array.from({ length: 50 }, (_, i) => `${i * 10},0`).join();
    const bomb = tarOf({
      name: "s",
      pax: [
        ["GNU.sparse.map", many],
        ["GNU.sparse.size", "10000"],
      ],
    });
    expect(await failure(bomb, { segments: 49 })).toMatchObject({ code: "resource-exhausted" });
    const counted = {
      name: "s",
      pax: [
        ["GNU.sparse.major", "1"],
        ["GNU.sparse.minor", "0"],
        ["GNU.sparse.realsize", "9"],
      ] as [string, string][],
    };
    expect(await failure(tarOf({ ...counted, data: "99999999\n".padEnd(512, "0") }))).toMatchObject({
      code: "resource-exhausted",
    });
    expect(await failure(tarOf({ ...counted, data: "1".repeat(512) }))).toMatchObject({ code: "data-loss" });
    expect(await failure(tarOf({ ...counted, data: "3\n1\n".padEnd(512, "0") }))).toMatchObject({ code: "data-loss" });
    const huge = tarOf({
      name: "s",
      pax: [
        ["GNU.sparse.map", "0,0"],
        ["GNU.sparse.size", "9007199254740991"],
      ],
    });
    expect(await failure(huge)).toMatchObject({ code: "resource-exhausted" });
  });
});
