import { describe, expect, it } from "vitest";
import { DetachKeys, parseDetachKeys } from "./detach-keys.ts";

describe("parseDetachKeys()", () => {
  it.each([
    [undefined, [16, 17]],
    ["", [16, 17]],
    ["ctrl-x,d", [24, 100]],
    ["ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_", [0, 27, 28, 29, 30, 31]],
    ["a", [97]],
  ])("reads %j", (text, keys) => {
    expect(parseDetachKeys(text)).toStrictEqual(keys);
  });

  it.each(["ctrl-", "ctrl-1", "ab", "a,,b", "ctrl-p;ctrl-q", "\u00e4"])("refuses %j", (text) => {
    expect(() => parseDetachKeys(text)).toThrow(`Cannot parse --detach-keys "${text}": it is no list of keys`);
  });
});

describe("DetachKeys", () => {
  const take = (keys: string, ...chunks: readonly string[]): string => {
    const detach = new DetachKeys([...Buffer.from(keys)]);
    return chunks
      .map((chunk) => {
        const found = detach.take(Buffer.from(chunk));
        return Buffer.from(found.data).toString() + (found.detach ? "|" : "");
      })
      .join("");
  };
  it.each([
    ["pq", ["apqb"], "a|"],
    ["pq", ["p", "q"], "|"],
    ["pq", ["p", "x"], "px"],
    ["pq", ["ppq"], "p|"],
    ["aab", ["aaab"], "a|"],
    ["aab", ["aa", "c"], "aac"],
    ["abac", ["abab", "ac"], "ab|"],
  ])("%s in %j", (keys, chunks, expected) => {
    expect(take(keys, ...chunks)).toBe(expected);
  });
});
