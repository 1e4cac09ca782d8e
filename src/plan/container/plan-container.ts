import { invalidArgument } from "#errdefs";
import type { NamespaceType, RuntimeConfig } from "#spec";
import { delegatedSubgroup, delegationSteps } from "../cgroup/delegation.ts";
import { cgroupDirectories, checkCgroupPath, createSteps, type CgroupDirectories } from "../cgroup/directories.ts";
import { killAllOperations } from "../cgroup/freeze.ts";
import { checkFoundCgroups } from "../cgroup/place.ts";
import { writeV1 } from "../cgroup/write-v1.ts";
import { writeV2 } from "../cgroup/write-v2.ts";
import type { HostFacts } from "../host-facts.ts";
import type { Operation } from "../operation.gen.ts";
import type { Plan, PlanOptions } from "../plan.ts";
import { mountAttribute, mountPropagation } from "../tables/mount-flags.ts";
import { namespaceFlags } from "../tables/namespaces.ts";
import { capabilityMasks } from "./capability-sets.ts";
import { addDevices } from "./devices.ts";
import { addHooks } from "./hooks.ts";
import { addIntelRdt, intelRdtExit } from "./intel-rdt.ts";
import { isBind, planMounts, type MountPlan } from "./mounts.ts";
import { cloneFlags, idMaps, planNamespaces, type NamespacePlan } from "./namespaces.ts";
import { addNetDevices } from "./net-devices.ts";
import { absolutePath, checkText, mountTarget, pathInRoot } from "./paths.ts";
import { addFinish, addRlimits } from "./process.ts";
import { addAllProcessors, addScheduling } from "./scheduling.ts";
import { addSeccompListener } from "./seccomp.ts";
import { addKeyring, labelParameters, selinuxLabel } from "./security-labels.ts";
import { StepList } from "./step-list.ts";
import { addSysctls } from "./sysctls.ts";

const namespaceSource = "runtime-spec config-linux.md#namespaces";

/**
 * Compiles a container: everything that keel does from nothing to the running program.
 *
 * The order is that of the kernel's needs. Limits stand before the process exists, so that it never runs without them;
 * paths of the host are used before pivot_root; kernel parameters and masks before it too, while the host's /proc can be
 * trusted; privilege is dropped last.
 *
 * @throws SampanError `invalid-argument`, `permission-denied` (it would reach beyond the container), `failed-precondition`
 *   (this host cannot do it) or `unsupported`
 */
