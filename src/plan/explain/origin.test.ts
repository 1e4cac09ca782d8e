import { expect, it } from "vitest";
import { notFound } from "#errdefs";
import type { Program } from "../plan.ts";
import { withOrigin } from "./origin.ts";

const program: Program = {
  steps: [
    { operation: { op: "session" }, why: "" },
    { operation: { op: "unmount-path", path: "/a" }, why: "", config: "mounts[7]" },
  ],
  warnings: [],
};

it("withOrigin() names the part of the config that a failed step comes from, where it is known", () => {
  const error = notFound('Cannot unmount "/a": no such file', { step: 2, path: "/a" });
  expect(withOrigin(error, program)).toMatchObject({
    code: "not-found",
    fields: { step: 2, path: "/a", config: "mounts[7]" },
  });
  expect(String(withOrigin(error, program))).toContain('"/a": no such file (mounts[7] of the config)');
  for (const other of [notFound("x", { step: 1 }), notFound("x", { step: 3 }), notFound("x"), new Error("x"), "x"])
    expect(withOrigin(other, program)).toBe(other);
});
