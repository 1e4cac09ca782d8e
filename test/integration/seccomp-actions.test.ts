/** What this kernel does with our filters: each action, flag and operator, and calls of x86-64's other ABIs. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileSeccomp } from "#plan";
import type { SeccompAction, SeccompCondition, SeccompFlag, SeccompOperator, SeccompProfile } from "#spec";
import { seccompFlags } from "../../src/plan/seccomp/flags.ts";
import { syscallAbis } from "../../src/plan/seccomp/syscalls.ts";
import { program } from "../security/support.ts";
import { mustHere } from "../support/process.ts";

const architecture = process.arch === "arm64" ? "aarch64" : "x86_64";
const abi = architecture === "aarch64" ? syscallAbis.SCMP_ARCH_AARCH64 : syscallAbis.SCMP_ARCH_X86_64;
const number = (name: string, of = abi): number => {
  const found = of.numbers().get(name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};

let directory: string;
let probe: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sampan-seccomp-"));
  const source = await readFile(new URL("seccomp-probe.c", import.meta.url), "utf8");
  probe = await program("seccomp-probe", source, ["-Wextra", "-Werror", "-pthread"]);
});
afterAll(() => rm(directory, { recursive: true }));

async function run(profile: SeccompProfile, way: string, call: number, ...args: (number | bigint)[]): Promise<string> {
  const file = join(directory, "filter");
  await writeFile(file, compileSeccomp(profile, architecture));
  const flags = seccompFlags(profile, [6, 1]);
  return await mustHere([probe, file, String(flags), way, String(call), ...args.map(String)]);
}

/** A profile that allows all but getsid, which is harmless with any arguments. */
const getsid = (action: SeccompAction, errnoRet?: number, flags?: readonly SeccompFlag[]): SeccompProfile => ({
  defaultAction: "SCMP_ACT_ALLOW",
  architectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"],
  flags,
  syscalls: [{ names: ["getsid"], action, errnoRet, args: [] }],
});

