import { capabilityNames, defaultCapabilities, defaultSeccompProfile } from "#plan";
import type { SeccompProfile } from "#spec";
import { compileSeccompFor } from "../../src/plan/seccomp/compile.ts";
import { interpretFilter } from "../../src/plan/seccomp/interpret.ts";
import { syscallAbis } from "../../src/plan/seccomp/syscalls.ts";
import { Libseccomp } from "../support/libseccomp.ts";

const abi = syscallAbis.SCMP_ARCH_X86_64;

function argumentsFor(profile: SeccompProfile, name: string): readonly (readonly bigint[])[] {
  const lists: bigint[][] = [[0n, 0n, 0n, 0n, 0n, 0n]];
  for (const rule of profile.syscalls)
    if (rule.names.includes(name))
      for (const { index, value } of rule.args)
        for (const near of [value, value + 1n]) lists.push([0, 1, 2, 3, 4, 5].map((i) => (i === index ? near : 0n)));
  return lists;
}

function measure(profile: SeccompProfile, program: Uint8Array): Readonly<Record<string, number>> {
  const means: number[] = [];
  let most = 0;
  for (const [name, number] of abi.numbers()) {
    const counts = argumentsFor(profile, name).map((args) => {
      let count = 0;
      interpretFilter(program, { number, architecture: abi.token, args }, () => count++);
      return count;
    });
    means.push(counts.reduce((sum, count) => sum + count, 0) / counts.length);
    most = Math.max(most, ...counts);
  }
  const mean = means.reduce((sum, count) => sum + count, 0) / means.length;
  return { length: program.length / 8, mean: Math.round(mean * 10) / 10, most };
}

using peer = new Libseccomp();
const results: Record<string, Readonly<Record<string, number>>> = {};
for (const [label, capabilities] of [
  ["default", defaultCapabilities],
  ["all capabilities", capabilityNames],
] as const) {
  const profile = defaultSeccompProfile({ capabilities, architecture: "x86_64", kernel: [6, 1] });
  const own = compileSeccompFor(profile, "SCMP_ARCH_X86_64").program;
  results[`${label}: Sampan`] = measure(profile, own);
  results[`${label}: libseccomp, a list`] = measure(profile, peer.compile(profile, "SCMP_ARCH_X86_64", 1).program);
  results[`${label}: libseccomp, a tree`] = measure(profile, peer.compile(profile, "SCMP_ARCH_X86_64", 2).program);
}
console.table(results);
