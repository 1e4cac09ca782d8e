import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LogReader, parseLogLine } from "./log-file.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const texts = (reader: LogReader): string[] | undefined => reader.read()?.map((e) => Buffer.from(e.text).toString());

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sampan-log-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

test("parseLogLine() takes an entry apart and keeps spaces of the text", () => {
  expect(parseLogLine(bytes("2026-01-02T03:04:05.000000006Z stderr P  a b "))).toEqual({
    time: "2026-01-02T03:04:05.000000006Z",
    stream: "stderr",
    complete: false,
    text: bytes(" a b "),
  });
});

test("parseLogLine() gives nothing for a line that is no entry", () => {
  expect(["", "x", "time stdout", "time stdin F x"].map((t) => parseLogLine(bytes(t)))).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test("LogReader.read() gives what has come since, and holds back half a line", () => {
  const path = join(directory, "log");
  writeFileSync(path, "t stdout F one\nt stdout F tw");
  using reader = new LogReader(path);
  expect(texts(reader)).toEqual(["one"]);
  expect(texts(reader)).toBeUndefined();
  appendFileSync(path, "o\nt stderr F three\n");
  expect(texts(reader)).toEqual(["two", "three"]);
});
