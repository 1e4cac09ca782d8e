import { failedPrecondition } from "#errdefs";
import type { SeccompFlag, SeccompProfile } from "#spec";

interface Flag {
  /** SECCOMP_FILTER_FLAG_*, from include/uapi/linux/seccomp.h. */
  readonly bit: number;
  /** First Linux that takes it. */
  readonly since: readonly [major: number, minor: number];
}

const flags: Readonly<Record<SeccompFlag, Flag>> = {
  // Left out: there is one thread when the filter is installed.
  SECCOMP_FILTER_FLAG_TSYNC: { bit: 0, since: [3, 17] },
  SECCOMP_FILTER_FLAG_LOG: { bit: 2, since: [4, 14] },
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: { bit: 4, since: [4, 17] },
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: { bit: 32, since: [5, 19] },
};
const newListener = 8;

/** Some rule of a profile asks an agent. */
export const hasListener = (profile: SeccompProfile): boolean =>
  profile.syscalls.some(({ action }) => action === "SCMP_ACT_NOTIFY");

/**
 * Flags of a profile as seccomp(2) takes them.
 *
 * @throws SampanError `failed-precondition` for a flag that this kernel does not have
 */
export function seccompFlags(profile: SeccompProfile, kernel: readonly [number, number]): number {
  const listener = hasListener(profile);
  let bits = listener ? newListener : 0;
  for (const name of profile.flags ?? ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"]) {
    const { bit, since } = flags[name];
    if (!isAtLeast(kernel, since))
      throw failedPrecondition(`Cannot use seccomp flag "${name}": this kernel does not have it`, {
        remedy: `It takes Linux ${since.join(".")} or later`,
      });
    // It is about waiting for the agent: the kernel refuses it where there is none.
    if (name === "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV" && !listener) continue;
    bits |= bit;
  }
  return bits;
}

/** Those that a kernel of this version has. */
export const supportedSeccompFlags = (kernel: readonly [number, number]): readonly string[] =>
  Object.entries(flags)
    .filter(([, { since }]) => isAtLeast(kernel, since))
    .map(([name]) => name);

const isAtLeast = ([major, minor]: readonly [number, number], since: readonly [number, number]): boolean =>
  major > since[0] || (major === since[0] && minor >= since[1]);
