import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fromSystemError, notFound } from "./index.ts";

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

test("fromSystemError() says what failed on which path, and keeps the cause", () => {
  const cause = thrownBy(() => readFileSync("/nonexistent/file"));
  const error = fromSystemError(cause);
  expect(error).toMatchObject({
    code: "not-found",
    message: 'Cannot open "/nonexistent/file": no such file or directory',
    fields: { errno: 2, syscall: "open", path: "/nonexistent/file" },
    cause,
  });
});

test("fromSystemError() gives a remedy for a full disk", () => {
  const cause = Object.assign(new Error("x"), { code: "ENOSPC", syscall: "write" });
  expect(fromSystemError(cause)).toMatchObject({
    code: "resource-exhausted",
    message: "Cannot write: no space left on device",
    fields: { remedy: "Free some space, or move elsewhere with --root" },
  });
});

test("fromSystemError() knows what SQLite says of a file", () => {
  const directory = mkdtempSync(join(tmpdir(), "sampan-errdefs-"));
  try {
    writeFileSync(join(directory, "db"), "this is no database, and long enough to be looked at".repeat(20));
    const damaged = thrownBy(() => new DatabaseSync(join(directory, "db")).exec("SELECT * FROM x"));
    expect(fromSystemError(damaged)).toMatchObject({
      code: "data-loss",
      message: "Cannot use the database: it is no SQLite database",
    });
    const missing = thrownBy(() => new DatabaseSync("/nonexistent/db"));
    expect(fromSystemError(missing)).toMatchObject({ code: "failed-precondition" });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("fromSystemError() takes the first failure where cleaning up failed as well", () => {
  const first = notFound("Cannot find it: it is gone");
  const both = new SuppressedError(new Error("second"), first);
  expect(fromSystemError(both)).toBe(first);
  expect(fromSystemError(new SuppressedError(first, new Error("unknown")))).toBe(first);
});

test("fromSystemError() gives errors of the family back, and knows nothing of others", () => {
  const own = notFound("Cannot find it: it is gone");
  expect(fromSystemError(own)).toBe(own);
  expect(
    [new TypeError("x"), "text", undefined, Object.assign(new Error("x"), { code: "ERR_INVALID_ARG" })].map(
      fromSystemError,
    ),
  ).toEqual([undefined, undefined, undefined, undefined]);
});
