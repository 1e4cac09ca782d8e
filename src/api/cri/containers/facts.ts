/** What translating a container depends on. */
import { lstatSync, readFileSync } from "node:fs";
import type { Engine } from "#engine";
import { invalidArgument } from "#errdefs";
import type { ResourceFacts } from "./translate/resources.ts";
import type { SecurityFacts } from "./translate/security.ts";

/** Bytes; the largest profiles are some 100 KiB. */
const profileLimit = 4 * 1024 * 1024;
const sysResource = 24n;

export function hostFacts({ facts }: Engine): ResourceFacts & SecurityFacts {
  const { cgroup } = facts;
  const hugetlb = cgroup.version === 1 ? cgroup.controllers.has("hugetlb") : cgroup.controllers.includes("hugetlb");
  const canLower = (facts.capabilities & (1n << sysResource)) !== 0n;
  return {
    cgroupVersion: cgroup.version,
    hugepageSizes: hugetlb ? facts.hugepageSizes : [],
    // The kernel lets everybody go back to a score that has been given; that of now is one.
    leastOomScore: canLower ? undefined : Number(readFileSync("/proc/self/oom_score_adj", "latin1")),
    lsm: facts.lsm,
    readProfile,
  };
}

function readProfile(path: string): object {
  const refuse = (state: string, cause?: unknown): Error =>
    invalidArgument(`Cannot use seccomp profile "${path}" (localhost_ref): ${state}`, { path, cause });
  let text: string;
  try {
    const { size } = lstatSync(path);
    if (size > profileLimit) throw refuse(`it is larger than ${profileLimit} bytes`);
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    throw refuse((error as NodeJS.ErrnoException).code === "ENOENT" ? "no such file" : (error as Error).message, error);
  }
  let profile: unknown;
  try {
    profile = JSON.parse(text);
  } catch (error) {
    throw refuse("it is not JSON", error);
  }
  if (typeof profile !== "object" || profile === null || Array.isArray(profile)) throw refuse("it is no JSON object");
  return profile;
}
