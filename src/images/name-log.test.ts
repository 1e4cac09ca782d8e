import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Digest } from "#spec";
import { logName, readNames, type LoggedName } from "./name-log.ts";

let directory = "";
let database = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sampan-names-"));
  database = join(directory, "metadata.db");
});
afterEach(() => rmSync(directory, { recursive: true }));

const line = (name: string, letter?: string, namespace = "default"): LoggedName => ({
  namespace,
  name,
  ...(letter !== undefined && {
    digest: `sha256:${letter.repeat(64)}` as Digest,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    size: 7,
    pinned: 0,
  }),
});
const nothing = (): LoggedName[] => [];

test("readNames() gives what each name stood for last, of each namespace", () => {
  for (const one of [line("a", "1"), line("b", "1"), line("a", "2"), line("b"), line("a", "3", "other")]) {
    logName(database, one, nothing);
  }
  logName(database, { ...line("a", "3", "other"), pinned: 1 }, nothing);
  expect(readNames(database)).toEqual([line("a", "2"), { ...line("a", "3", "other"), pinned: 1 }]);
  expect(statSync(`${database}-names`).mode & 0o777).toBe(0o600);
});

test("readNames() leaves out lines that say nothing, and a log that is not there", () => {
  expect(readNames(database)).toEqual([]);
  logName(database, line("a", "1"), nothing);
  const text = readFileSync(`${database}-names`, "utf8");
  writeFileSync(`${database}-names`, `null\n7\n{}\n{"namespace":1,"name":"x"}\n${text}{"namespace":"default","na`);
  expect(readNames(database)).toEqual([line("a", "1")]);
});

test("logName() writes the log anew when most of it counts no more, and never fails", () => {
  for (let i = 0; i < 2000; i += 1) logName(database, line(`image${i % 10}`, "1"), () => [line("kept", "2")]);
  expect(statSync(`${database}-names`).size).toBeLessThan(300_000);
  expect(readNames(database)).toContainEqual(line("kept", "2"));
  logName(join(directory, "absent/metadata.db"), line("a", "1"), nothing);
});

test("logName() looks at all that counts only when the log has doubled, where most of it counts", () => {
  let asked = 0;
  const all = function* all(): Generator<LoggedName> {
    asked += 1;
    for (let i = 0; i < 2000; i += 1) yield line(`image${i}`, "1");
  };
  for (let i = 0; i < 6000; i += 1) logName(database, line(`image${i % 2000}`, "1"), all);
  // At 256 KiB, 512 KiB and 1 MiB, where it is written anew with some 420 KB, and at 512 KiB again.
  expect(asked).toBe(4);
  expect(readNames(database)).toHaveLength(2000);
});
