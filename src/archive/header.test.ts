import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseHeader } from "./header.ts";
import { decimal, headerNumber, paxTime } from "./numbers.ts";
import { tarEntry, type WrittenEntry } from "./tar-writer.ts";

const header = (entry: WrittenEntry) => parseHeader(tarEntry(entry).subarray(0, 512));
const nameOf = (entry: WrittenEntry): string => {
  const parsed = header(entry);
  return typeof parsed === "string" ? parsed : Buffer.from(parsed.name).toString("latin1");
};
const number = (text: string | number[]) => {
  const bytes = typeof text === "string" ? Buffer.from(text, "latin1") : Buffer.from(text);
  return headerNumber(bytes, 0, bytes.length);
};

describe("headerNumber()", () => {
  it("reads octal digits between spaces and NULs", () => {
    expect(["0000644\0", "   644 \0", "\0\x30000000", "        ", "7777777", "644\0junk"].map(number)).toEqual([
      0o644, 0o644, 0, 0, 0o7777777, 0o644,
    ]);
  });

  it("gives undefined for what is no number", () => {
    expect(["0000648\0", "-1", "0x1f", "64 4", "12a"].map(number)).toEqual(Array.from({ length: 5 }));
  });

  it("reads base 256, also negative numbers, and refuses what is not exact", () => {
    expect(number([0x80, 0, 0, 0, 0, 0, 1, 2])).toBe(258);
    expect(number([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe])).toBe(-2);
    expect(number([0x80, 0, 0, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])).toBe(Number.MAX_SAFE_INTEGER);
    expect(number([0x80, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0])).toBeUndefined();
    expect(number([0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])).toBeUndefined();
  });

  it("reads back what a writer stores, in 8 and 12 bytes", () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 40), max: 2 ** 53 - 1 }), (mtime) => {
        expect(header({ name: "a", mtime })).toMatchObject({ mtime });
      }),
    );
  });
});

describe("paxTime()", () => {
  it("reads fractions and negative times", () => {
    expect(["1", "1.5", "1.123456789987", "-1.5", "-1", "-0.25", "0", "1."].map(paxTime)).toEqual([
      { seconds: 1n, nanoseconds: 0 },
      { seconds: 1n, nanoseconds: 500_000_000 },
      { seconds: 1n, nanoseconds: 123_456_789 },
      { seconds: -2n, nanoseconds: 500_000_000 },
      { seconds: -1n, nanoseconds: 0 },
      { seconds: -1n, nanoseconds: 750_000_000 },
      { seconds: 0n, nanoseconds: 0 },
      { seconds: 1n, nanoseconds: 0 },
    ]);
  });

  it("gives undefined for what is no time", () => {
    expect(["", "x", "1e9", "--1", ".5", "1.5.5", "1".repeat(17)].map(paxTime)).toEqual(Array.from({ length: 7 }));
  });
});

describe("decimal()", () => {
  it("takes digits only, and only what is exact", () => {
    expect(["0", "9007199254740991", "9007199254740992", "-1", "", " 1", "0x1"].map(decimal)).toEqual([
      0,
      Number.MAX_SAFE_INTEGER,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("parseHeader()", () => {
  it("takes the unsigned and the signed checksum, and no other", () => {
    const name = Buffer.from("\xe4\xf6", "latin1");
    expect(nameOf({ name })).toBe("\xe4\xf6");
    expect(nameOf({ name, wrongBy: -512 })).toBe("\xe4\xf6");
    expect(header({ name: "a", wrongBy: 1 })).toBe("the header's checksum does not match");
  });

  it("joins the prefix of ustar, and leaves GNU's other fields there alone", () => {
    const patch = (block: Buffer): void => void block.write("some/where", 345);
    expect(nameOf({ name: "name", patch })).toBe("some/where/name");
    expect(nameOf({ name: "name", patch, format: "gnu" })).toBe("name");
    expect(nameOf({ name: "name", patch, format: "v7" })).toBe("name");
  });

  it("says which field is wrong", () => {
    expect(header({ name: "a", size: -1 })).toBe("the header's size is not a size");
    expect(header({ name: "a", size: "99999999999" })).toBe("the header's size is not a size");
    expect(header({ name: "a", patch: (b) => void b.write("zz", 100) })).toBe("the header's mode is not a number");
    expect(header({ name: "a", patch: (b) => void b.write("zz", 108) })).toBe("the header's owner is not a number");
    expect(header({ name: "a", type: "3", major: -1 })).toBe("the header's device number is not a number");
  });
});
