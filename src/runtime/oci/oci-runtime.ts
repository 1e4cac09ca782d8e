/**
 * The runtime of the OCI command line: create, start, state, kill and delete of containers from bundles, by processes that
 * end and know nothing of each other. No monitor stays, unless the container is run in the foreground: the container's first
 * process is left to whoever called (the nearest subreaper above), as runc leaves it.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { alreadyExists, failedPrecondition, isSampanError, notFound } from "#errdefs";
import { findCgroups, processGroups, processStartTime, readCurrentLimits } from "#host";
import { MonitorClient, startOrphan, type CreateOptions, type Executor } from "#keel";
import {
  cgroupDirectories,
  cgroupPlace,
  planContainer,
  planFreeze,
  withOrigin,
  type HostFacts,
  type Operation,
  type Plan,
  type PlanOptions,
} from "#plan";
import type { HookConfig, RuntimeConfig } from "#spec";
import { SeccompCache } from "../seccomp-cache.ts";
import type { Bundle } from "./bundle.ts";
import { checkContainerId } from "./container-id.ts";
import { endContainer, removeCgroups } from "./end.ts";
import { hookState, hookStateParts, runHook } from "./hooks.ts";
import { writePidFile } from "./pid-file.ts";
import { readRecord, readStoredConfig, writeRecord, type OciRecord } from "./record.ts";
import { removeDirectory } from "./remove-directory.ts";
import { readOciState, type OciState } from "./status.ts";

export interface OciRuntimeOptions {
  /** Directory of the containers' state directories; made when missing. */
  readonly root: string;
  readonly executor: Executor;
  readonly facts: HostFacts;
  /** Is told of what was asked for and left out. */
  readonly warn: (text: string) => void;
}

export interface OciCreateOptions {
  readonly bundle: Bundle;
  /** Unix socket that gets the terminal's master; needed for a terminal unless `foreground`. */
  readonly consoleSocket: string;
  /** Unix socket that gets a pidfd; empty for none. */
  readonly pidfdSocket: string;
  /** File for the pid; empty for none. */
  readonly pidFile: string;
  /** Descriptors from 3 on that the executor passes to the container. */
  readonly preserve: number;
  readonly noPivot: boolean;
  readonly newKeyring: boolean;
  /** A monitor stays, holds the terminal, and tells of the end. */
  readonly foreground: boolean;
}

/** A container and how it is. */
export interface OciContainer {
  readonly id: string;
  readonly directory: string;
  readonly record: OciRecord;
  readonly state: OciState;
}

type Cgroups = Pick<PlanOptions, "cgroupPath" | "cgroupBase" | "cgroupFound" | "cgroupLimits">;

const killSignal = 9;

export class OciRuntime {
  readonly root: string;
  readonly executor: Executor;
  readonly facts: HostFacts;
  readonly warn: OciRuntimeOptions["warn"];
  readonly #seccomp: SeccompCache;

  constructor(options: OciRuntimeOptions) {
    this.root = options.root;
    this.executor = options.executor;
    this.facts = options.facts;
    this.warn = options.warn;
    this.#seccomp = new SeccompCache(join(options.root, ".seccomp"), options.facts.architecture);
  }

  get compileSeccomp(): SeccompCache["compile"] {
    return this.#seccomp.compile;
  }

  directory(id: string): string {
    return join(this.root, checkContainerId(id));
  }

  /** @throws SampanError `not-found` */
  get(id: string): OciContainer {
    const directory = this.directory(id);
    const record = readRecord(directory);
    if (record === undefined) throw notFound(`Cannot find container "${id}": container does not exist`);
    return { id, directory, record, state: readOciState(directory, record) };
  }

