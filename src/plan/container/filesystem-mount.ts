import { invalidArgument } from "#errdefs";
import type { MountConfig, NamespaceType } from "#spec";
import type { Operation } from "../operation.gen.ts";
import { mountAttribute, mountPropagation } from "../tables/mount-flags.ts";
import { mountCgroups } from "./cgroup-mount.ts";
import { mountIdMap } from "./mount-id-map.ts";
import type { MountWords } from "./mount-words.ts";
import type { MountContext, MountLists } from "./mounts.ts";
import { addQueueLabel, labelParameters } from "./security-labels.ts";
import type { StepList } from "./step-list.ts";

const mountsSource = "runtime-spec config.md#mounts";

/** Filesystems without a device below: read-only is a matter of the mount alone. */
const virtual: ReadonlySet<string> = new Set([
  "proc",
  "sysfs",
  "tmpfs",
  "devpts",
  "mqueue",
  "cgroup",
  "cgroup2",
  "binfmt_misc",
]);

const reasons: ReadonlyMap<string, string> = new Map([
  ["/proc", "Programs look here for processes, and see only those of the container"],
  ["/dev", "The container gets device files of its own, in memory"],
  ["/dev/pts", "Terminals opened in the container are its own"],
  ["/dev/shm", "Programs share memory here"],
  ["/dev/mqueue", "POSIX message queues of the container show here"],
  ["/sys", "Programs look here for what the kernel knows of devices and networks"],
  ["/sys/fs/cgroup", "Programs look here for their limits"],
]);

/** Filesystems that show a namespace, and where the host has them. */
const shown: ReadonlyMap<string, { readonly namespace: NamespaceType; readonly directory: string }> = new Map([
  ["proc", { namespace: "pid", directory: "/proc" }],
  ["sysfs", { namespace: "network", directory: "/sys" }],
  ["mqueue", { namespace: "ipc", directory: "/dev/mqueue" }],
]);

export function addFilesystem(
  { list, readOnlyLater }: MountLists,
  mount: MountConfig,
  target: string,
  words: MountWords,
  context: MountContext,
): void {
  if (mount.type === "") throw invalidArgument(`Cannot mount on "${target}": the mount has no type`);
  if (mount.type.includes("\0") || mount.source.includes("\0"))
    throw invalidArgument(`Cannot mount on "${target}": its type or source contains a NUL character`);
  if (mountIdMap(mount, words, target, context.users) !== undefined)
    throw invalidArgument(`Cannot map ids on "${target}": only those of a bind can be`);
  if (words.switches.has("copyUp") && mount.type !== "tmpfs")
    throw invalidArgument(`Cannot mount on "${target}": tmpcopyup is for a tmpfs`);
  const attributes = words.set | words.setRecursive;
  if (mount.type === "cgroup" || (mount.type === "cgroup2" && context.facts.cgroup.version === 2))
    mountCgroups(list, target, attributes, context, readOnlyLater);
  else if (isOutOfReach(mount.type, context)) addHostDirectory(list, mount.type, target, attributes);
  else addNew(list, mount, target, words, context.mountLabel, readOnlyLater);
  // A new mount is private and slave of nothing, as the mounts around it are.
  if (words.propagation === mountPropagation.shared || words.propagation === mountPropagation.unbindable)
    list.add(
      { op: "mount-propagation", path: target, mode: words.propagation, recursive: words.propagationRecursive },
      "The config asks for it",
      mountsSource,
    );
}

function addNew(
  list: StepList,
  mount: MountConfig,
  target: string,
  words: MountWords,
  label: string | undefined,
  readOnlyLater: string[],
): void {
  const attributes = words.set | words.setRecursive;
  const readOnly = (attributes & mountAttribute.readOnly) !== 0n;
  // Later mounts and devices may need directories in it.
  const later = readOnly && (mount.type === "tmpfs" || target === "/dev");
  if (later) readOnlyLater.push(target);
  const filesystem = {
    type: mount.type,
    source: mount.source === "" ? mount.type : mount.source,
    target,
    attributes: later ? attributes & ~mountAttribute.readOnly : attributes,
    parameters: labelParameters(
      mount.type,
      readOnly && !virtual.has(mount.type) ? [...words.parameters, { key: "ro", value: "" }] : words.parameters,
      label,
    ),
    mode: 0o755,
  };
  const copy = words.switches.has("copyUp");
  const keepMode = mount.type === "tmpfs" && !words.parameters.some(({ key }) => key === "mode");
  const operation: Operation =
    copy || keepMode ? { op: "mount-over", ...filesystem, keepMode, copy } : { op: "mount", ...filesystem };
  list.add(operation, reasons.get(target) ?? "The config asks for this filesystem", mountsSource);
  addQueueLabel(list, mount.type, target, label);
}

/**
 * These can be mounted by root of a user namespace only where it made, or was given, what they show. Where it is the host's,
 * the host's mount shows the same.
 */
function isOutOfReach(type: string, { userNamespace, namespaces }: MountContext): boolean {
  const what = shown.get(type);
  if (!userNamespace || what === undefined || namespaces.created.has(what.namespace)) return false;
  return !(namespaces.joined.has(what.namespace) && namespaces.joined.has("user"));
}

function addHostDirectory(list: StepList, type: string, target: string, attributes: bigint): void {
  list.add(
    {
      op: "bind",
      source: shown.get(type)?.directory ?? "",
      target,
      recursive: true,
      set: 0n,
      clear: 0n,
      setRecursive: attributes,
      clearRecursive: 0n,
      propagation: 0n,
      propagationRecursive: false,
    },
    "A user namespace may not mount what shows a namespace of the host, so the host's mount is shared",
    "user_namespaces(7)",
  );
}

/** Changes what is mounted already. What the options do not name stays as it is. */
export function addRemount(list: StepList, mount: MountConfig, target: string, words: MountWords, bind: boolean): void {
  const add = (operation: Operation): void =>
    list.add(operation, "The config changes a mount that is there", mountsSource);
  const parameters = [...words.parameters];
  if (!bind && !virtual.has(mount.type)) {
    if ((words.set & mountAttribute.readOnly) !== 0n) parameters.push({ key: "ro", value: "" });
    if ((words.clear & mountAttribute.readOnly) !== 0n) parameters.push({ key: "rw", value: "" });
  }
  if (!bind && parameters.length > 0) add({ op: "reconfigure", path: target, parameters });
  if (words.set !== 0n || words.clear !== 0n)
    add({ op: "mount-attributes", path: target, set: words.set, clear: words.clear, recursive: false });
  if (words.setRecursive !== 0n || words.clearRecursive !== 0n)
    add({
      op: "mount-attributes",
      path: target,
      set: words.setRecursive,
      clear: words.clearRecursive,
      recursive: true,
    });
  if (words.propagation !== 0n)
    add({ op: "mount-propagation", path: target, mode: words.propagation, recursive: words.propagationRecursive });
}
