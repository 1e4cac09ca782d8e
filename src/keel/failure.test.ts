import { expect, test } from "vitest";
import type { Operation } from "#plan";
import { failure } from "./failure.ts";

const program: readonly Operation[] = [
  { op: "session" },
  { op: "mount", type: "proc", source: "proc", target: "/proc", attributes: 0n, parameters: [], mode: 0o755 },
];

test("failure() names the operation, its step from 1 and the path", () => {
  const error = failure({ kind: "failed", step: 1, errno: 1, syscall: "fsmount", detail: "" }, program);
  expect([error.code, error.message, error.fields]).toEqual([
    "permission-denied",
    'Cannot mount proc on "/proc": operation not permitted',
    { errno: 1, syscall: "fsmount", path: "/proc", step: 2, operation: 'mount proc on "/proc"' },
  ]);
});

test("failure() names the path that the kernel refused when it is another", () => {
  const error = failure({ kind: "failed", step: 1, errno: 2, syscall: "openat2", detail: "/a" }, program);
  expect([error.code, error.message, error.fields.path]).toEqual([
    "not-found",
    'Cannot mount proc on "/proc": no such file or directory ("/a")',
    "/a",
  ]);
});

test("failure() without an operation names the system call", () => {
  const error = failure({ kind: "failed", step: -1, errno: 3, syscall: "pidfd_send_signal", detail: "" }, undefined);
  expect([error.code, error.message, error.fields]).toEqual([
    "failed-precondition",
    "Cannot call pidfd_send_signal: no such process",
    { errno: 3, syscall: "pidfd_send_signal" },
  ]);
});

test("failure() takes a step outside the program for none", () => {
  const error = failure({ kind: "failed", step: 9, errno: 28, syscall: "", detail: "" }, program);
  expect([error.code, error.message, error.fields]).toEqual([
    "resource-exhausted",
    "Cannot carry out the request: no space left on device",
    { errno: 28, step: 10, remedy: "Free some space, or move elsewhere with --root" },
  ]);
});

const hook: Operation = {
  op: "hook",
  parent: true,
  path: "/bin/hook",
  arguments: [],
  environment: [],
  directory: "",
  timeout: 0,
  before: "",
  after: "",
};

test("failure() tells how a hook ended", () => {
  const detail = "/bin/hook exited with status 3: no such network";
  const error = failure({ kind: "failed", step: 0, errno: 125, syscall: "hook", detail }, [hook]);
  expect([error.code, error.message, error.fields]).toEqual([
    "failed-precondition",
    'Cannot run the hook "/bin/hook": exited with status 3: no such network',
    { errno: 125, syscall: "hook", path: "/bin/hook", step: 1, operation: 'run the hook "/bin/hook"' },
  ]);
});

test("failure() keeps the detail of a hook whose path keel has cut short", () => {
  const path = `/bin/${"h".repeat(100)}`;
  const detail = `${path.slice(0, 64)} was killed by signal 9`;
  const error = failure({ kind: "failed", step: 0, errno: 125, syscall: "hook", detail }, [{ ...hook, path }]);
  expect(error.message).toBe(`Cannot run the hook "${path}": ${detail}`);
});
