/** Where a container's cgroups are, by the config's `cgroupsPath`, and whether that place may be used. */
import { failedPrecondition, invalidArgument } from "#errdefs";
import type { CgroupFacts } from "../host-facts.ts";
import { checkCgroupPath } from "./directories.ts";

/** What {@link PlanOptions} wants to know. */
export interface CgroupPlace {
  readonly cgroupPath: string;
  readonly cgroupBase?: ReadonlyMap<string, string>;
}

/** A group that is there before its container; the host looks. */
export interface FoundCgroup {
  readonly frozen: boolean;
  /** How many, in it and its children. */
  readonly processes: number;
}

/** Removes `.`, `..` and doubled slashes; `..` of the top is the top. */
function clean(path: string): readonly string[] {
  const parts: string[] = [];
  for (const part of path.split("/"))
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  return parts;
}

/**
 * The place that a config asks for. An absolute path starts at the top of each hierarchy. A relative one starts at the
 * runtime's own group on v1, and beside it on v2, where a group with processes can have no children with limits. Without a
 * path the container's id stands for a relative one. `..` does not lead out.
 *
 * @param own the group that the runtime is in itself: controller → directory; on v2 by the empty name
 */
export function cgroupPlace(
  cgroupsPath: string | undefined,
  id: string,
  facts: CgroupFacts,
  own: ReadonlyMap<string, string>,
): CgroupPlace {
  const path = cgroupsPath === undefined || cgroupsPath === "" ? id : cgroupsPath;
  const parts = clean(path);
  if (parts.length === 0)
    throw invalidArgument(`Cannot use cgroup "${path}": the top of the hierarchy is no container's`);
  const cgroupPath = checkCgroupPath(`/${parts.join("/")}`);
  if (path.startsWith("/")) return { cgroupPath };
  if (facts.version === 1) return { cgroupPath, cgroupBase: own };
  const directory = own.get("") ?? facts.mount;
  const beside = directory === facts.mount ? directory : directory.slice(0, directory.lastIndexOf("/"));
  return { cgroupPath, cgroupBase: new Map([["", beside]]) };
}

/** A container does not join others by its cgroup: what freezes or kills one would do it to all. */
export function checkFoundCgroups(found: ReadonlyMap<string, FoundCgroup>): void {
  for (const [directory, { frozen, processes }] of found) {
    if (frozen)
      throw failedPrecondition(`Cannot use cgroup "${directory}": it is frozen`, {
        remedy: "Thaw it, or give the container another cgroupsPath",
      });
    if (processes > 0)
      throw failedPrecondition(
        `Cannot use cgroup "${directory}": ${processes} ${processes === 1 ? "process is" : "processes are"} in it`,
        { remedy: "Give the container another cgroupsPath" },
      );
  }
}
