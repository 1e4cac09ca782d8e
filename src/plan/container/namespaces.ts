import { failedPrecondition, invalidArgument, unsupported } from "#errdefs";
import type { IdMapping, LinuxConfig, NamespaceType } from "#spec";
import type { HostFacts } from "../host-facts.ts";
import type { IdMap } from "../operation.gen.ts";
import { namespaceFlags } from "../tables/namespaces.ts";

export interface NamespacePlan {
  /** Made for this container. */
  readonly created: ReadonlySet<NamespaceType>;
  /** Of others, by their file. */
  readonly joined: ReadonlyMap<NamespaceType, string>;
}

export function planNamespaces(linux: LinuxConfig, facts: HostFacts): NamespacePlan {
  const created = new Set<NamespaceType>();
  const joined = new Map<NamespaceType, string>();
  for (const { type, path } of linux.namespaces) {
    if (!facts.namespaces.has(type))
      throw failedPrecondition(`Cannot use a ${type} namespace: this kernel has none`, {
        remedy: "Boot a kernel that is built with it (see sampan doctor)",
      });
    if (path === undefined) created.add(type);
    else if (path.includes("\0")) throw invalidArgument(`Cannot join ${type} namespace "${path}": the path has a NUL`);
    else joined.set(type, path);
  }
  if (!created.has("mount") && !joined.has("mount"))
    throw unsupported("Cannot plan container: without a mount namespace its mounts would appear on the host");
  if (linux.timeOffsets.size > 0 && !created.has("time"))
    throw invalidArgument("Cannot offset clocks: linux.timeOffsets needs a new time namespace");
  return { created, joined };
}

/** What `clone` makes. A cgroup namespace follows when the cgroups are joined, a time namespace by unshare. */
export function cloneFlags({ created }: NamespacePlan): bigint {
  let flags = 0n;
  for (const type of created) if (type !== "cgroup" && type !== "time") flags |= namespaceFlags[type];
  return flags;
}

/** Maps of a new user namespace; the container's root must be in them. */
export function idMaps(mappings: readonly IdMapping[], what: "uid" | "gid"): readonly IdMap[] {
  const maps = toIdMaps(mappings, what, `of linux.${what}Mappings`);
  if (!maps.some(({ inside }) => inside === 0))
    throw invalidArgument(`Cannot map ${what}s: linux.${what}Mappings does not map ${what} 0 of the container`);
  return maps;
}

/**
 * Lines of uid_map or gid_map (user_namespaces(7)): 1 to 340, in which no id stands twice on either side.
 *
 * @param where for the message, e.g. `of linux.uidMappings`
 */
export function toIdMaps(mappings: readonly IdMapping[], what: "uid" | "gid", where: string): readonly IdMap[] {
  if (mappings.length === 0 || mappings.length > 340)
    throw invalidArgument(`Cannot map ${what}s ${where}: there must be 1 to 340 entries`);
  for (const side of ["containerID", "hostID"] as const) {
    const sorted = mappings.toSorted((a, b) => a[side] - b[side]);
    sorted.forEach((mapping, index) => {
      const before = sorted[index - 1];
      if (before !== undefined && before[side] + before.size > mapping[side])
        throw invalidArgument(`Cannot map ${what}s ${where}: ${side} ${mapping[side]} is in two entries`);
    });
  }
  return mappings.map(({ containerID, hostID, size }) => ({ inside: containerID, outside: hostID, count: size }));
}
