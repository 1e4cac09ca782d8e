import { isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesToIp, bytesToMac, macToBytes, parseIp } from "./text.ts";

describe("parseIp()", () => {
  it("reads what bytesToIp() writes", () => {
    const bytes = fc
      .constantFrom(4, 16)
      .chain((n) =>
        fc
          .array(fc.constantFrom(0, 0, 0, 1, 10, 255), { minLength: n, maxLength: n })
          .map((list) => Uint8Array.from(list)),
      );
    fc.assert(
      fc.property(bytes, (value) => {
        const text = bytesToIp(value) ?? "";
        expect(parseIp(text)).toEqual(value);
        // The other canonical writer at hand; of mapped addresses it makes hexadecimal numbers.
        if (value.length === 16 && !text.includes(".")) expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`);
      }),
    );
  });

  it("takes what Node's isIP() takes", () => {
    const near = fc.oneof(
      fc.stringMatching(/^[0-9a-f:]{0,20}$/),
      fc.stringMatching(/^[0-9.]{0,16}$/),
      fc.array(fc.stringMatching(/^[0-9a-f]{0,5}$/), { maxLength: 9 }).map((groups) => groups.join(":")),
      fc.stringMatching(/^([0-9a-f]{0,4}:){1,6}[0-9.]{7,9}$/),
    );
    fc.assert(
      fc.property(near, (text) => {
        expect([text, parseIp(text) !== undefined]).toEqual([text, isIP(text) !== 0]);
      }),
      { numRuns: 3000 },
    );
  });

  it("is written in IPv6's canonical form", () => {
    const canonical = (text: string): string | undefined => bytesToIp(parseIp(text) ?? new Uint8Array());
    expect(
      ["2001:DB8:0:0:1:0:0:1", "::", "0:0:0:0:0:0:0:1", "2001:db8:0:1:1:1:1:1", "::ffff:1.2.3.4", "1::"].map(canonical),
    ).toEqual(["2001:db8::1:0:0:1", "::", "::1", "2001:db8:0:1:1:1:1:1", "::ffff:1.2.3.4", "1::"]);
  });
});

it("macToBytes() reads what bytesToMac() writes, and nothing else", () => {
  expect(bytesToMac(macToBytes("02:42:AC:11:00:02"))).toBe("02:42:ac:11:00:02");
  for (const text of ["", "02:42:ac:11:00", "02-42-ac-11-00-02", "02:42:ac:11:00:0g"])
    expect(() => macToBytes(text)).toThrow("it is not six bytes");
});
