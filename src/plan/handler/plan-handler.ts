import type { RuntimeConfig } from "#spec";
import { cgroupDirectories, checkCgroupPath } from "../cgroup/directories.ts";
import { killAllOperations } from "../cgroup/freeze.ts";
import { planGroup } from "../cgroup/plan-group.ts";
import { pathInRoot } from "../container/paths.ts";
import { StepList } from "../container/step-list.ts";
import type { HostFacts } from "../host-facts.ts";
import type { Operation } from "../operation.gen.ts";
import type { Plan, PlanOptions } from "../plan.ts";
import { mountAttribute, mountPropagation } from "../tables/mount-flags.ts";
import { namespaceFlags } from "../tables/namespaces.ts";
import { handlerCommand, handlerTimeout, isInSandbox, kernelPorts, type HandlerContainer } from "./handler.ts";

/** Where the runtime and keel find things of one container. */
export interface HandlerPlaces {
  /** The bundle: absolute host directory, with config.json; the runtime's log and the pid's file are there for a while. */
  readonly bundle: string;
  /** `NAME=value` of the runtime's own environment. */
  readonly environment: readonly string[];
  /** keel's binary, for `--init`. */
  readonly keel: string;
}

export interface HandlerPlan extends Plan {
  /** For the bundle's config.json. */
  readonly config: RuntimeConfig;
}

const handlerLog = (bundle: string): string => `${bundle}/runtime.log`;

/**
 * Compiles a container that another runtime makes: its files are put together in a mount namespace of their own, which the
 * runtime starts from, so that nothing is ever mounted on the host.
 */
export function planHandler(
  config: RuntimeConfig,
  facts: HostFacts,
  container: HandlerContainer,
  places: HandlerPlaces,
  options: Pick<PlanOptions, "root" | "cgroupPath" | "copyUps" | "imageMounts" | "memoryFiles" | "init">,
): HandlerPlan {
  const { handler, id } = container;
  const list = new StepList();
  const cgroups = cgroupDirectories(facts.cgroup, checkCgroupPath(options.cgroupPath));
  const ours = handler.type !== "oci";
  const source = "runtime-spec runtime.md#lifecycle";
  const version2 = facts.cgroup.version === 2;
  // With the kernel's network runsc makes no namespace, and is not to be in it itself: its own sockets are by namespace.
  const namespace = config.linux.namespaces.find(({ type }) => type === "network");
  const ownNetwork = handler.kernelNetwork === true && namespace !== undefined && namespace.path === undefined;
  if (ours) {
    const empty = { devices: [], hugepageLimits: [], rdma: new Map(), unified: new Map() };
    const group = planGroup(
      options.cgroupPath,
      isInSandbox(container) ? empty : (config.linux.resources ?? empty),
      facts,
    );
    list.append(group.steps);
    list.warnings.push(...group.warnings);
  }
  list.add(
    {
      op: "clone",
      namespaces: namespaceFlags.mount,
      cgroup: ours && version2 ? (cgroups.directories[0] ?? "") : "",
    },
    "The container's files are put together where nobody else sees the mounts",
    "mount_namespaces(7)",
  );
  if (ours && !version2)
    list.add(
      { op: "join-cgroup", paths: cgroups.directories, unshare: false },
      "The limits hold for the sandbox as a whole",
      "cgroups(7)",
    );
  list.add(
    { op: "propagation", mode: mountPropagation.slave, recursive: true },
    "Mounts made for the container do not appear on the host",
    "mount_namespaces(7)",
  );
  if (ownNetwork)
    list.add(
      {
        op: "pin-namespaces",
        namespaces: namespaceFlags.network,
        directory: places.bundle,
        hostname: "",
        uids: [],
        gids: [],
        sysctls: [kernelPorts],
      },
      "The sandbox gets a network of its own, in which it can reach itself at 127.0.0.1",
    );
  for (const path of handler.hides ?? [])
    list.add({ op: "unmount", path }, `The runtime ${handler.name} refuses a host that has this, and does not need it`);
  addRoot(list, options);
  list.add(
    {
      op: "runtime-create",
      arguments: command(container, places, [
        "create",
        `--bundle=${places.bundle}`,
        `--pid-file=${places.bundle}/runtime.pid`,
        ...(config.process?.terminal === true ? ["--console-socket", "@console"] : []),
        id,
      ]),
      environment: places.environment,
      directory: places.bundle,
      pidFile: "runtime.pid",
      terminal: config.process?.terminal === true,
      timeout: handlerTimeout,
      undo: removal(container, places),
      ...waiter(container, places),
    },
    `The runtime ${handler.name} makes the container; its process waits for start`,
    source,
  );
  list.add({ op: "wait-start" }, "The container is created; its program waits for start", source);
  list.add(
    {
      op: "run-command",
      arguments: command(container, places, ["start", id]),
      environment: places.environment,
      timeout: handlerTimeout,
      undo: removal(container, places),
      // In another's sandbox a container gets its streams here.
      streams: isInSandbox(container) && config.process?.terminal !== true,
      release: true,
      tolerate: false,
    },
    `The runtime ${handler.name} lets the program run`,
    source,
  );
  const directory = cgroups.paths.get("memory");
  const file = version2 ? "memory.events" : "memory.oom_control";
  return {
    steps: list.steps,
    warnings: list.warnings,
    exit: handlerLeftover(container, places, facts, options.cgroupPath),
    oomFile: directory === undefined ? "" : `${directory}/${file}`,
    cgroupPaths: cgroups.paths,
    config: handlerConfig(ownNetwork ? withNetwork(config, places) : config, container, places, options),
  };
}

