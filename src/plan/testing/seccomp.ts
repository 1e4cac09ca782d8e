/** Seccomp profiles for tests, and what they mean in other words than the compiler's. */
import {
  seccompActions,
  seccompOperators,
  type SeccompCondition,
  type SeccompOperator,
  type SeccompProfile,
  type SeccompRule,
} from "#spec";
import fc from "fast-check";
import { actionValue } from "../seccomp/actions.ts";
import { abisOf, type SyscallAbi } from "../seccomp/syscalls.ts";
import type { SystemCall } from "../seccomp/interpret.ts";
import type { SeccompArchitecture } from "#spec";

export const zero = [0n, 0n, 0n, 0n, 0n, 0n];

function conditionHolds(
  { index, op, value, valueTwo }: SeccompCondition,
  args: readonly bigint[],
  bits: bigint,
): boolean {
  const all = (1n << bits) - 1n;
  const argument = (args[index] ?? 0n) & all;
  const wanted = value & all;
  const holds: Record<SeccompOperator, boolean> = {
    SCMP_CMP_NE: argument !== wanted,
    SCMP_CMP_LT: argument < wanted,
    SCMP_CMP_LE: argument <= wanted,
    SCMP_CMP_EQ: argument === wanted,
    SCMP_CMP_GE: argument >= wanted,
    SCMP_CMP_GT: argument > wanted,
    SCMP_CMP_MASKED_EQ: (argument & wanted) === (valueTwo & wanted),
  };
  return holds[op];
}

/** Each list of conditions that a rule stands for. */
const lists = ({ args }: SeccompRule): readonly (readonly SeccompCondition[])[] => {
  const twice = new Set(args.map(({ index }) => index)).size < args.length;
  return twice ? args.map((condition) => [condition]) : [args];
};

const always = ({ op, value }: SeccompCondition): boolean => op === "SCMP_CMP_MASKED_EQ" && value === 0n;

interface Rule {
  readonly value: number;
  readonly lists: readonly (readonly SeccompCondition[])[];
}

function rulesFor(profile: SeccompProfile, name: string): readonly Rule[] {
  const otherwise = actionValue(profile.defaultAction, profile.defaultErrnoRet);
  return profile.syscalls
    .filter(({ names }) => names.includes(name))
    .map((rule) => ({ value: actionValue(rule.action, rule.errnoRet), lists: lists(rule) }))
    .filter(({ value }) => value !== otherwise);
}

const isFixed = (rule: Rule): boolean => rule.lists.some((list) => list.every(always));

/** Two rules for a call have the same conditions and different actions. */
export function contradicts(profile: SeccompProfile): boolean {
  const names = new Set(profile.syscalls.flatMap((rule) => rule.names));
  const text = (list: readonly SeccompCondition[]): string =>
    JSON.stringify(
      list
        .filter((condition) => !always(condition))
        .map(({ index, op, value, valueTwo }) => {
          const second = op === "SCMP_CMP_MASKED_EQ" ? value & valueTwo : 0n;
          return `${index}${op}${value}/${second}`;
        })
        .toSorted(),
    );
  for (const name of names) {
    const seen = new Map<string, number>();
    for (const rule of rulesFor(profile, name)) {
      if (isFixed(rule)) break;
      for (const list of rule.lists) {
        const before = seen.get(text(list));
        if (before !== undefined && before !== rule.value) return true;
        seen.set(text(list), rule.value);
      }
    }
  }
  return false;
}

/** What the rules for one name decide; undefined when they leave it to the default action. */
function decided(rules: readonly Rule[], args: readonly bigint[], abi: SyscallAbi): number | undefined {
  const fixed = rules.find(isFixed);
  if (fixed !== undefined) return fixed.value;
  const bits = abi.narrow ? 32n : 64n;
  return rules.find((rule) =>
    rule.lists.some((list) => list.every((condition) => conditionHolds(condition, args, bits))),
  )?.value;
}

const socketCalls =
  "socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom shutdown setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg".split(
    " ",
  );
const ipcCalls: Readonly<Record<number, string>> = {
  1: "semop",
  2: "semget",
  3: "semctl",
  4: "semtimedop",
  11: "msgsnd",
  12: "msgrcv",
  13: "msgget",
  14: "msgctl",
  21: "shmat",
  22: "shmdt",
  23: "shmget",
  24: "shmctl",
};

/** The strictest of what the rules for a call that socketcall or ipc leads to can decide. */
function hidden(profile: SeccompProfile, call: string, otherwise: number): number {
  const rules = rulesFor(profile, call);
  const fixed = rules.find(isFixed);
  if (fixed !== undefined) return fixed.value;
  const order = [otherwise, ...rules.map(({ value }) => value)].map((value) => BigInt.asIntN(32, BigInt(value)));
  return Number(
    BigInt.asUintN(
      32,
      order.reduce((a, b) => (b < a ? b : a)),
    ),
  );
}