export function planContainer(config: RuntimeConfig, facts: HostFacts, options: PlanOptions): Plan {
  const { process, linux } = config;
  if (process === undefined) throw invalidArgument("Cannot plan container: the config has no process");
  const namespaces = planNamespaces(linux, facts);
  const cgroups = cgroupDirectories(facts.cgroup, checkCgroupPath(options.cgroupPath), options.cgroupBase);
  checkFoundCgroups(options.cgroupFound ?? new Map());
  const subgroup = delegatedSubgroup(config, facts.cgroup);
  const ownUsers = namespaces.created.has("user") || namespaces.joined.has("user");
  const userNamespace = ownUsers || facts.rootless;
  const list = new StepList();

  list.append(createSteps(facts.cgroup, cgroups));
  const writeLimits = facts.cgroup.version === 1 ? writeV1 : writeV2;
  list.append(writeLimits(linux.resources, cgroups.paths, facts, list.warnings, options.cgroupLimits));
  list.append(delegationSteps(config, facts, namespaces.created, cgroups.directories, subgroup));
  addOomScore(list, process.oomScoreAdj);
  if (options.startDirectory !== undefined)
    list.add(
      { op: "start-socket", directory: options.startDirectory },
      "Once it is created the container waits here for its start, whoever asks for it",
      "runtime-spec runtime.md#lifecycle",
    );
  const id = options.id ?? options.cgroupPath.slice(options.cgroupPath.lastIndexOf("/") + 1);
  if (linux.intelRdt !== undefined) addIntelRdt(list, linux.intelRdt, id, facts);
  const mounts = mountsOf(config, facts, options, namespaces, cgroups.paths);
  list.append(mounts.early);
  addSeccompListener(list, linux.seccomp, config.ociVersion, options.hookState?.("creating"));
  addProcess(list, config, facts, namespaces, cgroups.directories, subgroup);

  if (options.keyring !== undefined) addKeyring(list, options.keyring, process, facts);
  list.add({ op: "session" }, "Signals from the host's terminal do not reach the container", "setsid(2)");
  if (namespaces.created.has("network"))
    list.add({ op: "loopback-up" }, "The container can reach itself at 127.0.0.1", namespaceSource);
  addNetDevices(list, linux, namespaces, facts);
  addHostname(list, config, namespaces);

  addRoot(list, config, options, selinuxLabel(linux.mountLabel, "linux.mountLabel", facts));
  list.append(mounts.steps);
  for (const { path, ...file } of options.memoryFiles ?? [])
    list.add(
      { op: "memory-file", path: pathInRoot(path, "put a file"), ...file },
      "The program finds a secret here that is in memory only, and only in this container",
    );
  const hostDev = config.mounts.some((mount) => mountTarget(mount.destination) === "/dev" && isBind(mount));
  if (!hostDev) addDevices(list, linux.devices, userNamespace);
  const cwd = absolutePath(process.cwd, "change directory to");
  if (cwd !== "/")
    list.add(
      { op: "directory", path: cwd, mode: 0o755, uid: 0, gid: 0 },
      "The working directory is made when the image does not have it",
      "runtime-spec config.md#process",
    );
  if (process.terminal)
    list.add(
      {
        op: "terminal",
        columns: process.consoleSize?.width ?? 0,
        rows: process.consoleSize?.height ?? 0,
        console: !hostDev,
      },
      "The program talks to a terminal, as in a shell on the host",
      "runtime-spec config.md#process",
    );
  for (const path of new Set(linux.maskedPaths))
    list.add(
      { op: "mask", path: absolutePath(path, "mask") },
      "What is here tells of the host, or could harm it",
      "runtime-spec config-linux.md#masked-paths",
    );
  for (const path of new Set(linux.readonlyPaths))
    list.add(
      { op: "read-only-path", path: absolutePath(path, "make read-only") },
      "Programs may read the kernel's settings here, but not change them",
      "runtime-spec config-linux.md#readonly-paths",
    );
  for (const path of mounts.readOnlyLater)
    list.add(
      { op: "mount-attributes", path, set: mountAttribute.readOnly, clear: 0n, recursive: false },
      "All that goes into it is there, so that it can become read-only",
      "runtime-spec config.md#mounts",
    );
  addSysctls(list, linux.sysctl, namespaces.created);
  addHooks(list, "prestart", config.hooks.prestart, options);
  addHooks(list, "createRuntime", config.hooks.createRuntime, options);
  addHooks(list, "createContainer", config.hooks.createContainer, options);
  addPivot(list, config, options);

  addRlimits(list, process);
  addScheduling(list, process, linux);
  const masks = capabilityMasks(process.capabilities, facts, ownUsers, list.warnings);
  addFinish(list, {
    process,
    masks,
    linux,
    facts,
    options,
    started: () => {
      list.add(
        { op: "wait-start" },
        "The container is created; its program waits for start",
        "runtime-spec runtime.md#lifecycle",
      );
      addHooks(list, "startContainer", config.hooks.startContainer, options);
    },
    userNamespace: ownUsers,
  });
  return {
    steps: list.steps,
    warnings: list.warnings,
    exit: [
      ...exitOperations(cgroups, namespaces, subgroup, options),
      ...(linux.intelRdt === undefined ? [] : intelRdtExit(linux.intelRdt, id, facts)),
    ],
    oomFile: oomFile(facts, cgroups.paths),
    cgroupPaths: cgroups.paths,
  };
}

