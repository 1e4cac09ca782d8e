/** Which groups another process of a container joins (`exec --cgroup`). */
import { invalidArgument } from "#errdefs";

/**
 * Directories for a new process, controller → directory, in place of the container's own.
 *
 * @param own of the container's {@link Plan}
 * @param groups as given: `PATH` below the container's group in all hierarchies, or `CONTROLLER[,CONTROLLER]:PATH`, which
 *   may be repeated; a group must exist
 * @param initial where the container's first process is now, on v2 only: it may have moved itself into a child, and a
 *   group that has children with limits takes no processes
 */
export function execCgroups(
  own: ReadonlyMap<string, string>,
  groups: readonly string[],
  initial?: string,
): ReadonlyMap<string, string> {
  const version2 = own.has("");
  if (groups.length === 0) {
    const top = own.get("");
    if (top === undefined || initial === undefined || !initial.startsWith(`${top}/`)) return own;
    return new Map([...own.keys()].map((controller) => [controller, initial]));
  }
  const paths = new Map(own);
  const seen = new Set<string>();
  for (const group of groups) {
    const colon = version2 ? -1 : group.indexOf(":");
    if (colon < 0 && groups.length > 1)
      throw invalidArgument(`Cannot join cgroup "${group}": with several, each must name its controllers`);
    const names = colon < 0 ? [...own.keys()] : group.slice(0, colon).split(",");
    for (const name of names) {
      const directory = own.get(name);
      if (directory === undefined || name === "")
        if (colon >= 0) throw invalidArgument(`Cannot join cgroup "${group}": there is no controller "${name}"`);
      if (seen.has(name)) throw invalidArgument(`Cannot join cgroup "${group}": controller "${name}" is named twice`);
      seen.add(name);
      paths.set(name, below(directory ?? "", group.slice(colon + 1)));
    }
  }
  return paths;
}

/** A group of the container itself; `..` would lead out of its limits. */
function below(directory: string, path: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..") || /[\n\0]/.test(path))
    throw invalidArgument(`Cannot join cgroup "${path}": it must be below the container's own`);
  return [directory, ...parts].join("/");
}
