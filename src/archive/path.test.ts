import fc from "fast-check";
import { decodeName } from "#keel";
import { describe, expect, it } from "vitest";
import { cleanPath, meaningOf } from "./path.ts";
import { nameBytes } from "./text.ts";

describe("cleanPath()", () => {
  it("gives relative paths without empty, `.` and `..` components", () => {
    const names = ["a/b", "./a/b", "/a/b", "//a//b/", "a/./b/.", "a/x/../b", "", ".", "/", "./", "a/..", ".hidden/.b"];
    expect(names.map(cleanPath)).toEqual(["a/b", "a/b", "a/b", "a/b", "a/b", "a/b", "", "", "", "", "", ".hidden/.b"]);
  });

  it("refuses names that leave the root", () => {
    for (const name of ["..", "../a", "a/../../b", "/../etc/passwd", "./../a"])
      expect(() => cleanPath(name)).toThrow("it leaves the layer's root");
  });

  it("refuses a component over 255 bytes and a NUL", () => {
    expect(cleanPath("ü".repeat(127))).toBe("ü".repeat(127));
    expect(() => cleanPath(`a/${"ü".repeat(128)}`)).toThrow("longer than 255 bytes");
    expect(() => cleanPath("a\0b")).toThrow("NUL");
  });

  it("never gives a path that a reader could take for another", () => {
    const part = fc.constantFrom("a", "b", ".", "..", "", ".wh.a", "...", "c d");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        let path: string;
        try {
          path = cleanPath(parts.join("/"));
        } catch {
          return;
        }
        expect(cleanPath(path)).toBe(path);
        if (path !== "") expect(path.split("/").every((p) => p !== "" && p !== "." && p !== "..")).toBe(true);
      }),
    );
  });
});

describe("meaningOf()", () => {
  it("tells whiteouts, opaque directories and aufs' files apart", () => {
    expect(
      ["a", "a/.wh.b", ".wh.b", "a/.wh..wh..opq", ".wh..wh..opq", "a/.wh..wh.plnk", ".wh..wh.plnk/1.2", "x.wh.y"].map(
        meaningOf,
      ),
    ).toEqual([
      { kind: "entry" },
      { kind: "whiteout", path: "a/b" },
      { kind: "whiteout", path: "b" },
      { kind: "opaque", path: "a" },
      { kind: "opaque", path: "." },
      { kind: "skip" },
      { kind: "skip" },
      { kind: "entry" },
    ]);
  });

  it("takes a whiteout of the longest name", () => {
    const name = "n".repeat(255);
    expect(meaningOf(cleanPath(`a/.wh.${name}`))).toEqual({ kind: "whiteout", path: `a/${name}` });
    expect(() => cleanPath(`a/.wh.${name}n`)).toThrow("longer than 255 bytes");
  });

  it("refuses whiteouts of nothing, and whiteouts as directories", () => {
    for (const path of [".wh.", "a/.wh.", "a/.wh..", "a/.wh..."])
      expect(() => meaningOf(path)).toThrow("names no file");
    expect(() => meaningOf(".wh.a/b")).toThrow("which is no directory");
  });
});

describe("decodeName()", () => {
  it("keeps UTF-8 and turns other bytes into lone surrogates", () => {
    expect(decodeName(Buffer.from("ü☃𝄞\ufffd"))).toBe("ü☃𝄞\ufffd");
    expect(decodeName(Buffer.from([0x61, 0xff, 0xc3, 0xbc, 0xc3]))).toBe("a\udcffü\udcc3");
    // A surrogate, an overlong form and a code point beyond the last are not UTF-8.
    expect(decodeName(Buffer.from([0xed, 0xa0, 0x80]))).toBe("\udced\udca0\udc80");
    expect(decodeName(Buffer.from([0xc0, 0xaf]))).toBe("\udcc0\udcaf");
    expect(decodeName(Buffer.from([0xf4, 0x90, 0x80, 0x80]))).toBe("\udcf4\udc90\udc80\udc80");
  });

  it("gives different names for different bytes, and knows how many they were", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 40 }), (a, b) => {
        expect(decodeName(a) === decodeName(b)).toBe(Buffer.compare(a, b) === 0);
        expect(nameBytes(decodeName(a))).toBe(a.length);
      }),
    );
  });
});
