import { mountAttribute } from "../tables/mount-flags.ts";
import type { MountContext } from "./mounts.ts";
import { labelParameters } from "./security-labels.ts";
import type { StepList } from "./step-list.ts";

const source = "cgroups(7)";
const why = "Programs look here for their limits";

/**
 * A mount of type `cgroup`. On v2 it is the one hierarchy. On v1 it is a small tmpfs with a directory for each hierarchy,
 * named as on the host, and links for controllers that share one (`cpu` → `cpu,cpuacct`).
 */
export function mountCgroups(
  list: StepList,
  target: string,
  attributes: bigint,
  context: MountContext,
  readOnlyLater: string[],
): void {
  const { cgroup } = context.facts;
  if (cgroup.version === 2) {
    const own = context.cgroupPaths.get("") ?? cgroup.mount;
    // Without a namespace of its own the whole hierarchy would show, and a user namespace may not mount that.
    if (context.cgroupNamespace || !context.userNamespace)
      list.add(
        { op: "mount", type: "cgroup2", source: "cgroup", target, attributes, parameters: [], mode: 0o755 },
        why,
        source,
      );
    else bindDirectory(list, own, target, attributes);
    return;
  }
  list.add(
    {
      op: "mount",
      type: "tmpfs",
      source: "cgroup",
      target,
      attributes: attributes & ~mountAttribute.readOnly,
      parameters: labelParameters(
        "tmpfs",
        [
          { key: "mode", value: "755" },
          { key: "size", value: "64k" },
        ],
        context.mountLabel,
      ),
      mode: 0o755,
    },
    "On cgroup v1 each controller has a directory of its own, in this small one",
    source,
  );
  const hierarchies = new Map<string, string[]>();
  for (const [controller, directory] of cgroup.controllers) {
    const together = hierarchies.get(directory);
    if (together === undefined) hierarchies.set(directory, [controller]);
    else together.push(controller);
  }
  for (const [directory, controllers] of hierarchies) {
    const name = directory.slice(directory.lastIndexOf("/") + 1);
    const place = `${target}/${name}`;
    const own = context.cgroupPaths.get(controllers[0] ?? "") ?? directory;
    if (context.cgroupNamespace)
      list.add(
        {
          op: "mount",
          type: "cgroup",
          source: "cgroup",
          target: place,
          attributes,
          parameters: controllers.map((controller) =>
            controller.startsWith("name=")
              ? { key: "name", value: controller.slice("name=".length) }
              : { key: controller, value: "" },
          ),
          mode: 0o755,
        },
        why,
        source,
      );
    else bindDirectory(list, own, place, attributes);
    for (const controller of controllers)
      if (controller !== name && !controller.startsWith("name="))
        list.add(
          { op: "symlink", target: name, path: `${target}/${controller}` },
          "Programs also look for the controller by its own name",
          source,
        );
  }
  if ((attributes & mountAttribute.readOnly) !== 0n) readOnlyLater.push(target);
}

function bindDirectory(list: StepList, directory: string, target: string, attributes: bigint): void {
  list.add(
    {
      op: "bind",
      source: directory,
      target,
      recursive: false,
      set: attributes,
      clear: 0n,
      setRecursive: 0n,
      clearRecursive: 0n,
      propagation: 0n,
      propagationRecursive: false,
    },
    "Programs look here for their limits, and see only the container's own group",
    source,
  );
}
