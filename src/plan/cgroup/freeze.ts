import { failedPrecondition } from "#errdefs";
import type { Operation } from "../operation.gen.ts";
import type { Step } from "../plan.ts";

/** The directory by which all processes of a container are stopped and killed; undefined where there is none. */
function freezerDirectory(paths: ReadonlyMap<string, string>): string | undefined {
  return paths.get("") ?? paths.get("freezer");
}

/** Stops all processes of a container (`pause`), or lets them go on (`resume`). */
export function planFreeze(paths: ReadonlyMap<string, string>, frozen: boolean): readonly Step[] {
  const path = freezerDirectory(paths);
  if (path === undefined)
    throw failedPrecondition(`Cannot ${frozen ? "pause" : "resume"} container: it has no "freezer" cgroup controller`);
  const why = frozen
    ? "No process of the container runs until it is resumed, and none sees that it was stopped"
    : "The container's processes go on where they were stopped";
  return [{ operation: { op: "freeze", path, frozen }, why, source: "cgroups(7)" }];
}

/** Kills all processes of a container, paused ones too. */
export function killAllOperations(paths: ReadonlyMap<string, string>): readonly Operation[] {
  const path = freezerDirectory(paths) ?? paths.values().next().value;
  return path === undefined ? [] : [{ op: "cgroup-kill", path }];
}
