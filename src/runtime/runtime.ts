/**
 * The OCI lifecycle: create, start, kill, delete and exec of one container, by a plan that keel executes and a monitor that
 * stays. The runtime keeps nothing in memory: a container is its state directory, and any process can go on with it.
 */
import { mkdirSync, readdirSync, rmdirSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { failedPrecondition, internal, isSampanError, notFound, unavailable, type SampanError } from "#errdefs";
import { probeResctrl } from "#host";
import { MonitorClient, type CreateOptions as ExecutorOptions, type Executor, type ExecSession } from "#keel";
import {
  planContainer,
  planExec,
  type ContainerStatus,
  type HandlerContainer,
  type HostFacts,
  type Operation,
  type Plan,
  type PlanOptions,
} from "#plan";
import type { ProcessConfig, RuntimeConfig } from "#spec";
import type { HandlerRuns } from "./handlers/handler-runs.ts";
import { hookState, hookStateParts, type HookSubject } from "./oci/hooks.ts";
import { SeccompCache } from "./seccomp-cache.ts";
import { readState, type ExitStatus, type RuntimeState } from "./state.ts";

export interface RuntimeOptions {
  readonly executor: Executor;
  readonly facts: HostFacts;
  /** Directory of all containers' state directories; made when missing, mode 0700. */
  readonly stateRoot: string;
  /** Directory for compiled system call filters; undefined keeps them in memory only. */
  readonly cacheDirectory?: string;
}

export interface CreateContainer {
  readonly config: RuntimeConfig;
  readonly plan: Omit<PlanOptions, "compileSeccomp">;
  /** Log file in CRI's format; undefined for none. */
  readonly log: string | undefined;
  readonly openStdin: boolean;
  readonly stdinOnce: boolean;
  /** For the monitor to do when the container has ended, after what the plan says. */
  readonly exitOperations?: readonly Operation[];
  /** Run by the monitor when the container has ended and no client was told. */
  readonly exitCommand: readonly string[];
  /** Where the monitor tells of its start, its end and of kills for want of memory. */
  readonly journal?: Pick<ExecutorOptions, "journal" | "startRecord" | "exitRecord" | "oomRecord">;
  /** Rotation of the log; none when undefined. */
  readonly logLimit?: { readonly maxSize: bigint; readonly maxFiles: number } | undefined;
  /** Let it run at once; {@link Runtime.start} is not called then. Fails like it. */
  readonly immediate?: boolean;
  /** Made by another runtime, in place of this one. */
  readonly handler?: HandlerContainer | undefined;
  /** Puts further files into the state directory before anything is started; they go with it. */
  readonly furnish?: (directory: string) => void;
}

/** Waits for its start, or runs when that was asked for. */
export interface CreatedContainer {
  readonly pid: number;
  /** Connected for the start; undefined when there is none to come. */
  readonly monitor: MonitorClient | undefined;
  /** What its process runs, to say what failed. */
  readonly program: readonly Operation[];
  readonly handler?: HandlerContainer | undefined;
}

export class Runtime {
  readonly #executor: Executor;
  readonly #facts: HostFacts;
  readonly #stateRoot: string;
  readonly #seccomp: SeccompCache;
  #rootMade = false;
  #handlers: Promise<HandlerRuns> | undefined;

  constructor(options: RuntimeOptions) {
    this.#executor = options.executor;
    this.#facts = options.facts;
    this.#stateRoot = options.stateRoot;
    this.#seccomp = new SeccompCache(options.cacheDirectory, options.facts.architecture);
  }

  stateDirectory(id: string): string {
    return join(this.#stateRoot, id);
  }

  state(id: string): RuntimeState {
    return readState(this.stateDirectory(id));
  }

  /** The plan that {@link Runtime.create} would have executed. */
  plan(config: RuntimeConfig, options: Omit<PlanOptions, "compileSeccomp">): Plan {
    const { compile: compileSeccomp } = this.#seccomp;
    const subject = this.#subject(options.id ?? "", config);
    const hookState = (status: ContainerStatus): readonly [string, string] => hookStateParts(subject, status);
    return planContainer(config, this.#factsFor(config), { ...options, compileSeccomp, hookState });
  }

  /** What the agent of a seccomp profile is told; there is no bundle, but this directory is the container's alone. */
  #subject(id: string, { ociVersion }: RuntimeConfig): HookSubject {
    return { id, ociVersion, bundle: this.stateDirectory(id), annotations: {} };
  }

  /** Groups of the processor's caches may have been made since the host was looked at. */
  #factsFor(config: RuntimeConfig): HostFacts {
    return config.linux.intelRdt === undefined ? this.#facts : { ...this.#facts, resctrl: probeResctrl() };
  }

  /**
   * Starts the monitor and the container's process, which waits for {@link Runtime.start}. After a failure nothing of it is
   * left but the state directory's parents.
   */
  async create(id: string, options: CreateContainer): Promise<CreatedContainer> {
    const directory = this.stateDirectory(id);
    const { handler } = options;
    const handlers = handler === undefined ? undefined : await this.#otherRuntimes();
    const foreign = handler && handlers?.plan(options.config, handler, directory, options.plan);
    const plan = foreign ?? this.plan(options.config, { id, ...options.plan });
    if (!this.#rootMade) {
      mkdirSync(this.#stateRoot, { recursive: true, mode: 0o700 });
      this.#rootMade = true;
    }
    makeEmptyDirectory(directory);
    const all = plan.steps.map((s) => s.operation);
    const immediate = options.immediate === true;
    const program = immediate ? all.filter((o) => o.op !== "wait-start") : all;
    try {
      options.furnish?.(directory);
      if (foreign !== undefined) handlers?.furnish(directory, foreign);
      const { pid } = await this.#executor.create({
        stateDirectory: directory,
        log: options.log ?? "",
        terminal: options.config.process?.terminal ?? false,
        openStdin: options.openStdin,
        stdinOnce: options.stdinOnce,
        inheritStdio: false,
        oomFile: plan.oomFile,
        program,
        exitProgram: [...plan.exit, ...(options.exitOperations ?? [])],
        exitCommand: options.exitCommand,
        ...options.journal,
        ...(options.logLimit !== undefined && {
          logMaxSize: options.logLimit.maxSize,
          logMaxFiles: options.logLimit.maxFiles,
        }),
      });
      if (immediate) this.#noteStart(id);
      return { pid, monitor: immediate ? undefined : await MonitorClient.connect(directory), program, handler };
    } catch (error) {
      const told = handler === undefined ? error : handlers?.failure(error, handler, directory, "start");
      removeStateDirectory(directory);
      throw told;
    }
  }

  /** Lets the created container run. Fails when its command can't be executed; it has then exited. */
  async start(id: string, { monitor, program, handler }: CreatedContainer): Promise<void> {
    try {
      await monitor?.start(program);
    } catch (error) {
      if (handler === undefined) throw error;
      throw (await this.#otherRuntimes()).failure(error, handler, this.stateDirectory(id), "start");
    }
    this.#noteStart(id);
  }

  /** Loaded late: most containers are this runtime's own. */
  async #otherRuntimes(): Promise<HandlerRuns> {
    this.#handlers ??= import("./handlers/handler-runs.ts").then((module) => new module.HandlerRuns(this.#facts));
    return await this.#handlers;
  }

  #noteStart(id: string): void {
    writeFileSync(join(this.stateDirectory(id), "started"), String(Date.now()));
  }

  /** A client of the container's monitor. Throws `failed-precondition` when the container has ended. */
  async connect(id: string): Promise<MonitorClient> {
    try {
      return await MonitorClient.connect(this.stateDirectory(id));
    } catch (error) {
      const state = this.state(id);
      if (state.status === "running" || state.status === "created")
        throw unavailable(`Cannot reach the monitor of container "${id.slice(0, 12)}": it does not answer`, {
          cause: error,
        });
      throw failedPrecondition(`Cannot use container "${id.slice(0, 12)}": it is not running`, { cause: error });
    }
  }

  /** Whether a monitor was not reached because its container has ended meanwhile: it may go between two steps of its client. */
  #hasGone(id: string, error: SampanError): boolean {
    const { status } = this.state(id);
    return error.code === "unavailable" && status !== "running" && status !== "created";
  }

  /** Signals the first process. Throws `failed-precondition` when it has ended. */
  async kill(id: string, signal: number, handler?: HandlerContainer): Promise<void> {
    if (handler !== undefined && handler.handler.type !== "oci") {
      const { status } = this.state(id);
      if (status !== "running" && status !== "created")
        throw failedPrecondition(`Cannot signal container "${id.slice(0, 12)}": it is not running`);
      return await (await this.#otherRuntimes()).kill(handler, signal);
    }
    using client = await this.connect(id);
    try {
      await client.kill(signal);
    } catch (error) {
      if (isSampanError(error) && (error.fields.errno === 3 || this.#hasGone(id, error)))
        throw failedPrecondition(`Cannot signal container "${id.slice(0, 12)}": it is not running`, { cause: error });
      throw error;
    }
  }

  /** Its log goes on in a new file, after the old one was renamed. Throws `failed-precondition` when it has ended. */
  async reopenLog(id: string): Promise<void> {
    using client = await this.connect(id);
    try {
      await client.reopenLog();
    } catch (error) {
      if (isSampanError(error) && (error.fields.errno === 3 || this.#hasGone(id, error)))
        throw failedPrecondition(`Cannot reopen the log of container "${id.slice(0, 12)}": it is not running`, {
          cause: error,
        });
      throw error;
    }
  }

  /**
   * Resolves when the first process has ended and its clean-up is done; at once when that is already so.
   *
   * @param monitor a client of its monitor, where there is one already; it is closed in the end
   */
  async wait(id: string, signal?: AbortSignal, monitor?: MonitorClient): Promise<ExitStatus> {
    const ended = (): ExitStatus | undefined => {
      const state = this.state(id);
      if (state.status === "stopped") return state.exit;
      if (state.status === "lost") return lostStatus;
      if (state.status === "none")
        throw notFound(`Cannot wait for container "${id.slice(0, 12)}": it was never started`);
      return undefined;
    };
    const before = monitor === undefined ? ended() : undefined;
    if (before !== undefined) return before;
    try {
      using client = monitor ?? (await MonitorClient.connect(this.stateDirectory(id)));
      const exited = await client.wait(signal === undefined ? {} : { signal });
      return exitStatus(exited);
    } catch (error) {
      signal?.throwIfAborted();
      const after = ended();
      if (after !== undefined) return after;
      throw error;
    }
  }

  async exec(
    id: string,
    process: ProcessConfig,
    config: RuntimeConfig,
    options: {
      readonly cgroups: Plan["cgroupPaths"];
      readonly openStdin: boolean;
      /** Otherwise it is thrown away. */
      readonly output: boolean;
      readonly handler?: HandlerContainer | undefined;
    },
  ): Promise<ExecSession> {
    const { handler } = options;
    if (handler !== undefined) {
      using client = await this.connect(id);
      return await (await this.#otherRuntimes()).exec(client, handler, this.stateDirectory(id), process, options);
    }
    const plan = planExec(process, config, this.#factsFor(config), options.cgroups, {
      id,
      compileSeccomp: this.#seccomp.compile,
      ...(config.linux.seccomp?.listenerPath !== undefined && { state: this.#runningState(id, config) }),
    });
    using client = await this.connect(id);
    return await client.exec({
      terminal: process.terminal,
      openStdin: options.openStdin,
      output: options.output,
      program: plan.steps.map((s) => s.operation),
    });
  }

  #runningState(id: string, config: RuntimeConfig): string {
    const state = this.state(id);
    return hookState(this.#subject(id, config), "running", "pid" in state ? state.pid : 0);
  }

  /**
   * Ends a container that was not started and won't be, at whatever point of {@link Runtime.create} it is: a monitor that
   * has not noted the process yet finds no place for that and gives up; the process is in its cgroup from birth.
   */
  async undoCreate(id: string, leftover: Plan["exit"]): Promise<void> {
    const { status } = this.state(id);
    if (status !== "none" && status !== "created") return;
    removeStateDirectory(this.stateDirectory(id));
    await this.#executor.execute(leftover);
  }

  /** Ends a container whose start failed, whether it was let run or not, and removes its state. */
  async discardStart(id: string, leftover: Plan["exit"]): Promise<void> {
    await this.undoCreate(id, leftover);
    if (this.state(id).status === "none") return;
    await this.wait(id);
    await this.delete(id, leftover);
  }

  /** Removes the state of a container that has ended. What its monitor didn't clean up any more is cleaned up here. */
  async delete(id: string, leftover: Plan["exit"]): Promise<void> {
    const state = this.state(id);
    if (state.status === "running" || state.status === "created")
      throw failedPrecondition(`Cannot delete container "${id.slice(0, 12)}": it is ${state.status}`);
    if (state.status === "lost") await this.#executor.execute(leftover);
    removeStateDirectory(this.stateDirectory(id));
  }
}

const errnoOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

function makeEmptyDirectory(directory: string): void {
  for (;;) {
    try {
      mkdirSync(directory, { mode: 0o700 });
      return;
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
      removeStateDirectory(directory);
    }
  }
}

/**
 * Removes a state directory and the files in it; there are no directories. Its monitor may be unlinking its socket at the
 * same time: a file that is gone meanwhile is no failure.
 */
function removeStateDirectory(directory: string): void {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    try {
      for (const name of readdirSync(directory)) ignoring("ENOENT", () => unlinkSync(join(directory, name)));
      rmdirSync(directory);
      return;
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return;
      if (errnoOf(error) !== "ENOTEMPTY") throw error;
    }
  }
  throw internal(`Cannot remove "${directory}": files keep appearing in it`, { path: directory });
}

function ignoring(code: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (errnoOf(error) !== code) throw error;
  }
}

/** What is told of a container whose end nobody saw. */
export const lostStatus: ExitStatus = { status: 255, signal: 0, oomKilled: false, at: 0 };

export function exitStatus(exited: {
  readonly status: number;
  readonly signal: number;
  readonly oomKilled: boolean;
  readonly seconds: bigint;
  readonly nanoseconds: number;
}): ExitStatus {
  return {
    status: exited.status,
    signal: exited.signal,
    oomKilled: exited.oomKilled,
    at: Number(exited.seconds) * 1000 + Math.floor(exited.nanoseconds / 1_000_000),
  };
}
