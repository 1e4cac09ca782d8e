import type { Resources } from "#spec";
import type { HostFacts } from "../host-facts.ts";
import type { Program } from "../plan.ts";
import { freshLimits } from "./current-limits.ts";
import { cgroupDirectories, checkCgroupPath, createSteps } from "./directories.ts";
import { planUpdate } from "./plan-update.ts";

export interface GroupPlan extends Program {
  /** The group's directories. */
  readonly directories: readonly string[];
}

/**
 * Compiles a cgroup that holds others and has limits of its own.
 *
 * @param path in each hierarchy, e.g. `/sampan/pod-ID`
 * @throws SampanError `invalid-argument`, `failed-precondition` for a limit that this host has no controller for
 */
export function planGroup(path: string, resources: Resources, facts: HostFacts): GroupPlan {
  const cgroups = cgroupDirectories(facts.cgroup, checkCgroupPath(path));
  const limits = planUpdate({ ...resources, devices: [] }, facts, {
    before: undefined,
    cgroupPaths: cgroups.paths,
    current: freshLimits,
  });
  return {
    steps: [...createSteps(facts.cgroup, cgroups), ...limits.steps],
    warnings: limits.warnings,
    directories: cgroups.directories,
  };
}