function addRoot(list: StepList, { root, copyUps, imageMounts, memoryFiles }: Parameters<typeof planHandler>[4]): void {
  if (root.kind === "overlay")
    list.add(
      {
        op: "root-overlay",
        lower: root.lower,
        upper: root.upper,
        work: root.work,
        parameters: root.parameters ?? [],
        target: root.target,
      },
      "The image's layers, read-only, with a writable one on top, are the container's files",
      "runtime-spec config.md#root",
    );
  else list.add({ op: "root-directory", path: root.path }, "This directory is the container's root");
  for (const { path, directory } of copyUps ?? [])
    list.add(
      { op: "copy-tree", source: pathInRoot(path, "copy"), destination: directory },
      "A new volume starts with what the image has in its place",
    );
  for (const [target, { lower, subpath }] of imageMounts ?? [])
    list.add(
      {
        op: "mount-layers",
        lower,
        subpath,
        target: pathInRoot(target, "mount on"),
        attributes: mountAttribute.readOnly | mountAttribute.noSuid | mountAttribute.noDev,
      },
      "The container sees the files of another image, and cannot change them",
    );
  for (const { path, ...file } of memoryFiles ?? [])
    list.add(
      { op: "memory-file", path: pathInRoot(path, "put a file"), ...file },
      "The program finds a secret here that is in memory only, and only in this container",
    );
}

/** Another process in the container. `name` is of files in the bundle that are this call's alone. */
export function planHandlerExec(
  container: HandlerContainer,
  places: Pick<HandlerPlaces, "bundle" | "environment">,
  name: string,
  terminal: boolean,
  cgroups: ReadonlyMap<string, string>,
): readonly Operation[] {
  const { bundle, environment } = places;
  const words = [
    "exec",
    "--detach",
    `--process=${bundle}/${name}.json`,
    `--pid-file=${bundle}/${name}.pid`,
    ...(terminal ? ["--console-socket", "@console"] : []),
    container.id,
  ];
  const { hides = [], type } = container.handler;
  const apart: readonly Operation[] = [
    { op: "clone", namespaces: namespaceFlags.mount, cgroup: "" },
    { op: "propagation", mode: mountPropagation.slave, recursive: true },
    ...hides.map((path): Operation => ({ op: "unmount", path })),
  ];
  return [
    // What stands for the process here is within the container's limits.
    ...(type === "oci" ? [] : [{ op: "join-cgroup", paths: [...new Set(cgroups.values())], unshare: false } as const]),
    ...(hides.length > 0 ? apart : []),
    {
      op: "runtime-create",
      arguments: handlerCommand(container, `${bundle}/${name}.log`, words),
      environment,
      directory: bundle,
      pidFile: `${name}.pid`,
      terminal,
      timeout: handlerTimeout,
      undo: [],
      waiter: [],
      mark: "",
    },
  ];
}

