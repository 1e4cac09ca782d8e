/**
 * Pods: containers that share namespaces, a network and a cgroup with limits of its own. No process stands for one: its
 * namespaces are held by files (`net`, `ipc`, `uts` in its state directory), beside `hosts`, `resolv.conf` and `shm`, the
 * memory that they share. `up` is there when all of it is. Only a pid namespace that is shared has a process, keel's
 * (`pid`, and `holder`, which it is).
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { failedPrecondition, isSampanError } from "#errdefs";
import { processIsAlive, processStartTime } from "#host";
import { checkedSysctls, namespaceFlags, planGroup, type Operation } from "#plan";
import type { NamespaceType } from "#spec";
import { Container, type StopOptions } from "../container.ts";
import type { EngineCore } from "../core.ts";
import { containerSummary, type ContainerSummary } from "../lifecycle/summary.ts";
import { checkName, newId, randomName } from "../names.ts";
import { plainNetworkFiles, writeNetworkFiles, type NetworkFiles } from "../network-files.ts";
import { containerNetworks, ownAddresses } from "../network/details.ts";
import { checkNetwork } from "../network/check.ts";
import { networkMode } from "../network/mode.ts";
import type { ContainerRecord } from "../records.ts";
import { containerResources } from "../resources.ts";
import { containerHostname } from "../runtime-config.ts";
import { parseBytes } from "../units.ts";
import { PodForwards } from "./forwards.ts";
import { makerIsAlive } from "./maker.ts";
import { podHostname, sharedNamespaces, type PodNamespace, type PodOptions, type PodRecord } from "./pod-book.ts";

export interface Pod extends PodRecord {
  /** `running` when any container runs, `ready` when it is up and none does. */
  readonly status: "created" | "ready" | "running";
  readonly containers: readonly ContainerSummary[];
  /** While it is up and has a network of its own: without prefix lengths, the first interface's first. */
  readonly addresses: readonly string[];
}

/** In the order in which they are made and let go. */
const typesOf: Readonly<Record<PodNamespace, NamespaceType>> = { pid: "pid", net: "network", ipc: "ipc", uts: "uts" };

const nosuidNodevNoexec = 2n | 4n | 8n;
const defaultShm = 64 * 1024 * 1024;

export class Pods {
  readonly #core: EngineCore;

  constructor(core: EngineCore) {
    this.#core = core;
  }

  /**
   * Makes a pod and does not start it: its first container does, or {@link start}.
   *
   * @throws SampanError `already-exists` when the name is taken, `invalid-argument`
   */
  async create(given: PodOptions = {}): Promise<Pod> {
    const id = newId();
    const name = given.name ?? randomName(2);
    checkName(name);
    const network = await checkNetwork(this.#core, { ...given, image: "" });
    const options = { ...given, ...network };
    const pod: PodRecord = {
      id,
      name,
      createdAt: Date.now(),
      options,
      cgroup: `${options.cgroupParent ?? this.#core.cgroupParent}/pod-${id}`,
    };
    containerHostname({ image: "", hostname: podHostname(pod) }, id);
    this.#group(pod);
    sysctlsOf(pod);
    this.#core.pods.insert(pod);
    this.#tell(pod, "create");
    return this.#describe(pod);
  }

  #tell(pod: PodRecord, action: string): void {
    this.#core.journal.emit("pod", action, pod.id, { ...pod.options.labels, name: pod.name });
  }

  #group(pod: PodRecord): ReturnType<typeof planGroup> {
    const resources = containerResources({ image: "", ...pod.options.limits }, []);
    return planGroup(pod.cgroup, resources, this.#core.facts);
  }

  #describe(pod: PodRecord): Pod {
    const networks = containerNetworks(this.#core);
    const containers = this.#members(pod.id).map((record) => containerSummary(this.#core, record, networks));
    const runs = containers.some((c) => c.status === "running" || c.status === "paused");
    const addresses = this.#core.pods.isUp(pod.id) ? ownAddresses(this.#core, pod.id, pod.options) : [];
    return {
      ...pod,
      containers,
      addresses,
      status: runs ? "running" : this.#core.pods.isUp(pod.id) ? "ready" : "created",
    };
  }

