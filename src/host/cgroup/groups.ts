/** Groups of this host: the runtime's own, those of a container, and what is in them. */
import type { CgroupFacts, FoundCgroup } from "#plan";
import { parseMountInfo, type MountInfo } from "../mountinfo.ts";
import { childGroups, parseTable, readText, type ReadText } from "./files.ts";

/** Deeper nesting is not followed. */
const maxDepth = 64;

/**
 * The group that a process is in: controller → directory, on v2 by the empty name. Also right where the hierarchies are
 * mounted from below their top, as in a container without a cgroup namespace.
 *
 * @param membership content of /proc/PID/cgroup, lines of `id:controllers:path`
 */
export function groupsOf(
  membership: string,
  facts: CgroupFacts,
  mounts: readonly MountInfo[],
): ReadonlyMap<string, string> {
  const groups = new Map<string, string>();
  for (const line of membership.split("\n")) {
    const [, names, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (names === undefined || path === undefined) continue;
    const controllers = names.split(",");
    if (facts.version === 2 && names !== "") continue;
    for (const controller of controllers) {
      const mount = facts.version === 2 ? facts.mount : facts.controllers.get(controller);
      if (mount === undefined) continue;
      const root = mounts.find((m) => m.mountPoint === mount)?.root ?? "/";
      groups.set(controller, mount + relative(root, path));
    }
  }
  return groups;
}

function relative(root: string, path: string): string {
  if (root === "/") return path === "/" ? "" : path;
  // What lies outside of the mount cannot be reached through it.
  return path.startsWith(`${root}/`) ? path.slice(root.length) : "";
}

/** {@link groupsOf} of a process of this host, of this one by default. */
export function processGroups(facts: CgroupFacts, pid: number | "self" = "self"): ReadonlyMap<string, string> {
  const mounts = parseMountInfo(readText("/proc/self/mountinfo") ?? "");
  return groupsOf(readText(`/proc/${pid}/cgroup`) ?? "", facts, mounts);
}

/** Processes of a group and its children. One that leaves meanwhile may be missing, one that moves be there twice. */
export function groupProcesses(directory: string, depth = 0): readonly number[] {
  const pids = new Set<number>();
  for (const line of (readText(`${directory}/cgroup.procs`) ?? "").split("\n")) {
    // 0 is a process of another pid namespace.
    const pid = Number(line);
    if (line !== "" && Number.isInteger(pid) && pid > 0) pids.add(pid);
  }
  if (depth < maxDepth)
    for (const child of childGroups(directory))
      for (const pid of groupProcesses(`${directory}/${child}`, depth + 1)) pids.add(pid);
  return [...pids];
}

/** Processes of a container, in order of their numbers (`ps`, `kill --all`). */
export function containerProcesses(paths: ReadonlyMap<string, string>): readonly number[] {
  const directory = paths.get("") ?? paths.get("devices") ?? paths.values().next().value;
  return directory === undefined ? [] : groupProcesses(directory).toSorted((a, b) => a - b);
}

/** Whether a container is stopped by its freezer. Not where only a group above it is. */
export function isFrozen(paths: ReadonlyMap<string, string>, read: ReadText = readText): boolean {
  const own = paths.get("");
  if (own !== undefined) return read(`${own}/cgroup.freeze`)?.trim() === "1";
  const freezer = paths.get("freezer");
  if (freezer === undefined || read(`${freezer}/freezer.state`)?.trim() === "THAWED") return false;
  return read(`${freezer}/freezer.self_freezing`)?.trim() === "1";
}

/** Those of a container's directories that are there, and what is in them. */
export function findCgroups(paths: ReadonlyMap<string, string>): ReadonlyMap<string, FoundCgroup> {
  const found = new Map<string, FoundCgroup>();
  for (const [controller, directory] of paths) {
    if (found.has(directory) || readText(`${directory}/cgroup.procs`) === undefined) continue;
    const frozen = isFrozen(new Map([[controller, directory]]));
    found.set(directory, { frozen, processes: groupProcesses(directory).length });
  }
  return found;
}

/** Kills by the kernel for want of memory, in a container's group and below, since it was made. */
export function oomKills(paths: ReadonlyMap<string, string>, read: ReadText = readText): number | undefined {
  const memory = paths.get("memory");
  if (memory === undefined) return undefined;
  const text = read(`${memory}/${paths.has("") ? "memory.events" : "memory.oom_control"}`);
  const count = parseTable(text).get("oom_kill");
  return text === undefined ? undefined : Number(count ?? 0n);
}
