import { invalidArgument, permissionDenied } from "#errdefs";
import type { MountConfig } from "#spec";
import type { HostFacts } from "../host-facts.ts";
import type { ImageMount, Step } from "../plan.ts";
import { mountAttribute } from "../tables/mount-flags.ts";
import { addBind } from "./bind-mount.ts";
import { addFilesystem, addRemount } from "./filesystem-mount.ts";
import type { ContainerUsers } from "./mount-id-map.ts";
import { readMountWords } from "./mount-words.ts";
import type { NamespacePlan } from "./namespaces.ts";
import { mountTarget } from "./paths.ts";
import { StepList } from "./step-list.ts";

/** What mounting depends on. */
export interface MountContext {
  readonly facts: HostFacts;
  readonly cgroupPaths: ReadonlyMap<string, string>;
  readonly namespaces: NamespacePlan;
  /** The container has a cgroup namespace of its own. */
  readonly cgroupNamespace: boolean;
  /** The container has a user namespace of its own, or keel is in one. */
  readonly userNamespace: boolean;
  readonly users: ContainerUsers | undefined;
  /** Where relative sources of binds start. */
  readonly bundle: string | undefined;
  /** SELinux label for files of new filesystems. */
  readonly mountLabel: string | undefined;
  /** The container's root as a path of the host, where it is one. */
  readonly root: string | undefined;
  /** What is bound stays a peer of the host's mount (rootfsPropagation). */
  readonly shared: boolean;
  /** Sources of binds are taken before the namespaces are entered. */
  readonly fromOutside: boolean;
  /** What mounts of type `image` show, by their destination. */
  readonly images?: ReadonlyMap<string, ImageMount> | undefined;
}

/** Steps of the mounts, by when they come. */
export interface MountPlan {
  /** On the host's side, before the container's process is there. */
  readonly early: readonly Step[];
  readonly steps: readonly Step[];
  /** Paths that must become read-only when all else is in place. */
  readonly readOnlyLater: readonly string[];
}

/** What one mount adds its steps to. */
export interface MountLists {
  readonly early: StepList;
  readonly list: StepList;
  readonly readOnlyLater: string[];
  /** A number for `open-source` that no other mount has. */
  readonly slot: () => number;
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
  "/proc/sys/crypto/fips_enabled",
]);

/** Slots that keel has. */
const maxSources = 256;

/** Compiles the config's mounts, in their order. */
export function planMounts(mounts: readonly MountConfig[], context: MountContext): MountPlan {
  let slots = 0;
  const lists: MountLists = {
    early: new StepList(),
    list: new StepList(),
    readOnlyLater: [],
    slot() {
      if (slots === maxSources)
        throw invalidArgument(`Cannot mount: more than ${maxSources} mounts have mapped ids or are taken from outside`);
      return slots++;
    },
  };
  mounts.forEach((mount, index) => {
    lists.early.config = `mounts[${index}]`;
    lists.list.config = `mounts[${index}]`;
    addMount(lists, mount, context);
  });
  return { early: lists.early.steps, steps: lists.list.steps, readOnlyLater: lists.readOnlyLater };
}

function addMount(lists: MountLists, mount: MountConfig, context: MountContext): void {
  const target = mountTarget(mount.destination, context.root);
  const words = readMountWords(mount.options, target);
  const bind = words.bind || mount.type === "bind";
  if (words.switches.has("remount")) {
    addRemount(lists.list, mount, target, words, bind);
    return;
  }
  if (target === "/") throw invalidArgument('Cannot mount on "/": the root comes from root.path');
  checkProc(target, bind, mount);
  const image = mount.type === "image" ? context.images?.get(mount.destination) : undefined;
  if (image !== undefined) {
    const attributes = mountAttribute.readOnly | mountAttribute.noSuid | mountAttribute.noDev | words.set;
    lists.list.add(
      { op: "mount-layers", lower: image.lower, subpath: image.subpath, target, attributes },
      "The container sees the files of another image, and cannot change them",
    );
    return;
  }
  if (bind) addBind(lists, mount, target, words, context);
  else addFilesystem(lists, mount, target, words, context);
}

/** Something of the host comes to the destination. */
export const isBind = ({ type, options }: MountConfig): boolean =>
  (type === "bind" || options.includes("bind") || options.includes("rbind")) && !options.includes("remount");

function checkProc(target: string, bind: boolean, mount: MountConfig): void {
  if (target !== "/proc" && !target.startsWith("/proc/")) return;
  if (target === "/proc" && (bind ? mount.source === "/proc" : mount.type === "proc")) return;
  if (bind && replaceableProcFiles.has(target)) return;
  // The directory is there for it, and it answers for nothing else.
  if (!bind && target === "/proc/sys/fs/binfmt_misc" && mount.type === "binfmt_misc") return;
  throw permissionDenied(
    `Cannot mount on "${target}": only procfs may be at /proc, and only some of its files may be replaced`,
  );
}
