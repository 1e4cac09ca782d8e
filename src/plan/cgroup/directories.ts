import { failedPrecondition, invalidArgument } from "#errdefs";
import type { CgroupFacts } from "../host-facts.ts";
import type { Step } from "../plan.ts";

/** The container's place in each hierarchy. */
export interface CgroupDirectories {
  /** Controller → directory; on v2 also the empty name. */
  readonly paths: ReadonlyMap<string, string>;
  /** Each directory once. */
  readonly directories: readonly string[];
}

/** v2 controllers that have limits, in the order in which they are enabled. */
const wanted = ["cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc", "dmem"];

/** Checks a path such as `/sampan/ID`: absolute, no `.`, `..` or empty parts. */
export function checkCgroupPath(path: string): string {
  const parts = path.split("/");
  const good = path.length <= 1024 && !path.includes("\0") && !path.includes("\n") && parts[0] === "";
  if (!good || parts.length < 2 || parts.slice(1).some((part) => part === "" || part === "." || part === ".."))
    throw invalidArgument(`Cannot use cgroup "${path}": its path must be absolute and plain, like /sampan/ID`);
  return path;
}

/** @param base where the path starts in each hierarchy (controller → directory, empty name on v2), not at its top */
export function cgroupDirectories(
  facts: CgroupFacts,
  path: string,
  base?: ReadonlyMap<string, string>,
): CgroupDirectories {
  const paths = new Map<string, string>();
  if (facts.version === 2) {
    const directory = (base?.get("") ?? facts.mount) + path;
    paths.set("", directory);
    for (const controller of facts.controllers) paths.set(controller, directory);
  } else
    for (const [controller, mount] of facts.controllers) paths.set(controller, (base?.get(controller) ?? mount) + path);
  return { paths, directories: [...new Set(paths.values())] };
}

/** Steps that make the directories. */
export function createSteps(facts: CgroupFacts, { paths }: CgroupDirectories): readonly Step[] {
  const why = "The kernel limits and counts what a group of processes uses; this is the container's group";
  const source = "cgroups(7)";
  if (facts.version === 2) {
    const controllers = wanted.filter((name) => facts.controllers.includes(name));
    const path = paths.get("") ?? "";
    return [{ operation: { op: "cgroup-create", path, mount: facts.mount, cpuset: false, controllers }, why, source }];
  }
  const steps: Step[] = [];
  const seen = new Set<string>();
  const cpuset = facts.controllers.get("cpuset");
  for (const [controller, mount] of facts.controllers) {
    if (seen.has(mount)) continue;
    seen.add(mount);
    const path = paths.get(controller) ?? "";
    steps.push({
      operation: { op: "cgroup-create", path, mount, cpuset: mount === cpuset, controllers: [] },
      why,
      source,
    });
  }
  return steps;
}

/** Directory of a controller that a limit needs. */
export function needController(paths: ReadonlyMap<string, string>, controller: string, limit: string): string {
  const directory = paths.get(controller);
  if (directory === undefined)
    throw failedPrecondition(`Cannot limit ${limit}: this host has no "${controller}" cgroup controller`, {
      remedy: `Run without that limit, or boot a kernel with the ${controller} controller`,
    });
  return directory;
}