  /** All pods as they were made, newest first: without a look at their containers. */
  records(): readonly PodRecord[] {
    return this.#core.pods.list();
  }

  /** As {@link get}, without a look at its containers. */
  record(nameOrId: string): PodRecord {
    return this.#core.pods.find(nameOrId);
  }

  /** Whether its namespaces, its cgroup and its network are there. */
  isUp(id: string): boolean {
    return this.#core.pods.isUp(id);
  }

  /** Connections into pods, of whoever asks: they end with this. */
  forwards(): PodForwards {
    return new PodForwards(this.#core);
  }

  /** Its own addresses on its networks, without prefix lengths; none with the host's network, and of one that is not up. */
  addresses(id: string): readonly string[] {
    if (!this.#core.pods.isUp(id)) return [];
    return ownAddresses(this.#core, id, this.#core.pods.find(id).options);
  }

  /** File of a namespace that its containers share; undefined for one that they don't, and of a pod that is not up. */
  namespaceFile(id: string, name: PodNamespace): string | undefined {
    const file = join(this.#core.pods.directory(id), name);
    return this.#core.pods.isUp(id) && existsSync(file) ? file : undefined;
  }

  /** See {@link updatePod}. */
  async update(id: string, limits: NonNullable<PodOptions["limits"]>): Promise<void> {
    const { updatePod } = await import("./update-pod.ts");
    await updatePod(this.#core, id, limits);
  }

  /** Sets what a front-end keeps with a pod. */
  setExtension(id: string, name: string, text: string): void {
    const { options } = this.#core.pods.find(id);
    this.#core.pods.setOptions(id, { ...options, extensions: { ...options.extensions, [name]: text } });
  }

  #members(id: string): ContainerRecord[] {
    return this.#core.records.ofPod(id);
  }

  /** Newest first. */
  list(): Pod[] {
    return this.#core.pods.list().map((pod) => this.#describe(pod));
  }

  /** By name, id, or a beginning of the id. Throws `not-found`. */
  get(nameOrId: string): Pod {
    return this.#describe(this.#core.pods.find(nameOrId));
  }

  /** Makes its namespaces, its cgroup and its network. Does nothing when it is up. */
  async start(nameOrId: string): Promise<void> {
    const pod = this.#core.pods.find(nameOrId);
    const { pods } = this.#core;
    const directory = pods.directory(pod.id);
    if (pods.isUp(pod.id) && holderHasEnded(directory)) await this.#renewHolder(pod, directory);
    for (let attempt = 0; !pods.isUp(pod.id); attempt += 1) {
      mkdirSync(join(directory, ".."), { recursive: true, mode: 0o711 });
      try {
        mkdirSync(directory, { mode: 0o711 });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        // Another process is bringing it up, or has died over that.
        if (attempt >= 10 && !makerIsAlive(directory)) await this.#tearDown(pod);
        await new Promise((resolve) => setTimeout(resolve, 20));
        continue;
      }
      try {
        writeFileSync(join(directory, "maker"), `${process.pid} ${processStartTime(process.pid) ?? 0n}`, {
          mode: 0o600,
        });
        await this.#bringUp(pod, directory);
      } catch (error) {
        await this.#tearDown(pod).catch(() => undefined);
        throw error;
      }
      this.#tell(pod, "start");
    }
  }

  async #bringUp(pod: PodRecord, directory: string): Promise<void> {
    const core = this.#core;
    const shared = sharedNamespaces(pod.options);
    const group = this.#group(pod);
    const operations: Operation[] = group.steps.map((s) => s.operation);
    const flags = shared.reduce((all, name) => all | namespaceFlags[typesOf[name]], 0n);
    if (shared.includes("pid")) operations.push(...this.#holderPlace(pod));
    if (flags !== 0n)
      operations.push({
        op: "pin-namespaces",
        namespaces: flags,
        directory,
        hostname: podHostname(pod),
        uids: [],
        gids: [],
        sysctls: sysctlsOf(pod),
      });
    if (shared.includes("ipc")) {
      mkdirSync(join(directory, "shm"));
      const size = pod.options.shmSize === undefined ? defaultShm : parseBytes(pod.options.shmSize, "--shm-size");
      operations.push(
        { op: "root-directory", path: "/" },
        {
          op: "mount",
          type: "tmpfs",
          source: "shm",
          target: join(directory, "shm"),
          attributes: nosuidNodevNoexec,
          parameters: [
            { key: "mode", value: "1777" },
            { key: "size", value: String(size) },
          ],
          mode: 0o755,
        },
      );
    }
    await core.executor.execute(operations);
    if (shared.includes("net")) await this.#connect(pod, directory);
    writeFileSync(join(directory, "up"), "", { mode: 0o600 });
  }

  /** Where the first process of its pid namespace is: within its limits, and never the kernel's first choice. */
  #holderGroup({ cgroup }: PodRecord): ReturnType<typeof planGroup> {
    return planGroup(`${cgroup}/holder`, containerResources({ image: "" }, []), this.#core.facts);
  }

  #holderPlace(pod: PodRecord): Operation[] {
    const { steps, directories } = this.#holderGroup(pod);
    return [
      ...steps.map((s) => s.operation),
      { op: "join-cgroup", paths: directories, unshare: false },
      { op: "write-file", path: "/proc/self/oom_score_adj", data: "-998", tolerate: true },
    ];
  }

  /** Somebody has killed it. What else the pod has may be in use. */
  async #renewHolder(pod: PodRecord, directory: string): Promise<void> {
    await this.#core.executor.execute([...this.#endHolder(pod), { op: "unmount", path: join(directory, "pid") }]);
    for (const name of ["pid", "holder"]) rmSync(join(directory, name), { force: true });
    const namespaces = namespaceFlags.pid;
    await this.#core.executor.execute([
      ...this.#holderPlace(pod),
      { op: "pin-namespaces", namespaces, directory, hostname: "", uids: [], gids: [], sysctls: [] },
    ]);
  }

