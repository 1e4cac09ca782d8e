/** What containers share: the book, the runtime, the snapshots; and how one is launched and discarded. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { failedPrecondition, isSampanError } from "#errdefs";
import type { Executor } from "#keel";
import {
  cgroupDirectories,
  handlerLeftover,
  sharesSandbox,
  type HostFacts,
  type ImageMount,
  type Operation,
  type PlanOptions,
} from "#plan";
import { handlerEnvironment, type CreateContainer, type CreatedContainer, type Runtime } from "#runtime";
import type { PublishedPort } from "#network";
import type { Database } from "#images";
import type { ChainId, RootSource, Snapshotter } from "#snapshots";
import type { RuntimeConfig } from "#spec";
import { containerAttributes } from "./events/container-event.ts";
import { monitorRecord } from "./events/event.ts";
import type { Journal } from "./events/journal.ts";
import { accountFileLimit, resolveUser, type AccountFiles, type ResolvedUser } from "./passwd.ts";
import type { EnginePaths } from "./paths.ts";
import { logLimit } from "./logs.ts";
import { makeMountPoints } from "./mount-points.ts";
import { plainNetworkFiles, writeNetworkFiles } from "./network-files.ts";
import type { Handlers } from "./handlers/handlers.ts";
import { DatabaseNetworkStore } from "./network-store.ts";
import { cniNamespace } from "./network/cni-namespace.ts";
import { CniBook } from "./network/cni-book.ts";
import type { CniNetworking } from "./network/cni-networking.ts";
import type { CniPaths } from "./network/cni-settings.ts";
import { prepareSources } from "./bind-mount.ts";
import { checkPidTarget, joinedPidNamespace } from "./namespace-modes.ts";
import { networkMode } from "./network/mode.ts";
import type { Networking, PreparedNetworks } from "./network/networking.ts";
import type { ContainerRecord, Records } from "./records.ts";
import type { PodBook } from "./pods/pod-book.ts";
import type { SecretStore } from "./secrets/secrets.ts";
import type { SupervisionBook } from "./supervise/book.ts";
import type { Volumes } from "./volumes/volumes.ts";
import { writeRecord } from "./housekeeping/record-file.ts";
import { containerHostname, runtimeConfig } from "./runtime-config.ts";

/**
 * What an auto-removed container has written is of no use after its end: overlayfs need not bring it to the disk, neither
 * when a program asks for that nor at the unmount (Linux 5.10, Documentation/filesystems/overlayfs.rst, "Volatile mount").
 */
const withoutSync = [{ key: "volatile", value: "" }];

const cloneNewNs = 0x0002_0000n;
const msSlave = 1n << 19n;
const parentDeathSignal = 9;

/** Chain ids come back from the book as plain text. */
export function asChainId(text: string): ChainId;
export function asChainId(text: string | undefined): ChainId | undefined;
export function asChainId(text: string | undefined): ChainId | undefined {
  return text as ChainId | undefined;
}

export interface CoreOptions {
  readonly paths: EnginePaths;
  readonly facts: HostFacts;
  readonly executor: Executor;
  readonly database: Database;
  /** Of all namespaces: networks are the host's, and no two may have the same addresses. */
  readonly sharedDatabase: Database;
  readonly runtime: Runtime;
  readonly records: Records;
  readonly snapshotter: Snapshotter;
  readonly cgroupParent: string;
  readonly journal: Journal;
  readonly supervision: SupervisionBook;
  readonly volumes: Volumes;
  readonly secrets: SecretStore;
  readonly pods: PodBook;
  readonly handlers: Handlers;
  /** Where CNI's configurations and plugins are. */
  readonly cniPaths: CniPaths;
  /** Program and arguments of a supervisor in the background; empty where there is to be none. */
  readonly superviseCommand: () => readonly string[];
  /** Program and arguments that remove an auto-removed container, run by its monitor when nobody waits for it. */
  readonly removeCommand: (id: string) => readonly string[];
}

/** Another container whose network is joined. */
export interface SharedNetwork {
  readonly id: string;
  /** Its network namespace's file. */
  readonly namespace: string;
}

const sharesNetwork = ({ resolved }: ContainerRecord): boolean => resolved.pod?.share.includes("net") === true;