/** What takes away all that is left of a container, at whatever point it is. */
export function handlerLeftover(
  container: HandlerContainer,
  places: Pick<HandlerPlaces, "bundle" | "environment">,
  facts: HostFacts,
  cgroupPath: string,
): readonly Operation[] {
  const { paths, directories } = cgroupDirectories(facts.cgroup, cgroupPath);
  return [
    {
      op: "run-command",
      arguments: removal(container, places),
      environment: places.environment,
      timeout: handlerTimeout,
      undo: [],
      streams: false,
      release: false,
      tolerate: true,
    },
    ...killAllOperations(paths),
    ...directories.map((path): Operation => ({ op: "cgroup-remove", path })),
  ];
}

const command = (
  container: HandlerContainer,
  { bundle }: Pick<HandlerPlaces, "bundle">,
  words: readonly string[],
): readonly string[] => handlerCommand(container, handlerLog(bundle), words);

const removal = (container: HandlerContainer, places: Pick<HandlerPlaces, "bundle">): readonly string[] =>
  command(container, places, ["delete", "--force", container.id]);

/** In another's sandbox the container's process is not even a sandbox of its own. */
function waiter(
  container: HandlerContainer,
  places: HandlerPlaces,
): { readonly waiter: readonly string[]; readonly mark: string } {
  if (!isInSandbox(container)) return { waiter: [], mark: "" };
  return { waiter: command(container, places, ["wait", container.id]), mark: '"exitStatus":' };
}

/** In the namespace that was made for it. */
function withNetwork(config: RuntimeConfig, { bundle }: HandlerPlaces): RuntimeConfig {
  const namespaces = config.linux.namespaces.map((n) => (n.type === "network" ? { ...n, path: `${bundle}/net` } : n));
  return { ...config, linux: { ...config.linux, namespaces } };
}

const initPath = "/dev/init";

function handlerConfig(
  config: RuntimeConfig,
  container: HandlerContainer,
  { keel }: HandlerPlaces,
  { root, cgroupPath, init }: Parameters<typeof planHandler>[4],
): RuntimeConfig {
  const { process } = config;
  const { sandbox, handler } = container;
  const maps = { uidMappings: [], gidMappings: [] };
  const withInit = init === true && process !== undefined;
  return {
    ...config,
    root: { path: root.kind === "overlay" ? root.target : root.path, readonly: config.root?.readonly ?? false },
    process: withInit ? { ...process, args: [initPath, "init", "--", ...process.args] } : process,
    mounts: [
      ...config.mounts.filter(({ type }) => type !== "image"),
      ...(withInit
        ? [{ destination: initPath, type: "bind", source: keel, options: ["bind", "ro", "nosuid", "nodev"], ...maps }]
        : []),
    ],
    annotations:
      sandbox === undefined
        ? config.annotations
        : new Map([
            ...config.annotations,
            ["io.kubernetes.cri.container-type", sandbox.first ? "sandbox" : "container"],
            ["io.kubernetes.cri.sandbox-id", sandbox.id],
          ]),
    linux: { ...config.linux, ...(handler.type === "oci" && { cgroupsPath: cgroupPath }) },
  };
}
