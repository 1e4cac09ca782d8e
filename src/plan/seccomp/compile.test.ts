import type { SeccompAction, SeccompCondition, SeccompOperator, SeccompProfile, SeccompRule } from "#spec";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { actionValue } from "./actions.ts";
import { compileSeccomp, compileSeccompProfile, seccompFlags } from "./compile.ts";
import { interpretFilter } from "./interpret.ts";
import { abiAarch64, abiI386, abiX32, abiX8664, type SyscallAbi } from "./syscalls.ts";

const zero = [0n, 0n, 0n, 0n, 0n, 0n];
const profileOf = (syscalls: readonly SeccompRule[], more: Partial<SeccompProfile> = {}): SeccompProfile => ({
  defaultAction: "SCMP_ACT_ERRNO",
  architectures: [],
  flags: [],
  syscalls,
  ...more,
});
const rule = (names: string, action: SeccompAction, args: readonly SeccompCondition[] = []): SeccompRule => ({
  names: names.split(" "),
  action,
  args,
});

/** What the filter of a profile answers to a call of an ABI, by name. */
function answer(program: Uint8Array, abi: SyscallAbi, name: string, args = zero): number {
  const number = abi.numbers().get(name);
  if (number === undefined) throw new Error(`no ${name}`);
  return interpretFilter(program, { number: (number | abi.bit) >>> 0, architecture: abi.token, args });
}

function conditionHolds(
  { index, op, value, valueTwo }: SeccompCondition,
  args: readonly bigint[],
  bits: bigint,
): boolean {
  const mask = (1n << bits) - 1n;
  const argument = (args[index] ?? 0n) & mask;
  const wanted = value & mask;
  const holds: Record<SeccompOperator, boolean> = {
    SCMP_CMP_NE: argument !== wanted,
    SCMP_CMP_LT: argument < wanted,
    SCMP_CMP_LE: argument <= wanted,
    SCMP_CMP_EQ: argument === wanted,
    SCMP_CMP_GE: argument >= wanted,
    SCMP_CMP_GT: argument > wanted,
    SCMP_CMP_MASKED_EQ: (argument & wanted) === (valueTwo & mask),
  };
  return holds[op];
}

/** The meaning of a profile, in other words than the compiler's. */
function meaning(profile: SeccompProfile, name: string, args: readonly bigint[], bits: bigint): number {
  const otherwise = actionValue(profile.defaultAction, profile.defaultErrnoRet);
  const rules = profile.syscalls
    .filter(({ names }) => names.includes(name))
    .map((x) => ({ ...x, value: actionValue(x.action, x.errnoRet) }))
    .filter(({ value }) => value !== otherwise);
  const fixed = rules.find((x) => x.args.length === 0);
  if (fixed !== undefined) return fixed.value;
  const matching = rules.find(({ args: conditions }) => {
    const holds = (condition: SeccompCondition): boolean => conditionHolds(condition, args, bits);
    const twice = new Set(conditions.map(({ index }) => index)).size < conditions.length;
    return twice ? conditions.some(holds) : conditions.every(holds);
  });
  return matching?.value ?? otherwise;
}

const operators: readonly SeccompOperator[] = [
  "SCMP_CMP_NE",
  "SCMP_CMP_LT",
  "SCMP_CMP_LE",
  "SCMP_CMP_EQ",
  "SCMP_CMP_GE",
  "SCMP_CMP_GT",
  "SCMP_CMP_MASKED_EQ",
];
const actions: readonly SeccompAction[] = [
  "SCMP_ACT_KILL_PROCESS",
  "SCMP_ACT_KILL_THREAD",
  "SCMP_ACT_TRAP",
  "SCMP_ACT_ERRNO",
  "SCMP_ACT_TRACE",
  "SCMP_ACT_ALLOW",
  "SCMP_ACT_LOG",
  "SCMP_ACT_NOTIFY",
];
const names = ["read", "write", "open", "openat", "clone", "socket", "personality", "ioctl", "futex_wait", "execve"];