  /** All containers, by id. */
  list(): OciContainer[] {
    let names: string[];
    try {
      names = readdirSync(this.root);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
    return names
      .filter((name) => !name.startsWith(".") || existsSync(join(this.root, name, "container.json")))
      .toSorted()
      .flatMap((id) => {
        const directory = join(this.root, id);
        const record = readRecord(directory);
        return record === undefined ? [] : [{ id, directory, record, state: readOciState(directory, record) }];
      });
  }

  config(container: OciContainer): RuntimeConfig {
    return readStoredConfig(container.directory);
  }

  /**
   * Makes a container, which then waits for {@link start}. After a failure nothing of it is left.
   *
   * @returns a client of its monitor when it is in the foreground
   */
  async create(id: string, options: OciCreateOptions): Promise<MonitorClient | undefined> {
    const directory = this.directory(id);
    const { bundle } = options;
    // What containers there are is nobody else's business (CVE-2022-47952).
    mkdirSync(this.root, { recursive: true, mode: 0o700 });
    try {
      mkdirSync(directory, { mode: 0o700 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      throw alreadyExists(`Cannot create container "${id}": container with given ID already exists`, { cause: error });
    }
    try {
      const plan = this.#plan(id, options, this.#cgroups(id, bundle.config));
      for (const warning of plan.warnings) this.warn(warning);
      writeRecord(directory, this.#record(id, bundle, plan), bundle.text);
      const terminal = bundle.config.process?.terminal ?? false;
      const { pid } = await this.#execute(plan, {
        stateDirectory: directory,
        log: "",
        terminal,
        openStdin: true,
        stdinOnce: true,
        inheritStdio: !terminal,
        oomFile: options.foreground ? plan.oomFile : "",
        exitProgram: plan.exit,
        exitCommand: [],
        orphan: !options.foreground,
        consoleSocket: options.consoleSocket,
        pidfdSocket: options.pidfdSocket,
        preserve: options.preserve,
      });
      if (options.pidFile !== "") await this.#writePidFile(options.pidFile, pid, plan.exit);
      return options.foreground ? await MonitorClient.connect(directory) : undefined;
    } catch (error) {
      removeDirectory(directory);
      throw error;
    }
  }

  async #execute(plan: Plan, options: Omit<CreateOptions, "program">): Promise<{ readonly pid: number }> {
    try {
      return await this.executor.create({ ...options, program: plan.steps.map((s) => s.operation) });
    } catch (error) {
      throw withOrigin(error, plan);
    }
  }

  #plan(id: string, { bundle, newKeyring, noPivot, foreground }: OciCreateOptions, cgroups: Cgroups): Plan {
    const { config } = bundle;
    const subject = { id, ociVersion: config.ociVersion, bundle: bundle.path, annotations: plain(config.annotations) };
    return planContainer(config, this.facts, {
      id,
      root: { kind: "bind", path: bundle.rootfs },
      bundle: bundle.path,
      ...cgroups,
      noPivot,
      compileSeccomp: this.#seccomp.compile,
      hookState: (status) => hookStateParts(subject, status),
      ...(newKeyring && { keyring: id }),
      ...(!foreground && { startDirectory: this.directory(id) }),
    });
  }

