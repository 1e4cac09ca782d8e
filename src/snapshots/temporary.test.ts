import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { abandoned, temporaryPath } from "./temporary.ts";

it("abandoned() finds what is named after a process that has ended, and nothing of this one", () => {
  const directory = mkdtempSync(join(tmpdir(), "sampan-unit-"));
  try {
    const own = [temporaryPath(directory), temporaryPath(directory)];
    expect(own[0]).not.toBe(own[1]);
    const left = [join(directory, "4194303-1-a"), join(directory, `${process.pid}-1-b`), join(directory, "junk")];
    for (const path of [...own, ...left]) mkdirSync(path);
    expect(abandoned(directory).sort()).toEqual(left.sort());
  } finally {
    rmSync(directory, { recursive: true });
  }
});