/** Values on both sides of what comparisons turn on. */
const value64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 3n }),
  fc.constantFrom(0xffff_ffffn, 0x1_0000_0000n, 0x1_0000_0001n, 0xffff_ffff_ffff_ffffn, 0x7e02_0000n, 38n, 40n),
  fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
);
const condition: fc.Arbitrary<SeccompCondition> = fc.record({
  index: fc.integer({ min: 0, max: 5 }),
  op: fc.constantFrom(...operators),
  value: value64,
  valueTwo: value64,
});
const anyRule: fc.Arbitrary<SeccompRule> = fc.record({
  names: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 6 }),
  action: fc.constantFrom(...actions),
  errnoRet: fc.option(fc.integer({ min: 0, max: 4095 }), { nil: undefined }),
  args: fc.array(condition, { maxLength: 4 }),
});
const anyProfile: fc.Arbitrary<SeccompProfile> = fc.record({
  defaultAction: fc.constantFrom(...actions),
  defaultErrnoRet: fc.option(fc.integer({ min: 0, max: 4095 }), { nil: undefined }),
  architectures: fc.constant(["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]),
  flags: fc.constant([]),
  syscalls: fc.array(anyRule, { maxLength: 12 }),
});

describe("compileSeccomp()", () => {
  it("compiles to what the profile means, for every architecture, call and argument", () => {
    fc.assert(
      fc.property(
        anyProfile,
        fc.array(fc.array(value64, { minLength: 6, maxLength: 6 }), { maxLength: 12 }),
        (p, calls) => {
          const program = compileSeccomp(p, "x86_64");
          const arm = compileSeccomp(p, "aarch64");
          // Arguments that conditions name, so that equality is met often.
          const named = p.syscalls.flatMap((x) =>
            x.args.map((c) => zero.map((_, i) => (i === c.index ? c.value : 0n))),
          );
          for (const args of [zero, ...calls, ...named])
            for (const name of names) {
              for (const abi of [abiX8664, abiX32, abiI386])
                if (abi.numbers().has(name))
                  expect(answer(program, abi, name, args)).toBe(meaning(p, name, args, abi.narrow ? 32n : 64n));
              if (abiAarch64.numbers().has(name))
                expect(answer(arm, abiAarch64, name, args)).toBe(meaning(p, name, args, 64n));
            }
        },
      ),
      { numRuns: 80 },
    );
  });

  it("answers the default for each number that no rule names, and for numbers beyond all calls", () => {
    const program = compileSeccomp(
      profileOf([rule("read exit_group", "SCMP_ACT_ALLOW")], { architectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"] }),
      "x86_64",
    );
    for (const abi of [abiX8664, abiI386, abiX32]) {
      const allowed: number[] = [];
      for (let number = 0; number < 1024; number++)
        if (
          interpretFilter(program, { number: (number | abi.bit) >>> 0, architecture: abi.token, args: zero }) ===
          actionValue("SCMP_ACT_ALLOW", undefined)
        )
          allowed.push(number);
      expect(allowed).toEqual(
        [abi.numbers().get("read"), abi.numbers().get("exit_group")].sort((a, b) => Number(a) - Number(b)),
      );
    }
  });

  it("kills callers of architectures that the profile does not name", () => {
    const program = compileSeccomp(profileOf([rule("read", "SCMP_ACT_ALLOW")]), "x86_64");
    const kill = actionValue("SCMP_ACT_KILL_PROCESS", undefined);
    expect([
      interpretFilter(program, { number: 3, architecture: abiI386.token, args: zero }),
      interpretFilter(program, { number: 0, architecture: abiAarch64.token, args: zero }),
      interpretFilter(program, { number: 0x4000_0000, architecture: abiX8664.token, args: zero }),
      interpretFilter(program, { number: 0x7fff_ffff, architecture: abiX8664.token, args: zero }),
      interpretFilter(program, { number: 0, architecture: abiX8664.token, args: zero }),
      interpretFilter(program, { number: 0xffff_ffff, architecture: abiX8664.token, args: zero }),
    ]).toEqual([kill, kill, kill, kill, actionValue("SCMP_ACT_ALLOW", undefined), actionValue("SCMP_ACT_ERRNO", 1)]);
  });

  it("lets the first rule without conditions decide over rules with conditions", () => {
    const isZero: SeccompCondition = { index: 0, op: "SCMP_CMP_EQ", value: 0n, valueTwo: 0n };
    const program = compileSeccomp(
      profileOf([
        rule("read", "SCMP_ACT_TRAP", [isZero]),
        rule("read", "SCMP_ACT_ALLOW"),
        rule("read", "SCMP_ACT_LOG"),
      ]),
      "x86_64",
    );
    expect(answer(program, abiX8664, "read")).toBe(actionValue("SCMP_ACT_ALLOW", undefined));
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

  it("names what is no system call, and skips it", () => {
    expect(
      compileSeccompProfile(profileOf([rule("read no_such_call s390_pci_mmio_read", "SCMP_ACT_ALLOW")]), "x86_64")
        .unknown,
    ).toEqual(["no_such_call", "s390_pci_mmio_read"]);
  });

  it("keeps jumps over more than 255 instructions right", () => {
    const many = Array.from({ length: 200 }, (_, i): SeccompRule =>
      rule("ioctl", "SCMP_ACT_ALLOW", [{ index: 1, op: "SCMP_CMP_EQ", value: BigInt(i * 7), valueTwo: 0n }]),
    );
    const p = profileOf([...many, rule("read write close exit_group futex", "SCMP_ACT_ALLOW")]);
    const program = compileSeccomp(p, "x86_64");
    for (const [name] of abiX8664.numbers())
      for (const second of [0n, 7n, 8n, 1393n])
        expect(answer(program, abiX8664, name, [0n, second, 0n, 0n, 0n, 0n])).toBe(
          meaning(p, name, [0n, second, 0n, 0n, 0n, 0n], 64n),
        );
  });

  it("refuses a profile that needs more instructions than the kernel takes", () => {
    const many = Array.from({ length: 1100 }, (_, i): SeccompRule =>
      rule("ioctl", "SCMP_ACT_ALLOW", [{ index: 1, op: "SCMP_CMP_EQ", value: BigInt(i), valueTwo: 0n }]),
    );
    expect(() => compileSeccomp(profileOf(many), "x86_64")).toThrow(
      "Cannot compile the seccomp profile: it needs more than the 4096 instructions that the kernel takes",
    );
  });
});

describe("seccompFlags()", () => {
  it("turns names into bits, and leaves TSYNC out", () => {
    expect(
      seccompFlags(["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]),
    ).toBe(6);
  });

  it("refuses an unknown flag", () => {
    expect(() => seccompFlags(["SECCOMP_FILTER_FLAG_X"])).toThrow('Cannot use seccomp flag "SECCOMP_FILTER_FLAG_X"');
  });
});
