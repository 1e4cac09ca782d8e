/** Mounts that come to a running container, and go. */
import { unsupported } from "#errdefs";
import type { MountConfig, NamespaceType, RuntimeConfig } from "#spec";
import type { HostFacts } from "../host-facts.ts";
import type { Program } from "../plan.ts";
import { mountAttribute } from "../tables/mount-flags.ts";
import { namespaceFlags } from "../tables/namespaces.ts";
import { planMounts } from "./mounts.ts";
import { planNamespaces, type NamespacePlan } from "./namespaces.ts";
import { mountTarget } from "./paths.ts";
import { selinuxLabel } from "./security-labels.ts";
import { StepList } from "./step-list.ts";

export interface MountChange {
  /** Process of the container, as keel's /proc names it; the caller makes sure that it is still that one. */
  readonly pid: number;
  /** Directory that relative sources of binds start from. */
  readonly bundle?: string;
  /** The container's cgroup of each controller, of its plan. */
  readonly cgroupPaths?: ReadonlyMap<string, string>;
}

/**
 * Mounts in a running container. Sources are taken on the host's side; then the process goes where the container is, and
 * never comes back: what it meets there cannot lead it to the host.
 *
 * @param mounts like those of a config; procfs is refused, as only a process of the container's PID namespace can mount it
 * @param config the container's
 */
export function planMountAdd(
  mounts: readonly MountConfig[],
  config: RuntimeConfig,
  facts: HostFacts,
  change: MountChange,
): Program {
  const namespaces = planNamespaces(config.linux, facts);
  const has = (type: NamespaceType): boolean => namespaces.created.has(type) || namespaces.joined.has(type);
  const userNamespace = has("user");
  const plan = planMounts(mounts, {
    facts,
    cgroupPaths: change.cgroupPaths ?? new Map<string, string>(),
    namespaces,
    cgroupNamespace: has("cgroup"),
    userNamespace: userNamespace || facts.rootless,
    users: userNamespace ? { kind: "joined", path: `/proc/${change.pid}/ns/user` } : undefined,
    bundle: change.bundle,
    mountLabel: selinuxLabel(config.linux.mountLabel, "linux.mountLabel", facts),
    root: undefined,
    shared: false,
    fromOutside: true,
  });
  for (const { operation } of plan.steps)
    if (operation.op === "mount" && operation.type === "proc")
      throw unsupported(`Cannot mount on "${operation.target}": procfs cannot be mounted in a running container`);
  const list = new StepList();
  list.append(plan.early);
  enter(list, namespaces, change.pid, ["network", "ipc", "cgroup", "user", "mount"]);
  list.append(plan.steps);
  for (const path of plan.readOnlyLater)
    list.add(
      { op: "mount-attributes", path, set: mountAttribute.readOnly, clear: 0n, recursive: false },
      "All that goes into it is there, so that it can become read-only",
      "runtime-spec config.md#mounts",
    );
  return { steps: list.steps, warnings: list.warnings };
}

/** Unmounts in a running container, the last mount first; of each mount only the destination counts. */
export function planMountRemove(
  mounts: readonly Pick<MountConfig, "destination">[],
  config: RuntimeConfig,
  facts: HostFacts,
  change: MountChange,
): Program {
  const list = new StepList();
  enter(list, planNamespaces(config.linux, facts), change.pid, ["mount"]);
  for (const [index, { destination }] of [...mounts.entries()].toReversed()) {
    list.config = `mounts[${index}]`;
    list.add(
      { op: "unmount-path", path: mountTarget(destination) },
      "The container is not to see it any more",
      "umount(2)",
    );
  }
  return { steps: list.steps, warnings: list.warnings };
}

/** The mount namespace last: the paths are those of the host's /proc. */
function enter(list: StepList, namespaces: NamespacePlan, pid: number, types: readonly NamespaceType[]): void {
  const files: Partial<Record<NamespaceType, string>> = { network: "net", mount: "mnt" };
  for (const type of types)
    if (namespaces.created.has(type) || namespaces.joined.has(type))
      list.add(
        { op: "join-namespace", kind: namespaceFlags[type], path: `/proc/${pid}/ns/${files[type] ?? type}` },
        `What follows is done in the container's ${type} namespace`,
        "setns(2)",
      );
}