  /** Where its cgroups are to be, and what is there already. */
  #cgroups(id: string, { linux }: RuntimeConfig): Cgroups {
    const { cgroup } = this.facts;
    const place = cgroupPlace(linux.cgroupsPath, id, cgroup, processGroups(cgroup));
    const { paths } = cgroupDirectories(cgroup, place.cgroupPath, place.cgroupBase);
    const found = findCgroups(paths);
    return { ...place, cgroupFound: found, ...(found.size > 0 && { cgroupLimits: readCurrentLimits(paths) }) };
  }

  #record(id: string, bundle: Bundle, plan: Plan): OciRecord {
    return {
      id,
      ociVersion: bundle.config.ociVersion,
      bundle: bundle.path,
      rootfs: bundle.rootfs,
      created: new Date().toISOString(),
      annotations: plain(bundle.config.annotations),
      owner: process.getuid?.() ?? 0,
      creator: [process.pid, String(processStartTime(process.pid) ?? 0n)],
      cgroups: [...plan.cgroupPaths],
      exit: plan.exit,
    };
  }

  async #writePidFile(file: string, pid: number, exit: readonly Operation[]): Promise<void> {
    try {
      writePidFile(file, pid);
    } catch (error) {
      process.kill(pid, "SIGKILL");
      await this.executor.execute(exit).catch(() => undefined);
      throw error;
    }
  }

  /**
   * Lets a created container run its program, and runs the poststart hooks.
   *
   * @param monitor of a container in the foreground
   * @throws SampanError `failed-precondition` when it is in another state; or why its program can't run: it has ended then
   */
  async start(id: string, monitor?: MonitorClient): Promise<void> {
    const container = this.get(id);
    const { status, pid } = container.state;
    if (status === "stopped") throw failedPrecondition(`Cannot start container "${id}": it has stopped`);
    if (status !== "created") throw failedPrecondition(`Cannot start container "${id}": it is ${status}`);
    const config = this.config(container);
    if (monitor === undefined) await startOrphan(container.directory, this.#program(id, container, config));
    else await monitor.start(this.#program(id, container, config));
    writeFileSync(join(container.directory, "started"), String(Date.now()));
    try {
      await this.#runHooks(container, config.hooks.poststart, "poststart", "running", pid);
    } catch (error) {
      await endContainer(this.executor, container);
      throw error;
    }
  }

  /** What it runs, to say which step failed: planned again, since that is seldom needed. */
  #program(id: string, { record }: OciContainer, config: RuntimeConfig): readonly Operation[] {
    try {
      const bundle = { path: record.bundle, rootfs: record.rootfs, config, text: "" };
      const options = { noPivot: false, newKeyring: true, foreground: false };
      const more = { consoleSocket: "", pidfdSocket: "", pidFile: "", preserve: 0 };
      // Its cgroups are there by now, and are its own.
      const cgroups = { cgroupPath: `/${id}` };
      return this.#plan(id, { bundle, ...options, ...more }, cgroups).steps.map((s) => s.operation);
    } catch {
      return [];
    }
  }

  async #runHooks(
    { id, record }: OciContainer,
    hooks: readonly HookConfig[],
    name: string,
    status: "running" | "stopped",
    pid: number,
  ): Promise<void> {
    const subject = { id, ociVersion: record.ociVersion, bundle: record.bundle, annotations: record.annotations };
    for (const hook of hooks) await runHook(hook, name, record.bundle, hookState(subject, status, pid));
  }

  /**
   * Signals the first process. Without a pid namespace of its own, SIGKILL goes to all processes of the container.
   *
   * @throws SampanError `failed-precondition` when it is not running
   */
  async kill(id: string, signal: number): Promise<void> {
    const container = this.get(id);
    const { state, record } = container;
    const shares = record.exit.some((o) => o.op === "cgroup-kill");
    if (signal === killSignal && shares) {
      await this.executor.execute(record.exit.filter((o) => o.op === "cgroup-kill"));
      return;
    }
    if (state.pid === 0) throw failedPrecondition(`Cannot signal container "${id}": container not running`);
    try {
      process.kill(state.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      throw failedPrecondition(`Cannot signal container "${id}": container not running`, { cause: error });
    }
    // On v1 a frozen process dies when it is thawed.
    if (signal === killSignal && state.status === "paused")
      await this.executor.execute(planFreeze(new Map(record.cgroups), false).map((s) => s.operation));
  }

  /**
   * Removes what is left of a container that has ended, and runs its poststop hooks, whose failures are only told of.
   *
   * @param options.force kill it first; one that is not there, or half made, is no error then
   */
  async delete(id: string, options: { readonly force: boolean }): Promise<void> {
    const directory = this.directory(id);
    let container: OciContainer;
    try {
      container = this.get(id);
    } catch (error) {
      if (!options.force || !isSampanError(error, "not-found")) throw error;
      removeDirectory(directory);
      return;
    }
    const { status } = container.state;
    if (status !== "stopped" && !options.force)
      throw failedPrecondition(`Cannot delete container "${id}": it is not stopped: ${status}`);
    const config = configOf(container);
    if (status === "stopped" && !options.force) await removeCgroups(this.executor, container.record.exit);
    else await endContainer(this.executor, container);
    removeDirectory(directory);
    if (config === undefined) return;
    for (const hook of config.hooks.poststop)
      try {
        await this.#runHooks(container, [hook], "poststop", "stopped", 0);
      } catch (error) {
        this.warn((error as Error).message);
      }
  }
}

/** A config that can't be read any more keeps nobody from removing its container. */
function configOf({ directory }: OciContainer): RuntimeConfig | undefined {
  try {
    return readStoredConfig(directory);
  } catch {
    return undefined;
  }
}

const plain = (map: ReadonlyMap<string, string>): Readonly<Record<string, string>> => Object.fromEntries(map);