describe("the kernel, under a filter of compileSeccomp()", () => {
  it.each([
    ["SCMP_ACT_ALLOW", undefined, "plain", "returned"],
    ["SCMP_ACT_LOG", undefined, "plain", "returned"],
    ["SCMP_ACT_ERRNO", undefined, "plain", "errno 1"],
    ["SCMP_ACT_ERRNO", 123, "plain", "errno 123"],
    ["SCMP_ACT_ERRNO", 0, "plain", "returned"],
    ["SCMP_ACT_TRAP", undefined, "plain", "ended by signal 31"],
    // SYS_SECCOMP is 1.
    ["SCMP_ACT_TRAP", undefined, "trap", new RegExp(`^signal 31 code 1 call ${number("getsid")} errno 0`)],
    ["SCMP_ACT_KILL", undefined, "thread", "the first thread goes on"],
    ["SCMP_ACT_KILL_THREAD", undefined, "thread", "the first thread goes on"],
    ["SCMP_ACT_KILL_PROCESS", undefined, "thread", "ended by signal 31"],
    // Without a tracer there is nobody to decide.
    ["SCMP_ACT_TRACE", 77, "plain", "errno 38"],
    ["SCMP_ACT_TRACE", 77, "trace", "message 77\nreturned"],
    ["SCMP_ACT_TRACE", 65535, "trace", "message 65535\nreturned"],
    ["SCMP_ACT_TRACE", undefined, "trace", "message 1\nreturned"],
    ["SCMP_ACT_NOTIFY", undefined, "notify", "errno 123"],
  ] as const)("does what %s with %s says: %s", async (action, errnoRet, way, output) => {
    const printed = await run(getsid(action, errnoRet), way, number("getsid"));
    if (typeof output === "string") expect(printed).toBe(output);
    else expect(printed).toMatch(output);
  });

  it.each([
    [[]],
    [["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]],
    [["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]],
  ] as const)("takes the flags %j", async (flags) => {
    expect(await run(getsid("SCMP_ACT_ERRNO", 5, flags), "plain", number("getsid"))).toBe("errno 5");
    expect(await run(getsid("SCMP_ACT_NOTIFY", undefined, flags), "notify", number("getsid"))).toBe("errno 123");
  });

  it("compares all 64 bits of an argument, by every operator", async () => {
    const wanted = 0x1_0000_0005n;
    const near = [0n, 5n, wanted - 1n, wanted, wanted + 1n, 0x2_0000_0005n, 0xffff_ffff_ffff_ffffn];
    const holds: Readonly<Record<SeccompOperator, (value: bigint) => boolean>> = {
      SCMP_CMP_NE: (value) => value !== wanted,
      SCMP_CMP_LT: (value) => value < wanted,
      SCMP_CMP_LE: (value) => value <= wanted,
      SCMP_CMP_EQ: (value) => value === wanted,
      SCMP_CMP_GE: (value) => value >= wanted,
      SCMP_CMP_GT: (value) => value > wanted,
      SCMP_CMP_MASKED_EQ: (value) => (value & wanted) === 0x1_0000_0001n,
    };
    for (const [op, check] of Object.entries(holds) as [SeccompOperator, (value: bigint) => boolean][]) {
      const condition: SeccompCondition = { index: 3, op, value: wanted, valueTwo: 0x1_0000_0001n };
      const profile: SeccompProfile = {
        defaultAction: "SCMP_ACT_ALLOW",
        architectures: [],
        syscalls: [{ names: ["getsid"], action: "SCMP_ACT_ERRNO", errnoRet: 99, args: [condition] }],
      };
      for (const value of near)
        expect([op, value, await run(profile, "plain", number("getsid"), 0, 0, 0, value)]).toEqual([
          op,
          value,
          check(value) ? "errno 99" : "returned",
        ]);
    }
  });

  it("answers ENOSYS to numbers greater than the profile's", async () => {
    const names = [...abi.numbers().keys()].filter((name) => name !== "landlock_create_ruleset");
    const old = names.filter((name) => number(name) < number("landlock_create_ruleset"));
    const profile: SeccompProfile = {
      defaultAction: "SCMP_ACT_ERRNO",
      architectures: [],
      syscalls: [{ names: old.filter((name) => name !== "getsid"), action: "SCMP_ACT_ALLOW", args: [] }],
    };
    expect(await run(profile, "plain", number("getsid"))).toBe("errno 1");
    // The kernel has it, and answers EINVAL.
    expect(await run(getsid("SCMP_ACT_ALLOW"), "plain", number("landlock_create_ruleset"))).not.toBe("errno 38");
    expect(await run(profile, "plain", number("landlock_create_ruleset"))).toBe("errno 38");
  });

  it.runIf(architecture === "x86_64")("tells the ABIs of x86-64 apart", async () => {
    const named = getsid("SCMP_ACT_ERRNO", 5);
    const alone: SeccompProfile = { ...named, architectures: [] };
    const x32 = number("getsid", syscallAbis.SCMP_ARCH_X32);
    expect(await run(named, "plain", x32)).toBe("errno 5");
    expect(await run(alone, "plain", x32)).toBe("ended by signal 31");
    expect(await run(alone, "plain", number("getsid"))).toBe("errno 5");
  });

  it.runIf(architecture === "x86_64")("judges 32-bit calls, and what lies inside of socketcall", async ({ skip }) => {
    const i386 = syscallAbis.SCMP_ARCH_X86;
    const open = await run(getsid("SCMP_ACT_ALLOW"), "compat", number("getsid", i386));
    if (open !== "returned") skip();
    const profile: SeccompProfile = {
      ...getsid("SCMP_ACT_ERRNO", 5),
      syscalls: [{ names: ["getsid", "socket"], action: "SCMP_ACT_ERRNO", errnoRet: 5, args: [] }],
    };
    const ask = (name: string, first: number): Promise<string> => run(profile, "compat", number(name, i386), first);
    expect(await ask("getsid", 0)).toBe("errno 5");
    expect(await ask("socket", 1)).toBe("errno 5");
    expect(await ask("socketcall", 1)).toBe("errno 5");
    // bind(2), whose arguments are at address 0.
    expect(await ask("socketcall", 2)).toBe("errno 14");
    const alone: SeccompProfile = { ...profile, architectures: [] };
    expect(await run(alone, "compat", number("getsid", i386))).toBe("ended by signal 31");
  });
});