/** The config's mounts, for this container. */
function mountsOf(
  { mounts, linux }: RuntimeConfig,
  facts: HostFacts,
  { bundle, root, imageMounts }: PlanOptions,
  namespaces: NamespacePlan,
  cgroupPaths: ReadonlyMap<string, string>,
): MountPlan {
  const { created, joined } = namespaces;
  const usersPath = joined.get("user");
  const ownUsers = created.has("user")
    ? ({ kind: "created", uids: linux.uidMappings, gids: linux.gidMappings } as const)
    : undefined;
  return planMounts(mounts, {
    facts,
    cgroupPaths,
    namespaces,
    cgroupNamespace: created.has("cgroup") || joined.has("cgroup"),
    userNamespace: ownUsers !== undefined || usersPath !== undefined || facts.rootless,
    users: usersPath === undefined ? ownUsers : { kind: "joined", path: usersPath },
    bundle,
    mountLabel: selinuxLabel(linux.mountLabel, "linux.mountLabel", facts),
    root: root.kind === "bind" ? root.path : undefined,
    shared: linux.rootfsPropagation === "shared" || linux.rootfsPropagation === "rshared",
    fromOutside: false,
    images: imageMounts,
  });
}

/** Written by the executor, which is on the host's side and passes it on to the container's process. */
export function addOomScore(list: StepList, score: number | undefined): void {
  if (score === undefined) return;
  list.add(
    { op: "write-file", path: "/proc/self/oom_score_adj", data: String(score), tolerate: false },
    "When the host runs out of memory, the kernel weighs this process accordingly",
    "runtime-spec config.md#linux-process",
  );
}

/** The container's process, in its namespaces and cgroups. */
function addProcess(
  list: StepList,
  { linux }: RuntimeConfig,
  facts: HostFacts,
  namespaces: NamespacePlan,
  directories: readonly string[],
  subgroup: string,
): void {
  const join = (type: NamespaceType): void => {
    const path = namespaces.joined.get(type);
    if (path !== undefined)
      list.add(
        { op: "join-namespace", kind: namespaceFlags[type], path },
        `The container shares this ${type} namespace with others`,
        namespaceSource,
      );
  };
  // A pid namespace is entered by children only; namespaces that clone makes belong to the user namespace it runs in.
  const before: readonly NamespaceType[] = facts.rootless ? ["user", "pid"] : ["pid", "user"];
  for (const type of before) join(type);
  const version2 = facts.cgroup.version === 2;
  list.add(
    { op: "clone", namespaces: cloneFlags(namespaces), cgroup: version2 ? (directories[0] ?? "") : "" },
    "The container's process gets its own view of the system: what these namespaces isolate, it does not see of the host",
    namespaceSource,
  );
  const newUsers = namespaces.created.has("user");
  if (newUsers)
    list.add(
      {
        op: "id-map",
        uids: idMaps(linux.uidMappings, "uid"),
        gids: idMaps(linux.gidMappings, "gid"),
        denySetgroups: facts.rootless,
      },
      "Root of the container is an ordinary user of the host",
      "user_namespaces(7)",
    );
  const unshare = namespaces.created.has("cgroup");
  if (!version2 || unshare)
    list.add(
      { op: "join-cgroup", paths: version2 ? [] : directories, unshare },
      version2
        ? "The container sees its own group as the top of all groups"
        : "From now on the limits hold for the container's process",
      version2 ? "cgroup_namespaces(7)" : "cgroups(7)",
    );
  if (subgroup !== "")
    list.add(
      { op: "join-cgroup", paths: [`${directories[0]}/${subgroup}`], unshare: false },
      "The container's processes start below its own group, which stays free to have child groups",
      "cgroups(7)",
    );
  addAllProcessors(list);
  if (newUsers || namespaces.joined.has("user"))
    list.add(
      { op: "user", uid: 0, gid: 0, groups: [], umask: 0o022 },
      "What is set up from here on is done as root of the container",
      "user_namespaces(7)",
    );
  for (const type of ["network", "ipc", "uts", "cgroup", "time", "mount"] as const) join(type);
  if (namespaces.created.has("time")) {
    list.add({ op: "time-namespace" }, "The container gets clocks of its own", "time_namespaces(7)");
    for (const [clock, { secs, nanosecs }] of linux.timeOffsets)
      list.add(
        { op: "time-offset", clock, seconds: secs, nanoseconds: nanosecs },
        "This clock of the container runs ahead of the host's, or behind",
        "time_namespaces(7)",
      );
    list.add({ op: "enter-time-namespace" }, "The offsets are set, the container's clocks hold", "time_namespaces(7)");
  }
}