export class EngineCore {
  readonly paths: EnginePaths;
  readonly facts: HostFacts;
  readonly executor: Executor;
  readonly database: Database;
  readonly sharedDatabase: Database;
  readonly runtime: Runtime;
  readonly records: Records;
  readonly snapshotter: Snapshotter;
  readonly cgroupParent: string;
  readonly journal: Journal;
  #networkStore: DatabaseNetworkStore | undefined;
  #networking: Promise<Networking> | undefined;
  #cniNetworking: Promise<CniNetworking> | undefined;
  #cniBook: CniBook | undefined;
  readonly cniPaths: CniPaths;
  readonly supervision: SupervisionBook;
  readonly volumes: Volumes;
  readonly secrets: SecretStore;
  readonly pods: PodBook;
  readonly handlers: Handlers;
  readonly superviseCommand: () => readonly string[];
  readonly #removeCommand: CoreOptions["removeCommand"];
  readonly #accounts = new Map<string, AccountFiles>();
  #rootTargetMade = false;
  #mountPointsMade = false;

  constructor(options: CoreOptions) {
    this.paths = options.paths;
    this.facts = options.facts;
    this.executor = options.executor;
    this.database = options.database;
    this.sharedDatabase = options.sharedDatabase;
    this.runtime = options.runtime;
    this.records = options.records;
    this.snapshotter = options.snapshotter;
    this.cgroupParent = options.cgroupParent;
    this.journal = options.journal;
    this.supervision = options.supervision;
    this.volumes = options.volumes;
    this.secrets = options.secrets;
    this.pods = options.pods;
    this.handlers = options.handlers;
    this.cniPaths = options.cniPaths;
    this.superviseCommand = options.superviseCommand;
    this.#removeCommand = options.removeCommand;
  }

