/**
 * Loaded before a program (`node --import`): ends it with SIGKILL before its Nth step that changes something on disk, where
 * N is `KILL_AT`; or, without that, writes how many steps there were to `KILL_COUNT` when it ends by itself. Steps are the
 * calls of `node:fs` that make, rename and remove, and what is written to a database.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { DatabaseSync, StatementSync } from "node:sqlite";

const killAt = Number(process.env["KILL_AT"] ?? Infinity);
let steps = 0;

function step(): void {
  steps += 1;
  if (steps === killAt) process.kill(process.pid, "SIGKILL");
}

function count(owner: object, name: string, isStep: (first: unknown) => boolean = () => true): void {
  const methods = owner as Record<string, (...args: unknown[]) => unknown>;
  const original = methods[name];
  if (original === undefined) throw new Error(`Cannot count "${name}": there is no such function`);
  methods[name] = function counted(this: unknown, ...args: unknown[]): unknown {
    if (isStep(args[0])) step();
    return original.apply(this, args);
  };
}

for (const name of ["rename", "unlink", "rm", "rmdir", "symlink", "mkdir", "writeFile", "open"]) {
  if (name !== "open") count(fs, `${name}Sync`);
  count(fs.promises, name);
}
syncBuiltinESMExports();
count(StatementSync.prototype, "run");
count(DatabaseSync.prototype, "exec", (sql) => /COMMIT|CREATE|ALTER|PRAGMA journal/.test(String(sql)));

const countFile = process.env["KILL_COUNT"];
if (countFile !== undefined) {
  const { writeFileSync } = fs;
  process.once("exit", () => writeFileSync(countFile, String(steps)));
}
