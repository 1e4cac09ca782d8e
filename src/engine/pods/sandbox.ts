/**
 * The sandbox of a pod whose runtime has one for all of its containers (gVisor, a virtual machine). It is made with a
 * container of its own, whose only process is keel's: it waits, and reaps. Its monitor and its files are in the pod's state
 * directory, in `sandbox`.
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { keelPath } from "#keel";
import {
  handlerLeftover,
  kernelPorts,
  sharesSandbox,
  type HandlerContainer,
  type Operation,
  type RuntimeHandler,
  type Setting,
} from "#plan";
import { handlerEnvironment, Runtime } from "#runtime";
import type { NamespaceConfig, RuntimeConfig } from "#spec";
import type { EngineCore } from "../core.ts";
import { containerResources } from "../resources.ts";
import { podHostname, type PodNamespace, type PodRecord } from "./pod-book.ts";

const name = "sandbox";
const types: readonly (readonly [PodNamespace, NamespaceConfig["type"]])[] = [
  ["net", "network"],
  ["ipc", "ipc"],
  ["uts", "uts"],
  ["pid", "pid"],
];

export class PodSandbox {
  readonly #core: EngineCore;
  readonly #pod: PodRecord;
  readonly #container: HandlerContainer;
  readonly #runtime: Runtime;
  readonly #cgroup: string;

  private constructor(core: EngineCore, pod: PodRecord, handler: RuntimeHandler) {
    this.#core = core;
    this.#pod = pod;
    this.#cgroup = `${pod.cgroup}/${name}`;
    this.#runtime = new Runtime({
      executor: core.executor,
      facts: core.facts,
      stateRoot: core.pods.directory(pod.id),
    });
    this.#container = {
      handler,
      id: pod.id,
      root: core.handlers.root(handler),
      hostNetwork: pod.options.network === "host",
      sandbox: { id: pod.id, first: true },
    };
  }

  /** Undefined for a pod whose containers are processes of this kernel. */
  static async of(core: EngineCore, pod: PodRecord): Promise<PodSandbox | undefined> {
    const handler = await core.handlers.resolve(pod.options.runtime);
    return handler !== undefined && sharesSandbox(handler) ? new PodSandbox(core, pod, handler) : undefined;
  }

  /** What the pod's namespaces need for it. */
  settings(share: readonly PodNamespace[]): readonly Setting[] {
    return this.#container.handler.kernelNetwork === true && share.includes("net") ? [kernelPorts] : [];
  }

  isRunning(): boolean {
    return this.#runtime.state(name).status === "running";
  }

  /** @param share what its containers share */
  async start(share: readonly PodNamespace[]): Promise<void> {
    await this.#runtime.create(name, {
      config: this.#config(share),
      plan: { root: { kind: "bind", path: this.#files() }, cgroupPath: this.#cgroup },
      handler: this.#container,
      log: undefined,
      openStdin: false,
      stdinOnce: false,
      exitCommand: [],
      immediate: true,
    });
  }

  /** Ends it, at whatever point it is; nothing of it is left. */
  async stop(): Promise<void> {
    const leftover = this.#leftover();
    await this.#core.executor.execute(leftover);
    const { status } = this.#runtime.state(name);
    if (status === "none" || status === "created") await this.#runtime.undoCreate(name, leftover);
    else {
      if (status === "running") await this.#runtime.wait(name, AbortSignal.timeout(30_000));
      await this.#runtime.delete(name, leftover);
    }
  }

  #leftover(): readonly Operation[] {
    const places = { bundle: this.#runtime.stateDirectory(name), environment: handlerEnvironment };
    return handlerLeftover(this.#container, places, this.#core.facts, this.#cgroup);
  }

  /** One directory with keel in it, read-only for all. */
  #files(): string {
    const directory = join(this.#core.paths.state, "..", "sandbox-root");
    const path = join(directory, "keel");
    if (existsSync(path)) return directory;
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    const made = `${path}.${process.pid}`;
    copyFileSync(keelPath(), made);
    chmodSync(made, 0o755);
    renameSync(made, path);
    return directory;
  }

  #config(share: readonly PodNamespace[]): RuntimeConfig {
    const directory = this.#core.pods.directory(this.#pod.id);
    const namespaces: NamespaceConfig[] = [
      ...types.map(([file, type]) => (share.includes(file) ? { type, path: `${directory}/${file}` } : { type })),
      { type: "mount" as const },
    ].filter(({ type }) => type !== "network" || !this.#container.hostNetwork);
    const none = { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] };
    return {
      ociVersion: "1.0.2",
      root: { path: "rootfs", readonly: true },
      process: {
        terminal: false,
        user: { uid: 0, gid: 0, additionalGids: [] },
        args: ["/keel", "hold"],
        env: [],
        cwd: "/",
        capabilities: none,
        rlimits: [],
        noNewPrivileges: true,
      },
      hostname: podHostname(this.#pod),
      mounts: [],
      hooks: { prestart: [], createRuntime: [], createContainer: [], startContainer: [], poststart: [], poststop: [] },
      annotations: new Map(),
      linux: {
        namespaces,
        uidMappings: [],
        gidMappings: [],
        timeOffsets: new Map(),
        devices: [],
        resources: containerResources({ image: "" }, []),
        sysctl: new Map(),
        maskedPaths: [],
        readonlyPaths: [],
      },
    };
  }
}