const enosys = 0x0005_0026;

/** What the filter of a profile must answer on a kernel of an architecture. */
export function meaningOf(profile: SeccompProfile, native: SeccompArchitecture): (call: SystemCall) => number {
  const otherwise = actionValue(profile.defaultAction, profile.defaultErrnoRet);
  const lenient = ["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"].includes(profile.defaultAction);
  const known = new Set(profile.syscalls.flatMap(({ names }) => names));
  const abis = abisOf(native)
    .filter((abi, i) => i === 0 || profile.architectures.includes(abi.name))
    .map((abi) => {
      const names = new Map([...abi.numbers()].map(([name, number]) => [number, name]));
      const isKnown = (name: string): boolean =>
        known.has(name) ||
        (abi.multiplexed && name === "socketcall" && socketCalls.some((call) => known.has(call))) ||
        (abi.multiplexed && name === "ipc" && Object.values(ipcCalls).some((call) => known.has(call)));
      const last = Math.max(0, ...[...names].filter(([, name]) => isKnown(name)).map(([number]) => number));
      return { abi, names, last };
    });
  const has32 = abis.some(({ abi }) => abi.name === "SCMP_ARCH_X32");

  return ({ number, architecture, args }) => {
    const isX32 = architecture === 0xc000_003e && (number & 0x4000_0000) !== 0;
    const found = abis.find(
      ({ abi }) => abi.token === architecture && (abi.name === "SCMP_ARCH_X32") === (isX32 && has32),
    );
    if (found === undefined) return 0x8000_0000;
    const { abi, names, last } = found;
    if (isX32 && !has32) return number === 0xffff_ffff ? otherwise : 0x8000_0000;
    if (!lenient && last > 0 && (number > last || (number === 0 && abi.name.startsWith("SCMP_ARCH_S390"))))
      return enosys;
    const name = names.get(number);
    if (name === undefined) return otherwise;
    const own = decided(rulesFor(profile, name), args, abi);
    if (own !== undefined || !abi.multiplexed) return own ?? otherwise;
    const first = args[0] ?? 0n;
    if (name === "socketcall") return hidden(profile, socketCalls[Number(first & 0xffff_ffffn) - 1] ?? "", otherwise);
    return name === "ipc" ? hidden(profile, ipcCalls[Number(first & 0xffffn)] ?? "", otherwise) : otherwise;
  };
}

/** Values on both sides of what comparisons turn on. */
export const value64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 3n }),
  fc.constantFrom(
    0xffff_ffffn,
    0x1_0000_0000n,
    0x1_0000_0001n,
    0x2_0000_0000n,
    0xffff_ffff_0000_0000n,
    0xffff_ffff_ffff_ffffn,
    0x7e02_0000n,
    38n,
    40n,
  ),
  fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
);
const condition: fc.Arbitrary<SeccompCondition> = fc.record({
  index: fc.integer({ min: 0, max: 5 }),
  op: fc.constantFrom(...seccompOperators),
  value: value64,
  valueTwo: value64,
});
/** Several conditions on one argument are what profiles list values with. */
const conditions = fc.oneof(
  fc.array(condition, { maxLength: 4 }),
  fc.array(
    condition.map((c) => ({ ...c, index: 0 })),
    { minLength: 2, maxLength: 12 },
  ),
);

/** @param names of system calls that rules are about */
export const anyProfile = (
  names: readonly string[],
  architectures: readonly SeccompArchitecture[],
): fc.Arbitrary<SeccompProfile> =>
  fc.record({
    defaultAction: fc.constantFrom(...seccompActions),
    defaultErrnoRet: fc.option(fc.integer({ min: 0, max: 4095 }), { nil: undefined }),
    architectures: fc.subarray([...architectures]),
    syscalls: fc.array(
      fc.record({
        names: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 6 }),
        action: fc.constantFrom(...seccompActions),
        errnoRet: fc.option(fc.integer({ min: 0, max: 4095 }), { nil: undefined }),
        args: conditions,
      }),
      { maxLength: 12 },
    ),
  });

/** Argument lists that a profile's conditions are about, so that equality is met often. */
export const namedArguments = (profile: SeccompProfile): readonly (readonly bigint[])[] =>
  profile.syscalls.flatMap(({ args }) => [
    ...args.flatMap((c) => [c.value, c.valueTwo].map((value) => zero.map((_, i) => (i === c.index ? value : 0n)))),
    zero.map((_, i) => args.find((c) => c.index === i)?.value ?? 0n),
  ]);
