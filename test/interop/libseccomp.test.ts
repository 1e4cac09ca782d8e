/** Our seccomp compiler against libseccomp: both programs are run for all system calls and many arguments. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { capabilityNames, compileSeccomp, defaultCapabilities, defaultSeccompProfile, resolveSeccompFile } from "#plan";
import { parseJson, parseSeccompFile, type SeccompCondition, type SeccompOperator, type SeccompProfile } from "#spec";
import { actionValue } from "../../src/plan/seccomp/actions.ts";
import { interpretFilter } from "../../src/plan/seccomp/interpret.ts";
import { syscallAbis } from "../../src/plan/seccomp/syscalls.ts";

const { SCMP_ARCH_X86_64: abiX8664, SCMP_ARCH_X32: abiX32, SCMP_ARCH_X86: abiI386 } = syscallAbis;

let directory = "";

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "sampan-libseccomp-"));
  const source = fileURLToPath(new URL("libseccomp-export.c", import.meta.url));
  const built = spawnSync("gcc", ["-Wall", "-Werror", "-o", join(directory, "export"), source, "-lseccomp"], {
    encoding: "utf8",
  });
  expect(built.stderr).toBe("");
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** enum scmp_compare of seccomp.h */
const operatorNumbers: Record<SeccompOperator, number> = {
  SCMP_CMP_NE: 1,
  SCMP_CMP_LT: 2,
  SCMP_CMP_LE: 3,
  SCMP_CMP_EQ: 4,
  SCMP_CMP_GE: 5,
  SCMP_CMP_GT: 6,
  SCMP_CMP_MASKED_EQ: 7,
};

/** On i386, libseccomp lets these through socketcall(2) and ipc(2) too, which we never do by ourselves. */
const multiplexed =
  /^(socket|bind|connect|listen|accept|get(sock|peer)name|send|recv|shutdown|[gs]etsockopt|sem|msg|shm|ipc)/;

/** The program of libseccomp, and the names that it does not know (it is older than our tables). */
function libseccomp(profile: SeccompProfile): { program: Uint8Array; unknown: ReadonlySet<string> } {
  const otherwise = actionValue(profile.defaultAction, profile.defaultErrnoRet);
  const lines = [`default ${otherwise}`];
  if (profile.architectures.includes("SCMP_ARCH_X86")) lines.push("arch x86");
  if (profile.architectures.includes("SCMP_ARCH_X32")) lines.push("arch x32");
  for (const { names, action, errnoRet, args } of profile.syscalls) {
    const value = actionValue(action, errnoRet);
    if (value === otherwise) continue;
    const text = ({ index, op, value: a, valueTwo: b }: SeccompCondition): string =>
      ` ${index} ${operatorNumbers[op]} ${a} ${b}`;
    for (const name of names) lines.push(`rule ${value} ${name}${args.map(text).join("")}`);
  }
  const { status, stdout, stderr } = spawnSync(join(directory, "export"), { input: `${lines.join("\n")}\n` });
  expect(status, stderr.toString()).toBe(0);
  return { program: new Uint8Array(stdout), unknown: new Set(stderr.toString().split("\n")) };
}

/** libseccomp kills the thread where we kill the process. */
const decision = (value: number): number => (value === 0x8000_0000 ? 0 : value);

/** Runs both for all calls; returns calls that they decide differently. */
function differences(
  profile: SeccompProfile,
  argumentLists: readonly (readonly bigint[])[],
  only?: ReadonlySet<string>,
): string[] {
  const ours = compileSeccomp(profile, "x86_64");
  const theirs = libseccomp(profile);
  const found: string[] = [];
  for (const abi of [abiX8664, abiX32, abiI386]) {
    const names = new Map([...abi.numbers()].map(([name, number]) => [number, name]));
    const last = Math.max(...names.keys());
    for (let number = 0; number <= last + 8; number++) {
      const name = names.get(number) ?? "";
      if (only !== undefined && !only.has(name)) continue;
      if (theirs.unknown.has(name) && name !== "") continue;
      if (abi === abiI386 && multiplexed.test(name)) continue;
      for (const args of argumentLists) {
        const call = { number, architecture: abi.token, args };
        const [a, b] = [decision(interpretFilter(ours, call)), decision(interpretFilter(theirs.program, call))];
        if (a !== b) found.push(`${abi.name} ${name || number}(${args.join(", ")}): ${a} and not ${b}`);
      }
    }
  }
  return found;
}

const one = (value: bigint): bigint[] => [value, 0n, 0n, 0n, 0n, 0n];
/** Each value that a condition names, the one before and after, and values with a high half. */
function interesting(profile: SeccompProfile): bigint[][] {
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

  it.runIf(existsSync("/usr/share/containers/seccomp.json"))(
    "decides like libseccomp with Podman's profile file",
    () => {
      const file = parseSeccompFile(parseJson(readFileSync("/usr/share/containers/seccomp.json", "utf8")));
      const context = { capabilities: defaultCapabilities, architecture: "x86_64", kernel: [6, 1] } as const;
      const profile = resolveSeccompFile(file, context);
      expect(differences(profile, interesting(profile))).toEqual([]);
    },
  );

  // One rule for each call: with several, libseccomp 2.5.4 lets through read(0, 0, 0, 1, 0, 0) for "argument 3 & 1 is 0
  // and argument 2 is not 1, or argument 2 is not 0", because it merges the two into one tree wrongly.
  it("decides like libseccomp with any rule of conditions", () => {
    const value64 = fc.oneof(
      fc.bigInt({ min: 0n, max: 3n }),
      fc.constantFrom(0xffff_ffffn, 0x1_0000_0000n, 0x1_0000_0001n, 0xffff_ffff_ffff_ffffn),
      fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
    );
    const condition = fc
      .record({
        index: fc.integer({ min: 0, max: 5 }),
        op: fc.constantFrom(...(Object.keys(operatorNumbers) as SeccompOperator[])),
        value: value64,
        other: value64,
      })
      .map(({ index, op, value, other }) => ({
        index,
        op,
        value,
        // libseccomp masks what it compares with; we take a bit outside the mask to match nothing.
        valueTwo: op === "SCMP_CMP_MASKED_EQ" ? other & value : 0n,
      }));
    const names = ["read", "ioctl", "personality", "clone", "mmap", "openat"];
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
            architectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"],
            flags: [],
            syscalls,
          };
          const named = syscalls.flatMap(({ args }) => [
            [0n, 0n, 0n, 0n, 0n, 0n].map((_, i) => args.find((c) => c.index === i)?.value ?? 0n),
            [0n, 0n, 0n, 0n, 0n, 0n].map((_, i) => args.find((c) => c.index === i)?.valueTwo ?? 0n),
          ]);
          expect(differences(profile, [...calls, ...named], new Set(names))).toEqual([]);
        },
      ),
      { numRuns: 60, endOnFailure: true },
    );
  });
});
