/**
 * Our seccomp compiler against libseccomp: both programs are run for all system calls and many arguments, on the kernels of
 * all architectures that Debian's libseccomp knows. What we decide differently on purpose:
 *
 * - Calls by an architecture that the profile does not name end the process, and not the thread alone.
 * - Numbers greater than the profile's get ENOSYS, and so does 0 on s390: what runc adds to libseccomp's program.
 * - Rules for `socket` hold inside of socketcall, and rules for `shmat` inside of ipc, wherever a kernel has the two:
 *   libseccomp 2.5 knows that of x86 and s390 only. There it drops conditions on the first argument and compares the others
 *   with pointers; we take the strictest of what the rules could decide. In ipc it also lets through a call with a version.
 */
import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { capabilityNames, defaultCapabilities, defaultSeccompProfile, resolveSeccompFile } from "#plan";
import {
  parseJson,
  parseSeccompFile,
  seccompOperators,
  type SeccompArchitecture,
  type SeccompProfile,
  type SeccompRule,
} from "#spec";
import { compileSeccompFor } from "../../src/plan/seccomp/compile.ts";
import { interpretFilter } from "../../src/plan/seccomp/interpret.ts";
import { abisOf, type SyscallAbi } from "../../src/plan/seccomp/syscalls.ts";
import { value64, zero } from "../../src/plan/testing/seccomp.ts";
import { Libseccomp } from "../support/libseccomp.ts";

let peer: Libseccomp;
beforeAll(() => {
  peer = new Libseccomp();
});
afterAll(() => peer[Symbol.dispose]());

/** Kernels whose programs Debian's libseccomp can build filters for. */
const kernels: readonly SeccompArchitecture[] = [
  "SCMP_ARCH_X86_64",
  "SCMP_ARCH_X86",
  "SCMP_ARCH_ARM",
  "SCMP_ARCH_AARCH64",
  "SCMP_ARCH_MIPS",
  "SCMP_ARCH_MIPS64",
  "SCMP_ARCH_MIPSEL",
  "SCMP_ARCH_MIPSEL64",
  "SCMP_ARCH_PARISC",
  "SCMP_ARCH_PARISC64",
  "SCMP_ARCH_PPC",
  "SCMP_ARCH_PPC64",
  "SCMP_ARCH_PPC64LE",
  "SCMP_ARCH_RISCV64",
  "SCMP_ARCH_S390",
  "SCMP_ARCH_S390X",
];
const companions = (native: SeccompArchitecture): readonly SeccompArchitecture[] =>
  abisOf(native)
    .slice(1)
    .map(({ name }) => name);

const enosys = 0x0005_0026;
/** libseccomp kills the thread where we kill the process. */
const decision = (value: number): number => (value === 0x8000_0000 ? 0 : value);
const permissive: ReadonlySet<string> = new Set(["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"]);

/** The numbers that runc's addition answers with ENOSYS. */
function beyond(profile: SeccompProfile, abi: SyscallAbi): (number: number) => boolean {
  const names = new Set(profile.syscalls.flatMap((rule) => rule.names));
  const last = Math.max(0, ...[...abi.numbers()].filter(([name]) => names.has(name)).map(([, number]) => number));
  const s390 = abi.name === "SCMP_ARCH_S390" || abi.name === "SCMP_ARCH_S390X";
  return (number) => !permissive.has(profile.defaultAction) && last > 0 && (number > last || (s390 && number === 0));
}

/** _llseek until Linux 5.13. */
const noLongerACall = 140;

interface Look {
  readonly native?: SeccompArchitecture;
  /** Names to look at in place of all numbers. */
  readonly only?: ReadonlySet<string>;
  /** Look at socketcall and ipc too. */
  readonly multiplexers?: boolean;
}

/** Runs both for all calls; returns the first calls that they decide differently. */
function differences(
  profile: SeccompProfile,
  argumentLists: readonly (readonly bigint[])[],
  { native = "SCMP_ARCH_X86_64", only, multiplexers = false }: Look = {},
): string[] {
  const ours = compileSeccompFor(profile, native).program;
  const theirs = peer.compile(profile, native);
  const conditional = new Set(profile.syscalls.flatMap(({ names, args }) => (args.length > 0 ? names : [])));
  const found: string[] = [];
  for (const [i, abi] of abisOf(native).entries()) {
    const names = new Map([...abi.numbers()].map(([name, number]) => [number, name]));
    const first = Math.min(...names.keys());
    const named = i === 0 || profile.architectures.includes(abi.name);
    const isBeyond = named ? beyond(profile, abi) : () => false;
    for (let number = first; number <= first + 600; number++) {
      const name = names.get(number) ?? "";
      if (only !== undefined && !only.has(name)) continue;
      if (theirs.unknown.has(name) && name !== "") continue;
      if (!multiplexers && (name === "socketcall" || name === "ipc")) continue;
      if (abi.name === "SCMP_ARCH_PARISC64" && number === noLongerACall) continue;
      // Where no rule looks at arguments, a few will do.
      const looked = conditional.has(name) || name === "socketcall" || name === "ipc";
      for (const args of looked ? argumentLists : argumentLists.slice(0, 2)) {
        const call = { number, architecture: abi.token, args };
        const is = decision(interpretFilter(ours, call));
        const must = isBeyond(number) ? enosys : decision(interpretFilter(theirs.program, call));
        if (is !== must) found.push(`${abi.name} ${name || number}(${args.join(", ")}): ${is} and not ${must}`);
      }
    }
  }
  return found.slice(0, 20);
}

