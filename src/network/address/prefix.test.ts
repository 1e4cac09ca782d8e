import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contains, formatPrefix, ipToNumber, numberToIp, overlaps, parsePrefix, prefixOf, sizeOf } from "./prefix.ts";

const prefixes = fc
  .constantFrom(4 as const, 6 as const)
  .chain((family) =>
    fc
      .tuple(
        fc.bigInt({ min: 0n, max: family === 4 ? 2n ** 32n - 1n : 2n ** 128n - 1n }),
        fc.nat(family === 4 ? 32 : 128),
      )
      .map(([address, length]) => prefixOf(family, address, length)),
  );

describe("parsePrefix()", () => {
  it("reads what formatPrefix() writes", () => {
    fc.assert(
      fc.property(prefixes, (prefix) => {
        expect(parsePrefix(formatPrefix(prefix))).toEqual(prefix);
      }),
    );
  });

  it.each([
    ["10.0.0.0", 'it is not an address, "/", and a length'],
    ["10.0.0/8", 'it is not an address, "/", and a length'],
    ["10.0.0.0/33", "its length is over 32"],
    ["fd00::/129", "its length is over 128"],
    ["10.0.0.1/24", "it has bits after its prefix"],
  ])("refuses %s", (text, state) => {
    expect(() => parsePrefix(text)).toThrow(`Cannot use subnet "${text}": ${state}`);
  });
});

describe("overlaps()", () => {
  it("is true when and only when one contains the other's first or last address", () => {
    fc.assert(
      fc.property(prefixes, prefixes, (a, b) => {
        const last = b.base + sizeOf(b) - 1n;
        const shared = contains(a, b.base) || contains(a, last) || contains(b, a.base);
        expect(overlaps(a, b)).toBe(a.family === b.family && shared);
      }),
    );
    expect(overlaps(parsePrefix("10.88.0.0/16"), parsePrefix("10.88.200.0/24"))).toBe(true);
    expect(overlaps(parsePrefix("10.88.0.0/16"), parsePrefix("10.89.0.0/16"))).toBe(false);
  });
});

it("numberToIp() is the inverse of ipToNumber()", () => {
  expect(numberToIp(4, ipToNumber("10.88.0.2") + 1n)).toBe("10.88.0.3");
  expect(numberToIp(6, ipToNumber("fd00::ffff") + 1n)).toBe("fd00::1:0");
});
