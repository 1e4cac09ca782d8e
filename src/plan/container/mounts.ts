import { invalidArgument, permissionDenied, unsupported } from "#errdefs";
import type { MountConfig } from "#spec";
import type { HostFacts } from "../host-facts.ts";
import { mountAttribute, mountPropagation } from "../tables/mount-flags.ts";
import { mountCgroups } from "./cgroup-mount.ts";
import { readMountWords, type MountWords } from "./mount-words.ts";
import { pathInRoot } from "./paths.ts";
import { addQueueLabel, labelParameters } from "./security-labels.ts";
import type { StepList } from "./step-list.ts";

const mountsSource = "runtime-spec config.md#mounts";

/** What mounting depends on. */
export interface MountContext {
  readonly facts: HostFacts;
  readonly cgroupPaths: ReadonlyMap<string, string>;
  /** The container has a cgroup namespace of its own. */
  readonly cgroupNamespace: boolean;
  /** The container has a user namespace of its own, or keel is in one. */
  readonly userNamespace: boolean;
  /** Where relative sources of binds start. */
  readonly bundle: string | undefined;
  /** SELinux label for files of new filesystems. */
  readonly mountLabel: string | undefined;
}

/**
 * Files of /proc that may be replaced by a bind mount, as lxcfs does. Anything else inside /proc could make a write
 * that is meant for the kernel go elsewhere, e.g. that of a security label (CVE-2019-16884).
 */
const replaceableProcFiles: ReadonlySet<string> = new Set([
  "/proc/cpuinfo",
  "/proc/diskstats",
  "/proc/meminfo",
  "/proc/stat",
  "/proc/swaps",
  "/proc/uptime",
  "/proc/loadavg",
  "/proc/slabinfo",
  "/proc/net/dev",
  "/proc/sys/kernel/ns_last_pid",
]);

/** Filesystems without a device below: read-only is a matter of the mount alone. */
const virtual: ReadonlySet<string> = new Set(["proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2"]);

const reasons: ReadonlyMap<string, string> = new Map([
  ["/proc", "Programs look here for processes, and see only those of the container"],
  ["/dev", "The container gets device files of its own, in memory"],
  ["/dev/pts", "Terminals opened in the container are its own"],
  ["/dev/shm", "Programs share memory here"],
  ["/dev/mqueue", "POSIX message queues of the container show here"],
  ["/sys", "Programs look here for what the kernel knows of devices and networks"],
  ["/sys/fs/cgroup", "Programs look here for their limits"],
]);

/** Adds the config's mounts in their order. Returns steps' paths that must become read-only when all else is in place. */
export function addMounts(list: StepList, mounts: readonly MountConfig[], context: MountContext): readonly string[] {
  const readOnlyLater: string[] = [];
  for (const mount of mounts) addMount(list, mount, context, readOnlyLater);
  return readOnlyLater;
}

function addMount(list: StepList, mount: MountConfig, context: MountContext, readOnlyLater: string[]): void {
  const target = pathInRoot(mount.destination, "mount on");
  if (target === "/") throw invalidArgument('Cannot mount on "/": the root comes from root.path');
  if (mount.uidMappings.length > 0 || mount.gidMappings.length > 0)
    throw unsupported(`Cannot mount on "${target}": id-mapped mounts are not supported`);
  const words = readMountWords(mount.options, target);
  const bind = words.bind || mount.type === "bind";
  checkProc(target, bind, mount);
  if (bind) addBind(list, mount, target, words, context);
  else addFilesystem(list, mount, target, words, context, readOnlyLater);
}

function checkProc(target: string, bind: boolean, mount: MountConfig): void {
  if (target !== "/proc" && !target.startsWith("/proc/")) return;
  if (target === "/proc" && (bind ? mount.source === "/proc" : mount.type === "proc")) return;
  if (bind && replaceableProcFiles.has(target)) return;
  throw permissionDenied(
    `Cannot mount on "${target}": only procfs may be at /proc, and only some of its files may be replaced`,
  );
}

function addBind(list: StepList, mount: MountConfig, target: string, words: MountWords, context: MountContext): void {
  list.add(
    {
      op: "bind",
      source: bindSource(mount.source, target, context.bundle),
      target,
      recursive: words.bindRecursive || !words.bind,
      set: words.set,
      clear: words.clear,
      setRecursive: words.setRecursive,
      clearRecursive: words.clearRecursive,
      propagation: words.propagation,
      propagationRecursive: words.propagationRecursive,
    },
    "The container sees this path of the host",
    mountsSource,
  );
}

function bindSource(source: string, target: string, bundle: string | undefined): string {
  if (source === "") throw invalidArgument(`Cannot bind to "${target}": the mount has no source`);
  if (source.includes("\0")) throw invalidArgument(`Cannot bind to "${target}": its source contains a NUL character`);
  if (source.startsWith("/")) return source;
  if (bundle === undefined) throw invalidArgument(`Cannot bind "${source}": the path is not absolute`);
  return `${bundle}/${source}`;
}

function addFilesystem(
  list: StepList,
  mount: MountConfig,
  target: string,
  words: MountWords,
  context: MountContext,
  readOnlyLater: string[],
): void {
  if (mount.type === "") throw invalidArgument(`Cannot mount on "${target}": the mount has no type`);
  if (mount.type.includes("\0") || mount.source.includes("\0"))
    throw invalidArgument(`Cannot mount on "${target}": its type or source contains a NUL character`);
  // A new filesystem below a root that is not shared is private already, and slave of nothing.
  if (words.propagation === mountPropagation.shared || words.propagation === mountPropagation.unbindable)
    throw unsupported(`Cannot mount on "${target}": a new filesystem can only be private`);
  const attributes = words.set | words.setRecursive;
  if (mount.type === "cgroup") {
    mountCgroups(list, target, attributes, context, readOnlyLater);
    return;
  }
  const readOnly = (attributes & mountAttribute.readOnly) !== 0n;
  // Later mounts and devices may need directories in it.
  const later = readOnly && (mount.type === "tmpfs" || target === "/dev");
  if (later) readOnlyLater.push(target);
  list.add(
    {
      op: "mount",
      type: mount.type,
      source: mount.source === "" ? mount.type : mount.source,
      target,
      attributes: later ? attributes & ~mountAttribute.readOnly : attributes,
      parameters: labelParameters(
        mount.type,
        readOnly && !virtual.has(mount.type) ? [...words.parameters, { key: "ro", value: "" }] : words.parameters,
        context.mountLabel,
      ),
      mode: 0o755,
    },
    reasons.get(target) ?? "The config asks for this filesystem",
    mountsSource,
  );
  addQueueLabel(list, mount.type, target, context.mountLabel);
}
