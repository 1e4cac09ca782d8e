import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RotatedLog } from "./rotated-log.ts";

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "rotated-log-"));
  path = join(directory, "log");
});
afterEach(() => rmSync(directory, { recursive: true }));

const entry = (text: string, tag = "F"): string => `2026-01-01T00:00:00.000000000Z stdout ${tag} ${text}\n`;
const write = (...texts: readonly string[]): void => appendFileSync(path, texts.map((t) => entry(t)).join(""));
/** As the monitor does it. */
const rotate = (files: number): void => {
  for (let n = files - 1; n > 1; n -= 1)
    try {
      renameSync(`${path}.${n - 1}`, `${path}.${n}`);
    } catch {
      // It is not there yet.
    }
  renameSync(path, `${path}.1`);
  writeFileSync(path, "");
};
const all = (log: RotatedLog): string[] => {
  const texts: string[] = [];
  for (let entries = log.read(); entries !== undefined; entries = log.read())
    texts.push(...entries.map((e) => Buffer.from(e.text).toString()));
  return texts;
};

describe("RotatedLog", () => {
  it("reads all files, oldest first, and follows from one to the next", () => {
    write("a", "b");
    rotate(3);
    write("c");
    using log = new RotatedLog(path);
    expect(all(log)).toStrictEqual(["a", "b", "c"]);
    write("d");
    rotate(3);
    write("e");
    rotate(3);
    write("f");
    expect(all(log)).toStrictEqual(["d", "e", "f"]);
    expect(all(log)).toStrictEqual([]);
  });

  it("reads the file that it is at to its end after it was removed, and goes on with the oldest", () => {
    write("a");
    using log = new RotatedLog(path);
    expect(all(log)).toStrictEqual(["a"]);
    write("b");
    for (const text of ["c", "d", "e"]) {
      rotate(3);
      write(text);
    }
    // The first is gone by name; c is the oldest of three.
    expect(all(log)).toStrictEqual(["b", "c", "d", "e"]);
  });

  it("takes a log that is missing for a moment as one that has no more yet", () => {
    write("a");
    using log = new RotatedLog(path);
    expect(all(log)).toStrictEqual(["a"]);
    renameSync(path, `${path}.1`);
    expect(all(log)).toStrictEqual([]);
    write("b");
    expect(all(log)).toStrictEqual(["b"]);
  });

  it.each([
    [0, []],
    [1, ["e"]],
    [2, ["d", "e"]],
    [3, ["c", "d", "e"]],
    [5, ["a", "b", "c", "d", "e"]],
    [99, ["a", "b", "c", "d", "e"]],
  ])("begins with the last %i lines", (count, expected) => {
    write("a", "b", "c");
    rotate(3);
    write("d", "e");
    using log = new RotatedLog(path, count);
    expect(all(log)).toStrictEqual(expected);
    write("f");
    expect(all(log)).toStrictEqual(["f"]);
  });

  it("counts the parts of a long line as one, and an unfinished last line too", () => {
    const long = "x".repeat(16_000);
    const parts = Array.from({ length: 20 }, () => entry(long, "P")).join("");
    writeFileSync(path, `${entry("a")}${parts}${entry("end")}${entry("open", "P")}`);
    using one = new RotatedLog(path, 1);
    expect(all(one)).toStrictEqual(["open"]);
    using two = new RotatedLog(path, 2);
    expect(all(two)).toHaveLength(22);
  });

  it("reads nothing where there is none", () => {
    using log = new RotatedLog(path);
    expect(all(log)).toStrictEqual([]);
    write("a");
    expect(all(log)).toStrictEqual(["a"]);
  });
});
