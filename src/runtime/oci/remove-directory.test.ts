import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterAll, expect, it } from "vitest";
import { removeDirectory } from "./remove-directory.ts";

const root = mkdtempSync(join(tmpdir(), "remove-directory-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

it("removes a directory whose files somebody else removes at the same time", async () => {
  const directory = join(root, "state");
  const file = join(directory, "monitor.sock");
  // The rounds that were begun, and ended, on both sides.
  const rounds = new Int32Array(new SharedArrayBuffer(8));
  const other = new Worker(
    `const { workerData: { rounds, file } } = require("node:worker_threads");
     const { unlinkSync } = require("node:fs");
     for (let i = 1; ; i++) {
       Atomics.wait(rounds, 0, i - 1);
       for (let k = 0; k < (i % 64) * 300; k++);
       try { unlinkSync(file); } catch {}
       Atomics.store(rounds, 1, i);
       Atomics.notify(rounds, 1);
     }`,
    { eval: true, workerData: { rounds, file } },
  );
  let left = 0;
  for (let round = 1; round <= 640; round++) {
    mkdirSync(directory);
    for (const name of ["pid", "exit", "started", "monitor.sock", "config.json"])
      writeFileSync(join(directory, name), "");
    Atomics.store(rounds, 0, round);
    Atomics.notify(rounds, 0);
    removeDirectory(directory);
    if (existsSync(directory)) left++;
    Atomics.wait(rounds, 1, round - 1);
    rmSync(directory, { recursive: true, force: true });
  }
  await other.terminate();
  expect(left).toBe(0);
});

it("says nothing of a directory that is not there", () => {
  expect(removeDirectory(join(root, "none"))).toBeUndefined();
});
