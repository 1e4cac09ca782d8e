import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDatabase, type Database } from "./database.ts";
import { NamedLeases, restoreNamedLeases } from "./named-leases.ts";
import { migrations } from "./schema.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sampan-named-leases-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const open = (): Database => {
  const database = openDatabase(join(directory, "metadata.db"));
  database.migrate("images", migrations);
  return database;
};

test("restoreNamedLeases() puts leases that have not ended into a database that has lost them", () => {
  let before;
  {
    using database = open();
    const leases = new NamedLeases(database, "default");
    const other = new NamedLeases(database, "other");
    leases.create({ id: "kept", lifetime: 3_600_000, labels: { a: "b" } });
    leases.add("kept", ["sha256:2", "snapshot:sha256:1"]);
    leases.add("kept", ["sha256:3"]);
    leases.create({ id: "ended" });
    leases.remove("ended");
    leases.create({ id: "short", lifetime: 1 });
    other.create({ id: "kept" });
    before = [leases.list().filter(({ id }) => id === "kept"), other.list()];
    while (Date.now() <= (leases.list().find(({ id }) => id === "short")?.expiresAt ?? 0));
  }
  for (const suffix of ["", "-wal", "-shm"]) rmSync(join(directory, `metadata.db${suffix}`), { force: true });
  writeFileSync(join(directory, "metadata.db-leases"), '{"namespace":"default","id":"kept","cre', { flag: "a" });
  using database = open();
  expect(restoreNamedLeases(database).map(({ namespace, id }) => `${namespace}/${id}`)).toEqual([
    "default/kept",
    "other/kept",
  ]);
  expect(["default", "other"].map((namespace) => new NamedLeases(database, namespace).list())).toEqual(before);
  expect(before[0]?.[0]?.keys).toEqual(["sha256:2", "sha256:3", "snapshot:sha256:1"]);
});
