import type { SeccompAction, SeccompFlag, SeccompProfile } from "#spec";
import { describe, expect, it } from "vitest";
import { seccompFlags } from "./flags.ts";

const profile = (
  flags: readonly SeccompFlag[] | undefined,
  action: SeccompAction = "SCMP_ACT_ERRNO",
): SeccompProfile => ({
  defaultAction: "SCMP_ACT_ALLOW",
  architectures: [],
  flags,
  syscalls: [{ names: ["mount"], action, args: [] }],
});
const waitKillable = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV";

describe("seccompFlags()", () => {
  it("turns names into bits, and leaves TSYNC out", () => {
    const flags = ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"] as const;
    expect(seccompFlags(profile(flags), [6, 18])).toBe(6);
  });

  it("sets SPEC_ALLOW when a profile says nothing of flags, and nothing for an empty list", () => {
    expect([seccompFlags(profile(undefined), [6, 18]), seccompFlags(profile([]), [6, 18])]).toEqual([4, 0]);
  });

  it("asks for a listener when a rule does, and for killable waits only then", () => {
    expect([
      seccompFlags(profile([waitKillable], "SCMP_ACT_NOTIFY"), [6, 18]),
      seccompFlags(profile([waitKillable]), [6, 18]),
    ]).toEqual([40, 0]);
  });

  it("refuses a flag that the kernel does not have", () => {
    expect(() => seccompFlags(profile([waitKillable]), [5, 18])).toThrow(
      'Cannot use seccomp flag "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV": this kernel does not have it',
    );
    expect(seccompFlags(profile([waitKillable]), [5, 19])).toBe(0);
  });
});