function addHostname(list: StepList, { hostname, domainname }: RuntimeConfig, namespaces: NamespacePlan): void {
  const own = namespaces.created.has("uts") || namespaces.joined.has("uts");
  const check = (name: string, what: string): void => {
    if (!own) throw invalidArgument(`Cannot set ${what} "${name}": without a uts namespace it would change the host's`);
    if (name.length > 64) throw invalidArgument(`Cannot set ${what} "${name}": it is longer than 64 bytes`);
    checkText(name, what);
  };
  if (hostname !== undefined && hostname !== "") {
    check(hostname, "host name");
    list.add(
      { op: "hostname", name: hostname },
      "The container has a name of its own",
      "runtime-spec config.md#hostname",
    );
  }
  if (domainname !== undefined && domainname !== "") {
    check(domainname, "domain name");
    list.add(
      { op: "domainname", name: domainname },
      "The container has a domain name of its own",
      "runtime-spec config.md#domainname",
    );
  }
}

/**
 * Whatever the config's propagation is, the container's copies of the host's mounts are slaves while it is set up, so that
 * nothing of this appears on the host. Only binds that are to be shared with the host are, each by itself.
 */
function addRoot(
  list: StepList,
  { linux }: RuntimeConfig,
  { root, copyUps }: PlanOptions,
  label: string | undefined,
): void {
  const mode = linux.rootfsPropagation === "rprivate" ? mountPropagation.private : mountPropagation.slave;
  list.add(
    { op: "propagation", mode, recursive: true },
    "Mounts made for the container do not appear on the host",
    "mount_namespaces(7)",
  );
  if (root.kind === "overlay")
    list.add(
      {
        op: "root-overlay",
        lower: root.lower,
        upper: root.upper,
        work: root.work,
        parameters: labelParameters("overlay", root.parameters ?? [], label),
        target: root.target,
      },
      "The image's layers, read-only, with a writable one on top, are the container's files",
      "runtime-spec config.md#root",
    );
  else
    list.add(
      { op: "root-bind", path: absolutePath(root.path, "use root"), recursive: true },
      "This directory is the container's root",
      "runtime-spec config.md#root",
    );
  for (const { path, directory } of copyUps ?? [])
    list.add(
      { op: "copy-tree", source: pathInRoot(path, "copy"), destination: directory },
      "A new volume starts with what the image has in its place",
    );
}

function addPivot(list: StepList, { root, linux }: RuntimeConfig, { noPivot }: PlanOptions): void {
  if (noPivot === true)
    list.add({ op: "move-root" }, "The host's root cannot be let go of, so the container's covers it", "mount(2)");
  else
    list.add(
      { op: "pivot-root" },
      "The host's files are gone for the container: there is no way back to them",
      "pivot_root(2)",
    );
  const [, recursive, mode] = /^(r?)(private|shared|unbindable)$/.exec(linux.rootfsPropagation ?? "") ?? [];
  if (mode === "private" || mode === "shared" || mode === "unbindable")
    list.add(
      { op: "propagation", mode: mountPropagation[mode], recursive: recursive === "r" },
      "The config asks for it",
      "runtime-spec config-linux.md#rootfs-mount-propagation",
    );
  if (root?.readonly === true)
    list.add(
      { op: "mount-attributes", path: "/", set: mountAttribute.readOnly, clear: 0n, recursive: false },
      "The container may not change its root filesystem",
      "runtime-spec config.md#root",
    );
}

/**
 * With a pid namespace of its own all processes end with the first; without one the rest is killed by its cgroup. What was
 * there before the container stays.
 */
function exitOperations(
  { paths, directories }: CgroupDirectories,
  { created }: NamespacePlan,
  subgroup: string,
  { cgroupFound }: PlanOptions,
): readonly Operation[] {
  const operations: Operation[] = [];
  if (!created.has("pid")) operations.push(...killAllOperations(paths));
  for (const path of directories)
    if (cgroupFound?.has(path) !== true) operations.push({ op: "cgroup-remove", path });
    else if (subgroup !== "") operations.push({ op: "cgroup-remove", path: `${path}/${subgroup}` });
  return operations;
}

function oomFile(facts: HostFacts, paths: ReadonlyMap<string, string>): string {
  const directory = paths.get("memory");
  if (directory === undefined) return "";
  return `${directory}/${facts.cgroup.version === 1 ? "memory.oom_control" : "memory.events"}`;
}