const one = (value: bigint): readonly bigint[] => [value, 0n, 0n, 0n, 0n, 0n];
/** Each value that a condition names, the one before and after, and values with a high half. */
function interesting(profile: SeccompProfile): readonly (readonly bigint[])[] {
  const values = new Set<bigint>([0n, 1n, 0xffff_ffffn, 0x1_0000_0000n]);
  for (const { args } of profile.syscalls)
    for (const { value, valueTwo } of args)
      for (const x of [value, valueTwo])
        for (const near of [x - 1n, x, x + 1n, x ^ 0x1_0000_0000n])
          if (near >= 0n && near <= 0xffff_ffff_ffff_ffffn) values.add(near);
  return [...values].map(one);
}

describe("compileSeccomp()", () => {
  for (const [name, capabilities] of [
    ["the default capabilities", defaultCapabilities],
    ["all capabilities", capabilityNames],
    ["no capabilities", []],
  ] as const)
    it(`decides like libseccomp with the default profile for ${name}`, () => {
      const profile = defaultSeccompProfile({ capabilities, architecture: "x86_64", kernel: [6, 1] });
      expect(differences(profile, interesting(profile))).toEqual([]);
    });

  it.each(kernels)("decides like libseccomp with the default profile, on a kernel of %s", (native) => {
    const own = defaultSeccompProfile({ capabilities: defaultCapabilities, architecture: "aarch64", kernel: [6, 1] });
    for (const architectures of [[], companions(native)]) {
      const profile = { ...own, architectures };
      expect(differences(profile, interesting(profile), { native })).toEqual([]);
    }
  });

  it.runIf(existsSync("/usr/share/containers/seccomp.json"))(
    "decides like libseccomp with Podman's profile file",
    () => {
      const file = parseSeccompFile(parseJson(readFileSync("/usr/share/containers/seccomp.json", "utf8")));
      const context = { capabilities: defaultCapabilities, architecture: "x86_64", kernel: [6, 1] } as const;
      const profile = resolveSeccompFile(file, context);
      expect(differences(profile, interesting(profile))).toEqual([]);
    },
  );

  it.each(["SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_S390", "SCMP_ARCH_S390X"] as const)(
    "decides like libseccomp what lies inside of socketcall and ipc, on a kernel of %s",
    (native) => {
      const rule = (action: SeccompRule["action"], names: string): SeccompRule => ({
        names: names.split(" "),
        action,
        args: [],
      });
      for (const defaultAction of ["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"] as const)
        for (const action of ["SCMP_ACT_ALLOW", "SCMP_ACT_KILL", "SCMP_ACT_TRAP"] as const) {
          if (action === defaultAction) continue;
          const syscalls = [rule(action, "socket accept4 recv semop shmat msgctl semtimedop"), rule(action, "openat2")];
          const profile = { defaultAction, architectures: companions(native), syscalls };
          const first = Array.from({ length: 32 }, (_, i) => one(BigInt(i)));
          expect(differences(profile, first, { native, multiplexers: true })).toEqual([]);
        }
    },
  );

  // One rule for each call: with several, libseccomp 2.5.4 lets through read(0, 0, 0, 1, 0, 0) for "argument 3 & 1 is 0
  // and argument 2 is not 1, or argument 2 is not 0", because it merges the two into one tree wrongly.
  it.each(kernels)("decides like libseccomp with any rule of conditions, on a kernel of %s", (native) => {
    const condition = fc.record({
      index: fc.integer({ min: 0, max: 5 }),
      op: fc.constantFrom(...seccompOperators),
      value: value64,
      valueTwo: value64,
    });
    const names = ["read", "ioctl", "personality", "clone", "munmap", "openat"];
    const conditions = fc.uniqueArray(condition, { maxLength: 4, selector: ({ index }) => index });
    fc.assert(
      fc.property(
        fc.tuple(...names.map(() => conditions)),
        fc.array(fc.array(value64, { minLength: 6, maxLength: 6 }), { maxLength: 6 }),
        (lists, calls) => {
          const syscalls = lists.map((args, i) => ({
            names: [names[i] ?? ""],
            action: "SCMP_ACT_ALLOW" as const,
            args,
          }));
          const profile: SeccompProfile = {
            defaultAction: "SCMP_ACT_ERRNO",
            architectures: companions(native),
            syscalls,
          };
          const named = syscalls.flatMap(({ args }) => [
            zero.map((_, i) => args.find((c) => c.index === i)?.value ?? 0n),
            zero.map((_, i) => args.find((c) => c.index === i)?.valueTwo ?? 0n),
          ]);
          expect(differences(profile, [...calls, ...named], { native, only: new Set(names) })).toEqual([]);
        },
      ),
      { numRuns: native === "SCMP_ARCH_X86_64" ? 60 : 15, endOnFailure: true },
    );
  });
});
