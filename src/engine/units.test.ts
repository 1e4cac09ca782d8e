import fc from "fast-check";
import { expect, test } from "vitest";
import { humanDuration, humanSize, parseBytes, parseCpus, parseInteger } from "./units.ts";

test("parseBytes() understands Docker's and IEC's units as powers of 1024", () => {
  expect(["7", "1k", "2KiB", "256m", "1.5g", "1TB", 42].map((t) => parseBytes(t, "--memory"))).toEqual([
    7, 1024, 2048, 268_435_456, 1_610_612_736, 1_099_511_627_776, 42,
  ]);
});

test("parseBytes() names the value and what it was given for", () => {
  for (const text of ["", "m", "-1", "1x", "1e9", "99999999999g", "0x10"])
    expect(() => parseBytes(text, "--memory")).toThrow(`Cannot parse --memory "${text}": it is not a size`);
});

test("parseBytes() gives whole numbers back as they are", () => {
  fc.assert(fc.property(fc.nat(), (n) => parseBytes(String(n), "x") === n));
});

test("parseCpus() gives the quota of a period of 100 ms", () => {
  expect(["0.5", "2", ".25", "0"].map((t) => parseCpus(t, "--cpus"))).toEqual([50_000, 200_000, 25_000, 0]);
  expect(() => parseCpus("0.001", "--cpus")).toThrow("smallest share");
  for (const text of ["", "-1", "1e3", "NaN", "two"]) expect(() => parseCpus(text, "--cpus")).toThrow("not a number");
});

test("parseInteger() refuses what is out of bounds or no integer", () => {
  expect(parseInteger("-1", "x", -1, 5)).toBe(-1);
  for (const text of ["6", "-2", "1.0", "", "a"]) expect(() => parseInteger(text, "x", -1, 5)).toThrow("whole number");
});

test("humanDuration() and humanSize() round as Docker does", () => {
  expect([500, 59_000, 61_000, 7_200_000, 86_400_000 * 3, 86_400_000 * 20].map(humanDuration)).toEqual([
    "Less than a second",
    "59 seconds",
    "About a minute",
    "2 hours",
    "3 days",
    "2 weeks",
  ]);
  expect([0, 999, 4_260_000, 187_654_321].map(humanSize)).toEqual(["0B", "999B", "4.26MB", "188MB"]);
});
