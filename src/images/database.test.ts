import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDatabase, type Database } from "./database.ts";

let directory = "";
let database: Database;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sampan-database-"));
  database = openDatabase(join(directory, "below/metadata.db"));
});
afterEach(() => {
  database[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

const create = "CREATE TABLE t (a TEXT) STRICT";
const rows = (from: Database): unknown[] =>
  from
    .prepare("SELECT a FROM t ORDER BY a")
    .all()
    .map(({ a }) => a);

test("Database.migrate() runs each step once, for each component on its own", () => {
  database.migrate("one", [create]);
  database.migrate("one", [create]);
  database.migrate("one", [create, "INSERT INTO t VALUES ('second step')"]);
  database.migrate("two", ["INSERT INTO t VALUES ('other component')"]);
  database.migrate("one", [create, "INSERT INTO t VALUES ('second step')"]);
  expect(rows(database)).toEqual(["other component", "second step"]);
});

test("Database.migrate() refuses the file of a newer program", () => {
  database.migrate("one", [create, "INSERT INTO t VALUES ('x')"]);
  expect(() => database.migrate("one", [create])).toThrow(
    expect.objectContaining({
      code: "failed-precondition",
      message: `Cannot open "${join(directory, "below/metadata.db")}": its one tables have version 2`,
    }),
  );
});

test("Database.migrate() changes nothing when a step fails", () => {
  expect(() => database.migrate("one", [create, "INSERT INTO missing VALUES (1)"])).toThrow("no such table");
  database.migrate("one", [create]);
  expect(rows(database)).toEqual([]);
});

test("Database.transaction() takes back what was done when it throws, with what was nested in it", () => {
  database.migrate("one", [create]);
  expect(() =>
    database.transaction(() => {
      database.transaction(() => database.prepare("INSERT INTO t VALUES ('inner')").run());
      throw new Error("stop");
    }),
  ).toThrow("stop");
  expect(rows(database)).toEqual([]);
  database.transaction(() => database.prepare("INSERT INTO t VALUES ('kept')").run());
  expect(rows(database)).toEqual(["kept"]);
});

test("Database.transaction() refuses what waits, and takes it back", () => {
  database.migrate("one", [create]);
  expect(() =>
    database.transaction(async () => {
      database.prepare("INSERT INTO t VALUES ('x')").run();
    }),
  ).toThrow(expect.objectContaining({ code: "internal" }));
  expect(rows(database)).toEqual([]);
});

test("two connections see each other's transactions", () => {
  using other = openDatabase(join(directory, "below/metadata.db"));
  database.migrate("one", [create]);
  other.migrate("one", [create]);
  database.transaction(() => {
    database.prepare("INSERT INTO t VALUES ('x')").run();
    expect(rows(other)).toEqual([]);
  });
  expect(rows(other)).toEqual(["x"]);
});
