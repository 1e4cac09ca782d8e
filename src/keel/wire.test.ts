import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Writer } from "./wire.ts";

/** Bytes of an encoded string, without its length and NUL. */
const encoded = (value: string): number[] => {
  const writer = new Writer(1);
  writer.string(value);
  const { written } = writer;
  expect(new DataView(written.buffer).getUint32(0, true)).toBe(written.length - 5);
  expect(written.at(-1)).toBe(0);
  return [...written.subarray(4, -1)];
};

describe("Writer.string()", () => {
  it("writes UTF-8", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "ü", "☃", "𝄞", "\u{10ffff}", "\n") }), (value) => {
        expect(encoded(value)).toEqual([...Buffer.from(value)]);
      }),
    );
  });

  it("turns U+DC80 to U+DCFF into single bytes, and other lone surrogates into U+FFFD", () => {
    expect(encoded("a\udcff\udc80ü𝄞\udce4")).toEqual([0x61, 0xff, 0x80, 0xc3, 0xbc, 0xf0, 0x9d, 0x84, 0x9e, 0xe4]);
    expect(encoded("\ud800\udc7f\udd00\ud800")).toEqual([...Buffer.from("\u{1007f}\ufffd\ufffd")]);
  });

  it("refuses a NUL", () => {
    expect(() => encoded("a\0b")).toThrow("NUL");
  });
});

describe("Writer.clear()", () => {
  it("starts again", () => {
    const writer = new Writer();
    writer.u32(7);
    writer.clear();
    writer.u8(1);
    expect([...writer.written]).toEqual([1]);
  });
});