  /** Networks and who is on them, as they are written down. */
  get networkStore(): DatabaseNetworkStore {
    return (this.#networkStore ??= new DatabaseNetworkStore(this.sharedDatabase));
  }

  /** Ports of the host that lead to a container while it runs. */
  publishedPorts(id: string): readonly PublishedPort[] {
    return this.networkStore.endpoints({ container: id }).flatMap(({ ports }) => ports);
  }

  /** What works on networks: loaded late, since containers without one need nothing of it. */
  async networking(): Promise<Networking> {
    this.#networking ??= import("./network/networking.ts").then((module) => module.openNetworking(this));
    return await this.#networking;
  }

  /** Who is on CNI networks, as it is written down. */
  get cniBook(): CniBook {
    // Its tables of ports are those of all networks.
    return (this.#cniBook ??= new CniBook(this.sharedDatabase, this.networkStore));
  }

  /** What works on CNI networks, loaded late too. */
  async cniNetworking(): Promise<CniNetworking> {
    this.#cniNetworking ??= import("./network/cni-networking.ts").then((module) => new module.CniNetworking(this));
    return await this.#cniNetworking;
  }

  directory(id: string): string {
    return join(this.paths.containers, id);
  }

  logPath({ id, options }: ContainerRecord): string {
    return options.logPath ?? join(this.directory(id), "log");
  }

  /** The container's cgroup in each hierarchy. */
  cgroupPath({ id, options, resolved }: ContainerRecord): string {
    if (resolved.pod !== undefined) return `${resolved.pod.cgroup}/${id}`;
    return `${options.cgroupParent ?? this.cgroupParent}/${id}`;
  }

  /** Directories of the container's cgroups by controller. */
  cgroups(record: ContainerRecord): ReadonlyMap<string, string> {
    return cgroupDirectories(this.facts.cgroup, this.cgroupPath(record)).paths;
  }

  volumeDirectory(name: string): string {
    return this.volumes.directory(name);
  }

  /**
   * The runtime-spec configuration, made anew from the record each time.
   *
   * @param shared the container whose network it joins
   */
  config(record: ContainerRecord, shared: SharedNetwork | undefined): RuntimeConfig {
    const { options, resolved } = record;
    return runtimeConfig(options, resolved, {
      facts: this.facts,
      directory: this.runtime.stateDirectory(record.id),
      hostname: containerHostname(options, shared?.id ?? record.id),
      volumeDirectories: new Map(resolved.volumes.map((v) => [v.target, this.volumeDirectory(v.name)])),
      networkNamespace:
        networkMode(options).kind === "cni" ? join(cniNamespace(this.paths, record.id), "net") : shared?.namespace,
      pidNamespace: joinedPidNamespace(this, options),
      networkDirectory: sharesNetwork(record)
        ? this.pods.directory(resolved.pod?.id ?? "")
        : this.runtime.stateDirectory(shared?.id ?? record.id),
      podDirectory: resolved.pod === undefined ? undefined : this.pods.directory(resolved.pod.id),
    });
  }

  /** Throws `failed-precondition` when the container whose network is wanted does not run. */
  sharedNetwork(record: ContainerRecord): SharedNetwork | undefined {
    const mode = networkMode(record.options);
    if (mode.kind !== "container") return undefined;
    const other = this.records.find(mode.container);
    const state = this.runtime.state(other.id);
    if (state.status !== "running" && state.status !== "created")
      throw failedPrecondition(`Cannot join the network of container "${other.name}": it is not running`);
    return { id: other.id, namespace: `/proc/${state.pid}/ns/net` };
  }

  /** @param root of the container's snapshot, or of one that only exists in a plan */
  planOptions(record: ContainerRecord, root: RootSource): Omit<PlanOptions, "compileSeccomp"> {
    return {
      root:
        root.kind === "overlay"
          ? {
              ...root,
              lower: [...root.lower, this.#mountPoints()],
              target: this.rootTarget(),
              parameters: record.options.autoRemove === true ? withoutSync : [],
            }
          : { kind: "bind", path: root.path },
      cgroupPath: this.cgroupPath(record),
      keyring: record.id,
      init: record.options.init === true,
      parentDeathSignal,
      copyUps: record.resolved.volumes
        .filter((v) => !v.noCopy)
        .map((v) => ({ path: v.target, directory: this.volumeDirectory(v.name) })),
    };
  }

  /** What mounts of images show, by their target. */
  async imageMounts(record: ContainerRecord): Promise<ReadonlyMap<string, ImageMount>> {
    const mounts = new Map<string, ImageMount>();
    for (const { target, chainId, subpath } of record.resolved.images ?? []) {
      const view = chainId === undefined ? undefined : await this.snapshotter.view(asChainId(chainId));
      const lower = view === undefined ? [this.#mountPoints()] : view.kind === "overlay" ? view.lower : [view.path];
      mounts.set(target, { lower, subpath });
    }
    return mounts;
  }

  /** Directory that roots are attached to, each in its own mount namespace: one serves all. */
  rootTarget(): string {
    const target = join(this.paths.state, "..", "root");
    if (!this.#rootTargetMade) {
      mkdirSync(target, { recursive: true, mode: 0o700 });
      this.#rootTargetMade = true;
    }
    return target;
  }

  #mountPoints(): string {
    const directory = join(this.paths.root, "mount-points");
    if (!this.#mountPointsMade) {
      makeMountPoints(directory);
      this.#mountPointsMade = true;
    }
    return directory;
  }

  /** Makes the container's process, which waits for its start, or runs `immediate`ly. */
  async launch(record: ContainerRecord, immediate: boolean): Promise<CreatedContainer> {
    checkPidTarget(this, record);
    for (const volume of record.resolved.volumes) await this.volumes.prepare(volume.name);
    if (record.resolved.pod !== undefined) {
      const { Pods } = await import("./pods/pods.ts");
      await new Pods(this).start(record.resolved.pod.id);
    }
    const { kind } = networkMode(record.options);
    if (kind === "cni") return await this.#launchOnCni(record, immediate);
    if (kind !== "networks") return await this.#create(record, immediate, undefined);
    const networks = await (await this.networking()).prepare(record);
    try {
      const created = await this.#create(record, false, networks);
      return await this.#connect(record, created, networks, immediate);
    } catch (error) {
      await networks.abandon();
      throw error;
    }
  }

  /** Its network is there before it, so that it need not wait. */
  async #launchOnCni(record: ContainerRecord, immediate: boolean): Promise<CreatedContainer> {
    const networks = await (await this.cniNetworking()).prepare(record);
    try {
      return await this.#create(record, immediate, networks);
    } catch (error) {
      await networks.abandon();
      throw error;
    }
  }

  async #create(
    record: ContainerRecord,
    immediate: boolean,
    networks: Pick<PreparedNetworks, "files" | "exit"> | undefined,
  ): Promise<CreatedContainer> {
    const { id, options, resolved } = record;
    const mode = networkMode(options);
    const hostname = containerHostname(options, id);
    // With another container's network, its files are bound.
    const files =
      mode.kind === "container" || sharesNetwork(record)
        ? undefined
        : (networks?.files ?? plainNetworkFiles(options, hostname, mode));
    return await this.runtime.create(id, {
      immediate,
      handler: this.handlers.container(record),
      furnish: (directory) => writeNetworkFiles(directory, hostname, files),
      config: this.config(record, this.sharedNetwork(record)),
      plan: {
        ...this.planOptions(record, await this.snapshotter.mounts(record.id)),
        imageMounts: await this.imageMounts(record),
        ...(resolved.secrets !== undefined && { memoryFiles: this.secrets.files(id, resolved.secrets) }),
      },
      log: options.logDriver === "none" ? undefined : this.logPath(record),
      logLimit: logLimit(options),
      openStdin: options.openStdin === true,
      stdinOnce: options.stdinOnce === true,
      journal: this.#journalOptions(record),
      exitOperations: networks?.exit ?? [],
      exitCommand: options.autoRemove === true ? this.#removeCommand(record.id) : [],
    });
  }

  #journalOptions(record: ContainerRecord): NonNullable<CreateContainer["journal"]> {
    const attributes = containerAttributes(record);
    const part = (action: "start" | "die" | "oom"): { readonly before: string; readonly after: string } => {
      const [before, after] = monitorRecord(action, record.id, attributes);
      return { before, after };
    };
    return {
      journal: this.journal.path(),
      startRecord: part("start"),
      exitRecord: part("die"),
      oomRecord: part("oom"),
    };
  }

