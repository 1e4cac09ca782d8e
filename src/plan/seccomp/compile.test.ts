import {
  seccompArchitectures,
  type SeccompAction,
  type SeccompCondition,
  type SeccompProfile,
  type SeccompRule,
} from "#spec";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyProfile, contradicts, meaningOf, namedArguments, value64, zero } from "../testing/seccomp.ts";
import { actionValue } from "./actions.ts";
import { compileSeccomp, compileSeccompFor, compileSeccompProfile } from "./compile.ts";
import { interpretFilter } from "./interpret.ts";
import { abisOf, syscallAbis, type SyscallAbi } from "./syscalls.ts";

const {
  SCMP_ARCH_X86_64: abiX8664,
  SCMP_ARCH_X32: abiX32,
  SCMP_ARCH_X86: abiI386,
  SCMP_ARCH_AARCH64: abiAarch64,
} = syscallAbis;
const allow = actionValue("SCMP_ACT_ALLOW", undefined);
const eperm = actionValue("SCMP_ACT_ERRNO", 1);
const enosys = actionValue("SCMP_ACT_ERRNO", 38);
const kill = actionValue("SCMP_ACT_KILL_PROCESS", undefined);

const profileOf = (syscalls: readonly SeccompRule[], more: Partial<SeccompProfile> = {}): SeccompProfile => ({
  defaultAction: "SCMP_ACT_ERRNO",
  architectures: [],
  syscalls,
  ...more,
});
const rule = (names: string, action: SeccompAction, args: readonly SeccompCondition[] = []): SeccompRule => ({
  names: names.split(" "),
  action,
  args,
});
const equal = (value: bigint, index = 0): SeccompCondition => ({ index, op: "SCMP_CMP_EQ", value, valueTwo: 0n });

/** What the filter of a profile answers to a call of an ABI, by name or number. */
function answer(program: Uint8Array, abi: SyscallAbi, call: string | number, args: readonly bigint[] = zero): number {
  const number = typeof call === "number" ? call : abi.numbers().get(call);
  if (number === undefined) throw new Error(`no ${call}`);
  return interpretFilter(program, { number, architecture: abi.token, args });
}

/** Calls that rules of random profiles are about, those inside of socketcall and ipc among them. */
const names =
  "read write openat clone socket accept bind personality ioctl futex execve socketcall ipc shmat semop openat2 setup".split(
    " ",
  );

/** x32 is an ABI of x86-64's kernel alone. */
const kernels = seccompArchitectures.filter((name) => name !== "SCMP_ARCH_X32");

