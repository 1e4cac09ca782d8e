import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDatabase, type Database } from "./database.ts";
import { forgetDeadLeases, Lease } from "./leases.ts";
import { migrations } from "./schema.ts";

let directory = "";
let database: Database;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sampan-leases-"));
  database = openDatabase(join(directory, "metadata.db"));
  database.migrate("images", migrations);
});
afterEach(() => {
  database[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

const count = (): unknown => database.prepare("SELECT count(*) AS count FROM image_leases").get()?.["count"];

test("Lease.claim() takes what no image needs and nobody else uses", async () => {
  database.prepare("INSERT INTO image_keys VALUES ('other', 'image', 'needed')").run();
  using user = new Lease(database);
  await user.use(["used", "used"]);
  using remover = new Lease(database);
  expect(remover.claim(["needed", "used", "free"])).toEqual(["free"]);
  expect(user.claim(["used"])).toEqual(["used"]);
});

test("Lease.use() waits until a removal has ended", async () => {
  const remover = new Lease(database);
  remover.claim(["key"]);
  using user = new Lease(database);
  let ready = false;
  const used = user.use(["other", "key"]).then(() => {
    ready = true;
    return undefined;
  });
  await sleep(60);
  expect(ready).toBe(false);
  remover[Symbol.dispose]();
  await used;
  expect(count()).toBe(2);
});

test("Lease.use() ends when it is cancelled", async () => {
  using remover = new Lease(database);
  remover.claim(["key"]);
  using user = new Lease(database);
  await expect(user.use(["key"], AbortSignal.timeout(30))).rejects.toMatchObject({ name: "AbortError" });
});

test("what dead processes hold does not count, and is forgotten", async () => {
  const insert = database.prepare("INSERT INTO image_leases VALUES (?, ?, ?)");
  insert.run("key", "999999999-1.1", 1);
  insert.run("other", "999999999-1.2", 0);
  using lease = new Lease(database);
  await lease.use(["key"]);
  expect(lease.claim(["other"])).toEqual(["other"]);
  forgetDeadLeases(database);
  expect(count()).toBe(2);
});