  /** Connects a container that waits, and lets it run where it was to do so at once. It is gone after a failure. */
  async #connect(
    record: ContainerRecord,
    created: CreatedContainer,
    networks: PreparedNetworks,
    immediate: boolean,
  ): Promise<CreatedContainer> {
    try {
      await networks.connect(`/proc/${created.pid}/ns/net`);
      if (!immediate) return created;
      await this.runtime.start(record.id, created);
      created.monitor?.close();
      return { ...created, monitor: undefined };
    } catch (error) {
      created.monitor?.close();
      await this.runtime.discardStart(record.id, this.#leftover(record));
      throw error;
    }
  }

  /** Makes the container's writable layer, its volumes and its own files. */
  async furnish(record: ContainerRecord): Promise<void> {
    const { id, resolved } = record;
    prepareSources(record.options);
    const { logPath } = record.options;
    if (logPath !== undefined) mkdirSync(dirname(logPath), { recursive: true, mode: 0o755 });
    mkdirSync(this.directory(id), { recursive: true, mode: 0o711 });
    writeRecord(this.paths, record);
    for (const volume of resolved.volumes) {
      const given = record.options.mounts?.find((m) => m.type === "volume" && m.source === volume.name);
      if (given?.volumeOptions !== undefined || given?.volumeLabels !== undefined)
        this.volumes.create({
          name: volume.name,
          ...(given.volumeLabels && { labels: given.volumeLabels }),
          ...(given.volumeOptions && { options: given.volumeOptions }),
        });
      this.records.addVolume(volume.name, volume.anonymous);
      await this.volumes.prepare(volume.name);
    }
    await this.snapshotter.prepare(id, asChainId(resolved.chainId));
  }

  /**
   * Takes away all that {@link furnish} and the runtime made. The container must have ended.
   *
   * @param force also when a network's plugin fails, which is tried again later then
   */
  async discard(record: ContainerRecord, volumes: boolean, force = true): Promise<void> {
    const { id, resolved } = record;
    const clean = this.runtime.state(id).status === "stopped";
    await this.runtime.delete(id, this.#leftover(record));
    const { kind } = networkMode(record.options);
    if (kind === "networks") await (await this.networking()).forget(id, clean);
    if (kind === "cni") await (await this.cniNetworking()).forget(id, clean, force);
    await this.snapshotter.remove(id);
    if (resolved.secrets !== undefined) this.secrets.remove(id);
    if (volumes) await this.#discardVolumes(record);
    rmSync(this.directory(id), { recursive: true, force: true });
    this.supervision.forget(id);
    this.records.delete(id);
  }

  /** Anonymous ones, unless another container has come to use them. */
  async #discardVolumes({ id, resolved }: ContainerRecord): Promise<void> {
    // It may have been renamed since.
    const except = this.records.has(id) ? this.records.find(id).name : "";
    for (const { name } of resolved.volumes.filter((v) => v.anonymous))
      try {
        await this.volumes.remove(name, { force: true, except });
      } catch (error) {
        if (!isSampanError(error, "failed-precondition")) throw error;
      }
  }

  /** Ends what a process that has died had begun to start. */
  async undoStart(record: ContainerRecord): Promise<void> {
    await this.runtime.undoCreate(record.id, this.#leftover(record));
    const { kind } = networkMode(record.options);
    if (kind === "networks") await (await this.networking()).release(record.id);
    if (kind === "cni") await (await this.cniNetworking()).release(record.id);
  }

  /** Removes the state of a container that has ended. Throws `failed-precondition` while it runs. */
  async forgetEnd(record: ContainerRecord): Promise<void> {
    await this.runtime.delete(record.id, this.#leftover(record));
  }

  /** What removes the cgroups of a container whose monitor was killed. */
  #leftover(record: ContainerRecord): readonly Operation[] {
    const handler = this.handlers.container(record);
    if (handler !== undefined) {
      const places = { bundle: this.runtime.stateDirectory(record.id), environment: handlerEnvironment };
      return handlerLeftover(handler, places, this.facts, this.cgroupPath(record));
    }
    const path = this.cgroupPath(record);
    const { cgroup } = this.facts;
    const mounts = cgroup.version === 2 ? [cgroup.mount] : [...new Set(cgroup.controllers.values())];
    return mounts.flatMap((mount) => [
      { op: "cgroup-kill", path: mount + path },
      { op: "cgroup-remove", path: mount + path },
    ]);
  }

  /** Users of an image, as its own files name them. Read once for each image, and kept on disk. */
  async imageUser(text: string, chainId: string | undefined): Promise<ResolvedUser> {
    return resolveUser(text, await this.accountFiles(chainId));
  }

  async accountFiles(chainId: string | undefined): Promise<AccountFiles> {
    if (chainId === undefined) return { passwd: "", group: "" };
    const known = this.#accounts.get(chainId) ?? this.#cachedAccounts(chainId);
    if (known !== undefined) return known;
    const files = await this.#readAccounts(this.#viewProgram(await this.snapshotter.view(asChainId(chainId))));
    this.#accounts.set(chainId, files);
    mkdirSync(join(this.paths.cache, "accounts"), { recursive: true, mode: 0o700 });
    writeFileSync(this.#accountCachePath(chainId), JSON.stringify(files), { mode: 0o600 });
    return files;
  }

  #accountCachePath(chainId: string): string {
    return join(this.paths.cache, "accounts", chainId.replace(":", "-"));
  }

  #cachedAccounts(chainId: string): AccountFiles | undefined {
    try {
      const files = JSON.parse(readFileSync(this.#accountCachePath(chainId), "utf8")) as AccountFiles;
      this.#accounts.set(chainId, files);
      return files;
    } catch {
      return undefined;
    }
  }

  #viewProgram(root: RootSource): Operation[] {
    if (root.kind === "directory") return [{ op: "root-directory", path: root.path }];
    return [
      { op: "clone", namespaces: cloneNewNs, cgroup: "" },
      { op: "propagation", mode: msSlave, recursive: true },
      { op: "root-overlay", lower: root.lower, upper: "", work: "", parameters: [], target: this.rootTarget() },
    ];
  }

  async #readAccounts(program: readonly Operation[]): Promise<AccountFiles> {
    const results = await this.executor.execute([
      ...program,
      { op: "read-file", path: "/etc/passwd", limit: accountFileLimit },
      { op: "read-file", path: "/etc/group", limit: accountFileLimit },
    ]);
    const text = (step: number): string => new TextDecoder().decode(results.get(step) ?? new Uint8Array(0));
    return { passwd: text(program.length), group: text(program.length + 1) };
  }

  /** Looks a user up in a running container, which may have changed its files. */
  async userInside(
    id: string,
    text: string,
    record: ContainerRecord,
  ): Promise<{
    readonly uid: number;
    readonly gid: number;
    readonly additionalGids: readonly number[];
    readonly home: string;
  }> {
    const state = this.runtime.state(id);
    if (state.status !== "running")
      throw failedPrecondition(`Cannot exec in container "${record.name}": it is not running`);
    // Its processes are none of this kernel's: what the image says holds.
    if (record.resolved.handler !== undefined && sharesSandbox(record.resolved.handler)) {
      const user = await this.imageUser(text, record.resolved.chainId);
      return { uid: user.uid, gid: user.gid, additionalGids: user.groups, home: user.home };
    }
    const files = await this.#readAccounts([
      { op: "join-namespace", kind: cloneNewNs, path: `/proc/${state.pid}/ns/mnt` },
      { op: "root-directory", path: "/" },
    ]);
    const user = resolveUser(text, files);
    return { uid: user.uid, gid: user.gid, additionalGids: user.groups, home: user.home };
  }
}