describe("compileSeccomp()", () => {
  it.each(kernels)("compiles to what the profile means, on a kernel of %s", (native) => {
    const abis = abisOf(native);
    const companions = abis.slice(1).map(({ name }) => name);
    fc.assert(
      fc.property(
        anyProfile(names, companions),
        fc.array(fc.array(value64, { minLength: 6, maxLength: 6 }), { maxLength: 6 }),
        (profile, calls) => {
          fc.pre(!contradicts(profile));
          const { program } = compileSeccompFor(profile, native);
          const meaning = meaningOf(profile, native);
          for (const abi of abis) {
            const named = names.flatMap((name) => abi.numbers().get(name) ?? []);
            const numbers = new Set([
              ...named,
              0,
              Math.max(...named) + 1,
              ...abi.numbers().values().take(3),
              0xffff_ffff,
            ]);
            for (const number of numbers)
              for (const args of [zero, ...calls, ...namedArguments(profile)]) {
                const call = { number, architecture: abi.token, args };
                const [is, must] = [interpretFilter(program, call), meaning(call)];
                if (is !== must) expect([abi.name, number, args, is]).toEqual([abi.name, number, args, must]);
              }
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it("answers by name alone: each number of a table, and none but those that a rule names", () => {
    const profile = profileOf([rule("read exit_group file_setattr", "SCMP_ACT_ALLOW")], {
      architectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"],
    });
    const program = compileSeccomp(profile, "x86_64");
    for (const abi of [abiX8664, abiI386, abiX32]) {
      const base = abi === abiX32 ? 0x4000_0000 : 0;
      const allowed = Array.from({ length: 1024 }, (_, i) => base + i).filter((n) => answer(program, abi, n) === allow);
      const wanted = ["read", "exit_group", "file_setattr"].map((name) => abi.numbers().get(name) ?? -1);
      expect(allowed).toEqual(wanted.toSorted((a, b) => a - b));
    }
  });

  it("answers ENOSYS to numbers greater than the profile's, as a kernel as old as the profile would", () => {
    const deny = compileSeccomp(
      profileOf([rule("read futex", "SCMP_ACT_ALLOW"), rule("close_range", "SCMP_ACT_ERRNO")]),
      "aarch64",
    );
    const ask = (program: Uint8Array): readonly number[] =>
      ["read", "io_setup", "close_range", "openat2", "listns"].map((name) => answer(program, abiAarch64, name));
    // Denied calls are known to the profile all the same.
    expect(ask(deny)).toEqual([allow, eperm, eperm, enosys, enosys]);
    const lenient = compileSeccomp(
      profileOf([rule("read", "SCMP_ACT_ERRNO")], { defaultAction: "SCMP_ACT_LOG" }),
      "aarch64",
    );
    const log = actionValue("SCMP_ACT_LOG", undefined);
    expect(ask(lenient)).toEqual([eperm, log, log, log, log]);
  });

  it("answers ENOSYS on s390x to 0 too, which its kernel takes for numbers beyond its table", () => {
    const { program } = compileSeccompFor(profileOf([rule("read", "SCMP_ACT_ALLOW")]), "SCMP_ARCH_S390X");
    const abi = syscallAbis.SCMP_ARCH_S390X;
    expect([0, 1, 3, 4].map((number) => answer(program, abi, number))).toEqual([enosys, eperm, allow, enosys]);
  });

  it("kills callers of architectures that the profile does not name", () => {
    const program = compileSeccomp(profileOf([rule("read listns", "SCMP_ACT_ALLOW")]), "x86_64");
    expect([
      answer(program, abiI386, 3),
      answer(program, abiAarch64, 0),
      answer(program, abiX8664, 0x4000_0000),
      answer(program, abiX8664, 0x7fff_ffff),
      answer(program, abiX8664, 0),
      answer(program, abiX8664, 0xffff_ffff),
    ]).toEqual([kill, kill, kill, kill, allow, eperm]);
  });

  it("leaves out architectures whose programs the kernel cannot run", () => {
    const profile = profileOf([rule("read", "SCMP_ACT_ALLOW")]);
    const all = { ...profile, architectures: seccompArchitectures };
    const own = { ...profile, architectures: ["SCMP_ARCH_ARM"] as const };
    expect(compileSeccomp(all, "aarch64")).toEqual(compileSeccomp(own, "aarch64"));
  });

  it("lets the first rule without conditions decide over rules with conditions", () => {
    const rules = [
      rule("read", "SCMP_ACT_TRAP", [equal(0n)]),
      rule("read", "SCMP_ACT_ALLOW"),
      rule("read", "SCMP_ACT_LOG"),
    ];
    expect(answer(compileSeccomp(profileOf(rules), "x86_64"), abiX8664, "read")).toBe(allow);
  });

  it("lets the first of rules with conditions decide that both hold", () => {
    const rules = [rule("read", "SCMP_ACT_TRAP", [equal(1n)]), rule("read", "SCMP_ACT_ALLOW", [equal(2n, 1)])];
    const program = compileSeccomp(profileOf(rules), "x86_64");
    expect(
      [
        [1n, 2n],
        [0n, 2n],
        [1n, 0n],
        [0n, 0n],
      ].map((args) => answer(program, abiX8664, "read", [...args, 0n, 0n, 0n, 0n])),
    ).toEqual([0x0003_0000, allow, 0x0003_0000, eperm]);
  });

  it("refuses rules with the same conditions and different actions, as libseccomp does", () => {
    const both = [equal(1n), equal(2n, 1)];
    const rules = [rule("read", "SCMP_ACT_ALLOW", both), rule("write read", "SCMP_ACT_TRAP", both.toReversed())];
    expect(() => compileSeccomp(profileOf(rules), "x86_64")).toThrow(
      'Cannot compile the seccomp profile: two rules for "read" have the same conditions and different actions',
    );
  });

  it("writes an action's errno into the filter, also as a tracer's message, and EPERM without one", () => {
    const rules: SeccompRule[] = [
      { names: ["read"], action: "SCMP_ACT_TRACE", errnoRet: 0xfffe, args: [] },
      { names: ["write"], action: "SCMP_ACT_TRACE", args: [] },
      { names: ["open"], action: "SCMP_ACT_ERRNO", errnoRet: 0, args: [] },
      { names: ["close"], action: "SCMP_ACT_NOTIFY", args: [] },
      { names: ["stat"], action: "SCMP_ACT_KILL", args: [] },
      { names: ["fstat"], action: "SCMP_ACT_KILL_THREAD", args: [] },
      { names: ["lstat"], action: "SCMP_ACT_LOG", args: [] },
      { names: ["poll"], action: "SCMP_ACT_KILL_PROCESS", args: [] },
    ];
    const program = compileSeccomp(profileOf(rules, { defaultErrnoRet: 12 }), "x86_64");
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((number) => answer(program, abiX8664, number).toString(16))).toEqual([
      "7ff0fffe",
      "7ff00001",
      "50000",
      "7fc00000",
      "0",
      "0",
      "7ffc0000",
      "80000000",
    ]);
    const two = profileOf([rule("listns", "SCMP_ACT_ALLOW")], { defaultErrnoRet: 12 });
    expect(answer(compileSeccomp(two, "x86_64"), abiX8664, "read")).toBe(0x0005_000c);
  });

  it("applies rules for socket and shmat to socketcall and ipc, whose arguments it cannot see", () => {
    const rules = [rule("shmat bind", "SCMP_ACT_ERRNO"), rule("socket", "SCMP_ACT_KILL", [equal(38n)])];
    const profile = profileOf(rules, { defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86"] });
    const program = compileSeccomp(profile, "x86_64");
    const ask = (name: string, first: bigint): number => answer(program, abiI386, name, [first, 38n, 0n, 0n, 0n, 0n]);
    expect([ask("socketcall", 1n), ask("socketcall", 2n), ask("socketcall", 3n), ask("socket", 38n)]).toEqual([
      0,
      eperm,
      allow,
      0,
    ]);
    // The upper half of ipc's number is a version, which does not lead around the rule.
    expect([ask("ipc", 21n), ask("ipc", 0x1_0015n), ask("ipc", 22n), ask("shmat", 0n)]).toEqual([
      eperm,
      eperm,
      allow,
      eperm,
    ]);
  });

  it("writes struct sock_filter: the smallest program, byte by byte", () => {
    const program = compileSeccomp(profileOf([], { defaultAction: "SCMP_ACT_ALLOW" }), "aarch64");
    expect(Buffer.from(program).toString("hex").match(/.{16}/g)).toEqual([
      "2000000004000000", // load architecture
      "15000002b70000c0", // is it aarch64?
      "2000000000000000", // yes: load number
      "060000000000ff7f", // allow
      "0600000000000080", // no: kill the process
    ]);
  });

  it("names what is no system call of any architecture, and skips it", () => {
    const profile = profileOf([rule("read no_such_call s390_pci_mmio_read", "SCMP_ACT_ALLOW")]);
    expect(compileSeccompProfile(profile, "x86_64").unknown).toEqual(["no_such_call"]);
  });

  it("keeps jumps over more than 255 instructions right", () => {
    const many = Array.from({ length: 300 }, (_, i) =>
      rule("ioctl", i % 2 === 0 ? "SCMP_ACT_ALLOW" : "SCMP_ACT_TRAP", [
        equal(BigInt(i * 7), 1),
        equal(BigInt(i), i % 2),
      ]),
    );
    const profile = profileOf([...many, rule("read write close exit_group futex listns", "SCMP_ACT_ALLOW")]);
    const program = compileSeccomp(profile, "x86_64");
    expect(program.length / 8).toBeGreaterThan(1000);
    for (const number of [0, 1, 2, 16, 202, 470])
      for (const second of [0n, 7n, 8n, 1393n, 2093n]) {
        const call = { number, architecture: abiX8664.token, args: [second, second, 0n, 0n, 0n, 0n] };
        expect(interpretFilter(program, call)).toBe(meaningOf(profile, "SCMP_ARCH_X86_64")(call));
      }
  });

  it("finds one of a thousand values of an argument in a dozen comparisons", () => {
    const many = Array.from({ length: 1000 }, (_, i) => rule("ioctl", "SCMP_ACT_ALLOW", [equal(BigInt(i * 7), 1)]));
    const program = compileSeccomp(profileOf(many), "x86_64");
    const counts = [0n, 7n, 3500n, 6993n, 6994n, 1n << 40n].map((second) => {
      let count = 0;
      const args = [0n, second, 0n, 0n, 0n, 0n];
      const decision = interpretFilter(program, { number: 16, architecture: abiX8664.token, args }, () => count++);
      return [decision, count <= 24];
    });
    expect(counts).toEqual([
      [allow, true],
      [allow, true],
      [allow, true],
      [allow, true],
      [eperm, true],
      [eperm, true],
    ]);
  });

  it("refuses a profile that needs more instructions than the kernel takes", () => {
    const many = Array.from({ length: 1100 }, (_, i) =>
      rule("ioctl", "SCMP_ACT_ALLOW", [equal(BigInt(i), 1), equal(BigInt(i), 2)]),
    );
    expect(() => compileSeccomp(profileOf(many), "x86_64")).toThrow(
      "Cannot compile the seccomp profile: it needs more than the 4096 instructions that the kernel takes",
    );
  });
});
