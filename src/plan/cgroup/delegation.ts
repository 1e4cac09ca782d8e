/** Giving a container's cgroup to the container, so that an init system in it can make groups of its own. */
import { failedPrecondition, invalidArgument } from "#errdefs";
import type { IdMapping, RuntimeConfig } from "#spec";
import type { CgroupFacts, HostFacts } from "../host-facts.ts";
import type { Step } from "../plan.ts";

/** crun's annotation: the container's process is put into a group of that name below the one that has the limits. */
const subgroupAnnotation = "run.oci.delegate-cgroup";
const whyOwner = "The container manages the groups below its own; their limits stay the host's";
const source = "cgroups(7)";

/**
 * Name of the group below the container's own that its process runs in; empty for none. Nothing is limited there: that is
 * the container's own to do.
 */
export function delegatedSubgroup({ annotations }: RuntimeConfig, facts: CgroupFacts): string {
  const name = annotations.get(subgroupAnnotation) ?? "";
  if (name === "") return "";
  if (facts.version === 1) throw failedPrecondition(`Cannot delegate cgroup "${name}": that is safe on cgroup v2 only`);
  if (name.length > 255 || !/^[^/\n\0]+$/.test(name) || name === "." || name === "..")
    throw invalidArgument(`Cannot delegate cgroup "${name}": it must be the name of one directory`);
  return name;
}

const outside = (id: number, maps: readonly IdMapping[]): number | undefined => {
  const map = maps.find(({ containerID, size }) => id >= containerID && id - containerID < size);
  return map === undefined ? undefined : map.hostID + (id - map.containerID);
};

/**
 * Makes the group that the container's process runs in, and the container's user owner of its groups. The latter only on
 * v2, where a group can be given away safely, only where the container sees no other groups, and may write them, and is
 * not the host's root anyway.
 */
export function delegationSteps(
  config: RuntimeConfig,
  facts: HostFacts,
  created: { has(type: "cgroup" | "user"): boolean },
  directories: readonly string[],
  subgroup: string,
): readonly Step[] {
  const { cgroup } = facts;
  const [own] = directories;
  if (cgroup.version === 1 || own === undefined) return [];
  const steps: Step[] = [];
  const path = `${own}/${subgroup}`;
  // Without controllers: a group that has children with limits takes no processes, and the container's first is born there.
  if (subgroup !== "")
    steps.push({
      operation: { op: "cgroup-create", path, mount: cgroup.mount, cpuset: false, controllers: [] },
      why: "The container's processes run in a group below the one that has the limits",
      source,
    });
  const writable = config.mounts.some(
    ({ type, options }) => (type === "cgroup" || type === "cgroup2") && !options.includes("ro"),
  );
  if (!writable || !created.has("cgroup") || !created.has("user")) return steps;
  const uid = outside(config.process?.user.uid ?? 0, config.linux.uidMappings);
  if (uid === undefined) return steps;
  for (const given of subgroup === "" ? [own] : [own, path])
    steps.push({
      operation: { op: "cgroup-owner", path: given, uid, gid: 0xffff_ffff, files: facts.delegateFiles },
      why: whyOwner,
      source,
    });
  return steps;
}