  async #connect(pod: PodRecord, directory: string): Promise<void> {
    const record = this.#asRecord(pod);
    const mode = networkMode(record.options);
    const hostname = podHostname(pod);
    if (mode.kind === "cni") {
      const cni = await this.#core.cniNetworking();
      const files = await cni.connectPod(record, join(directory, "net"), pod.cgroup);
      writeNetworkFiles(directory, hostname, { ...files, ...givenResolver(pod) });
      return;
    }
    if (mode.kind !== "networks") {
      writeNetworkFiles(directory, hostname, {
        ...plainNetworkFiles(record.options, hostname, mode),
        ...givenResolver(pod),
      });
      return;
    }
    const networks = await (await this.#core.networking()).prepare(record);
    try {
      writeNetworkFiles(directory, hostname, { ...networks.files, ...givenResolver(pod) });
      await networks.connect(join(directory, "net"));
    } catch (error) {
      await networks.abandon();
      throw error;
    }
  }

  /** For the network a pod is a container. */
  #asRecord({ id, name, options, createdAt }: PodRecord): ContainerRecord {
    const { name: _, share: __, limits: ___, pid: ____, ipc: _____, ...others } = options;
    return {
      id,
      name,
      image: "",
      imageId: "",
      createdAt,
      options: { ...others, image: "", hostname: podHostname({ id, name, options, createdAt, cgroup: "" }) },
      resolved: {
        args: [],
        env: [],
        cwd: "/",
        user: { uid: 0, gid: 0, groups: [] },
        stopSignal: 15,
        labels: options.labels ?? {},
        chainId: undefined,
        volumes: [],
      },
    };
  }

  /** Stops all its containers, and takes its namespaces and its network down. */
  async stop(nameOrId: string, options: StopOptions = {}): Promise<void> {
    const pod = this.#core.pods.find(nameOrId);
    await Promise.all(
      this.#members(pod.id).map(async (record) => await new Container(this.#core, record).stop(options)),
    );
    if (!this.#core.pods.isUp(pod.id)) return;
    await this.#tearDown(pod);
    this.#tell(pod, "stop");
  }

  /** @param forever it will not come up again */
  async #release({ id, options }: PodRecord, forever: boolean): Promise<void> {
    const { kind } = networkMode(options);
    if (kind === "cni") await (await this.#core.cniNetworking()).release(id);
    if (kind !== "networks") return;
    const networking = await this.#core.networking();
    await (forever ? networking.forget(id, true) : networking.release(id));
  }

  async #tearDown(pod: PodRecord): Promise<void> {
    const { pods, executor } = this.#core;
    const directory = pods.directory(pod.id);
    await this.#release(pod, false);
    rmSync(join(directory, "up"), { force: true });
    await executor.execute([
      ...(existsSync(join(directory, "pid")) ? this.#endHolder(pod) : []),
      ...(["pid", "net", "ipc", "uts", "shm"] as const).map((name): Operation => ({
        op: "unmount",
        path: join(directory, name),
      })),
      ...this.#group(pod).directories.map((path): Operation => ({ op: "cgroup-remove", path })),
    ]);
    for (const name of ["pid", "net", "ipc", "uts", "hosts", "hostname", "resolv.conf", "holder", "maker"])
      rmSync(join(directory, name), { force: true });
    removeDirectory(join(directory, "shm"));
    removeDirectory(directory);
  }

  /** Its pid namespace ends with it, and all that is in there. */
  #endHolder(pod: PodRecord): Operation[] {
    return this.#holderGroup(pod).directories.map((path): Operation => ({ op: "cgroup-kill", path }));
  }

  /**
   * Removes a pod.
   *
   * @param options.force with its containers, which are killed
   * @throws SampanError `failed-precondition` while it has containers, without `force`
   */
  async remove(nameOrId: string, options: { readonly force?: boolean } = {}): Promise<void> {
    const pod = this.#core.pods.find(nameOrId);
    const members = this.#members(pod.id);
    if (members.length > 0 && options.force !== true)
      throw failedPrecondition(`Cannot remove pod "${pod.name}": it has ${members.length} containers`, {
        remedy: "Remove them first, or remove it with --force",
      });
    await Promise.all(
      members.map(async (record) => {
        await new Container(this.#core, record).removeIfThere({ force: true, volumes: true });
      }),
    );
    await this.#tearDown(pod);
    await this.#release(pod, true);
    this.#core.pods.delete(pod.id);
    this.#tell(pod, "destroy");
  }

  /** Removes a pod, or does nothing when there is none. */
  async removeIfThere(nameOrId: string, options: { readonly force?: boolean } = {}): Promise<void> {
    try {
      await this.remove(nameOrId, options);
    } catch (error) {
      if (!isSampanError(error, "not-found")) throw error;
    }
  }
}

const givenResolver = ({ options: { resolvConf } }: PodRecord): Partial<NetworkFiles> =>
  resolvConf === undefined ? {} : { resolvConf };

/** Its pid namespace is of no more use then. */
function holderHasEnded(directory: string): boolean {
  try {
    const [pid, start] = readFileSync(join(directory, "holder"), "latin1").trim().split(" ");
    return !processIsAlive(Number(pid), BigInt(start ?? 0));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

/** @throws SampanError for what no namespace of the pod has */
function sysctlsOf({ options }: PodRecord): ReturnType<typeof checkedSysctls> {
  const made = new Set(sharedNamespaces(options).map((name) => typesOf[name]));
  return checkedSysctls(new Map(Object.entries(options.sysctls ?? {})), made, "pod");
}

/** What is not empty is somebody's mount or file, and stays. */
function removeDirectory(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw inUse(error, path);
  }
}

function inUse(error: unknown, path: string): Error {
  return failedPrecondition(`Cannot remove "${path}": ${(error as Error).message}`, { cause: error, path });
}
