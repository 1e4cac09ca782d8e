/** One container: a handle that any number of processes may hold at once. */
import { failedPrecondition, fromSystemError, invalidArgument, isSampanError, notFound } from "#errdefs";
import type { Attachment, AttachOptions, ExecSession, MonitorClient } from "#keel";
import type { ExitStatus, RuntimeState } from "#runtime";
import type { RuntimeConfig } from "#spec";
import type { EngineCore } from "./core.ts";
import { containerEvent } from "./events/container-event.ts";
import { noteLost } from "./lifecycle/note-lost.ts";
import { setPaused, thaw } from "./lifecycle/freeze.ts";
import type { ProcessTable } from "./lifecycle/top.ts";
import type { ActualLimits } from "./lifecycle/actual-limits.ts";
import type { UpdateOptions } from "./lifecycle/update.ts";
import type { WaitCondition } from "./lifecycle/wait.ts";
import { checkName } from "./names.ts";
import { inspectContainer, type ContainerDetails } from "./inspect.ts";
import type { ContainerHandle } from "./interface.ts";
import { readLog, type LogOptions } from "./logs.ts";
import type { LogEntry } from "./log-file.ts";
import type { RefusedEgress } from "./network/egress-log.ts";
import type { ContainerOptions, ExecOptions } from "./options.ts";
import { parseSignal, processCapabilities } from "./process-config.ts";
import type { ContainerRecord } from "./records.ts";
import type { ContainerStats } from "./stats/container-stats.ts";
import type { StatsOptions } from "./stats/watch-stats.ts";
import { parseRestart } from "./supervise/restart-policy.ts";
import { ensureSupervisor } from "./supervise/spawn.ts";
import { containerSummary, type ContainerSummary } from "./lifecycle/summary.ts";
import { containerNetworks } from "./network/details.ts";

export interface StopOptions {
  /** In place of the container's own stop signal. */
  readonly signal?: string;
  /** Seconds until SIGKILL. */
  readonly timeout?: number;
}

export interface RemoveOptions {
  /** Kill it first when it runs. */
  readonly force?: boolean;
  /** Remove its anonymous volumes too. */
  readonly volumes?: boolean;
}

export interface StartOptions {
  /** Ids of containers that are being started and need this one. */
  readonly above?: readonly string[];
  /** Attach before the first instruction, so that no output is missed. */
  readonly attach?: AttachOptions & {
    /** Of the container's terminal, in characters. */
    readonly size?: { readonly columns: number; readonly rows: number };
  };
}

const killSignal = 9;

export class Container implements ContainerHandle {
  readonly #core: EngineCore;
  #record: ContainerRecord;
  /** Left by a start for a wait, which most often comes next. */
  #monitor: MonitorClient | undefined;

  /** Use `Engine.create`, `run` or `get`. */
  constructor(core: EngineCore, record: ContainerRecord) {
    this.#core = core;
    this.#record = record;
  }

  /** What it was made from, as this handle has last seen it. */
  get record(): ContainerRecord {
    return this.#record;
  }

  get id(): string {
    return this.record.id;
  }

  get name(): string {
    return this.record.name;
  }

  get options(): ContainerOptions {
    return this.record.options;
  }

  summary(): ContainerSummary {
    return containerSummary(this.#core, this.record, containerNetworks(this.#core));
  }

  /** Where its monitor keeps how it is. */
  get stateDirectory(): string {
    return this.#core.runtime.stateDirectory(this.id);
  }

  get state(): RuntimeState {
    return this.#core.runtime.state(this.id);
  }

  /**
   * Starts it, also again after its end. Resolves when its command is executing.
   *
   * @returns the attachment that `attach` asked for
   * @throws SampanError with `command` in `fields` when its command was not found (ENOENT) or can't be run; `failed-precondition`
   * when it runs already
   */
  async start(options?: StartOptions & { readonly attach: NonNullable<StartOptions["attach"]> }): Promise<Attachment>;
  async start(options?: StartOptions): Promise<Attachment | undefined>;
  async start(options: StartOptions = {}): Promise<Attachment | undefined> {
    const { runtime, records, supervision } = this.#core;
    await this.#startDependencies(options.above ?? []);
    records.claim(this.id, "start");
    let begun = false;
    noteLost(this.#core, this.record);
    try {
      const state = this.state;
      if (state.status === "running" || state.status === "created")
        throw failedPrecondition(`Cannot start container "${this.name}": it is running`);
      begun = this.#needsSupervision();
      if (begun) supervision.begin(this.id);
      const created = await this.#core.launch(this.record, options.attach === undefined);
      const { monitor } = created;
      if (monitor === undefined || options.attach === undefined) return undefined;
      const attachment = await monitor.attach(options.attach);
      containerEvent(this.#core, this.record, "attach");
      try {
        const { size } = options.attach;
        if (size !== undefined) attachment.resize(size.columns, size.rows);
        await runtime.start(this.id, created);
        this.#monitor = monitor;
        return attachment;
      } catch (error) {
        attachment.close();
        monitor.close();
        throw error;
      }
    } catch (error) {
      if (begun) supervision.end(this.id);
      throw error;
    } finally {
      records.release(this.id);
      if (begun) ensureSupervisor(this.#core);
    }
  }

  async #startDependencies(above: readonly string[]): Promise<void> {
    if (this.record.resolved.dependsOn === undefined) return;
    const { startDependencies } = await import("./supervise/start-dependencies.ts");
    await startDependencies(this.#core, this, above);
  }

  #needsSupervision(): boolean {
    const { options, resolved } = this.record;
    return resolved.health !== undefined || parseRestart(options.restart).name !== "no";
  }

  /** For the supervisor: starts it again unless somebody has stopped it meanwhile. */
  async startAgain(): Promise<void> {
    const { records, supervision } = this.#core;
    await this.#startDependencies([]);
    records.claim(this.id, "start");
    try {
      const { status } = this.state;
      if (supervision.get(this.id)?.wanted !== true || status === "running" || status === "created") return;
      await this.#core.launch(this.record, true);
      supervision.restarted(this.id);
    } finally {
      records.release(this.id);
    }
  }

  /** Attaches to a running container's output from now on, and to its stdin. */
  async attach(options: AttachOptions): Promise<Attachment> {
    using client = await this.#core.runtime.connect(this.id);
    const attachment = await client.attach(options);
    containerEvent(this.#core, this.record, "attach");
    return attachment;
  }

  /** Tells whoever listens to events that a user has detached. */
  noteDetached(): void {
    containerEvent(this.#core, this.record, "detach");
  }

  /**
   * Resolves when it has ended; at once when it has already. An auto-removed container is then gone.
   *
   * @param options.condition see {@link WaitCondition}
   */
  async wait(options: { readonly signal?: AbortSignal; readonly condition?: WaitCondition } = {}): Promise<ExitStatus> {
    const { condition = "not-running" } = options;
    if (condition !== "not-running") {
      const { waitFor } = await import("./lifecycle/wait.ts");
      return await waitFor(this.#core, this.record, condition, options.signal);
    }
    const monitor = this.#monitor;
    this.#monitor = undefined;
    const status = await this.#core.runtime.wait(this.id, options.signal, monitor);
    if (this.record.options.autoRemove === true) await this.removeIfThere();
    return status;
  }

  /** @param signal name with or without SIG, or number */
  async kill(signal = "KILL"): Promise<void> {
    const number = parseSignal(signal);
    const ends = number === killSignal || number === this.record.resolved.stopSignal;
    if (!ends) return await this.#signal(number);
    const { supervision } = this.#core;
    const wanted = supervision.get(this.id)?.wanted === true;
    if (wanted) supervision.end(this.id);
    try {
      await this.#signal(number);
    } catch (error) {
      if (wanted) supervision.resume(this.id);
      throw error;
    }
  }

  /** Its log goes on in a new file, after the old one was renamed. Throws `failed-precondition` when it does not run. */
  async reopenLog(): Promise<void> {
    await this.#core.runtime.reopenLog(this.id);
  }

  /** For the supervisor: kills it, and lets its restart policy decide what comes then. */
  async killByPolicy(): Promise<void> {
    await this.#signal(killSignal);
  }

  /** One that ends it also reaches a paused container, which goes on for that. */
  async #signal(signal: number): Promise<void> {
    await this.#core.runtime.kill(this.id, signal);
    containerEvent(this.#core, this.record, "kill", { signal: String(signal) });
    if (signal === killSignal || signal === this.record.resolved.stopSignal) await thaw(this.#core, this.record);
  }

  /** Asks it to end, and kills it when it hasn't in time. Does nothing when it isn't running. Removes an auto-removed one. */
  async stop(options: StopOptions = {}): Promise<void> {
    // Before anything else: it is not to come back, also when it waits for that now.
    this.#core.supervision.end(this.id);
    const state = this.state;
    if (state.status !== "running" && state.status !== "created") return;
    await this.#end(options);
    containerEvent(this.#core, this.record, "stop");
    // Its monitor has told us of the end, and leaves the rest to us.
    if (this.record.options.autoRemove === true) await this.removeIfThere();
  }

  async #end(options: StopOptions): Promise<void> {
    const { runtime } = this.#core;
    const seconds = options.timeout ?? this.record.options.stopTimeout ?? 10;
    const signal = options.signal === undefined ? this.record.resolved.stopSignal : parseSignal(options.signal);
    try {
      await this.#signal(signal);
      if (await this.#endsWithin(seconds * 1000)) return;
      await this.#signal(killSignal);
    } catch (error) {
      if (!isSampanError(error, "failed-precondition")) throw error;
    }
    await runtime.wait(this.id);
  }

  async #endsWithin(milliseconds: number): Promise<boolean> {
    const timeout = AbortSignal.timeout(milliseconds);
    try {
      await this.#core.runtime.wait(this.id, timeout);
      return true;
    } catch (error) {
      if (timeout.aborted) return false;
      throw error;
    }
  }

  /** {@link stop}, then {@link start}. One that does not run is started. */
  async restart(options: StopOptions = {}): Promise<void> {
    const { status } = this.state;
    this.#core.supervision.end(this.id);
    if (status === "running" || status === "created") {
      await this.#end(options);
      containerEvent(this.#core, this.record, "stop");
    }
    await this.start();
    containerEvent(this.#core, this.record, "restart");
  }

  /** Stops all its processes where they are. */
  async pause(): Promise<void> {
    await setPaused(this.#core, this.record, true);
  }

  /** Lets a paused container go on. */
  async unpause(): Promise<void> {
    await setPaused(this.#core, this.record, false);
  }

  /** @throws SampanError `already-exists` when another container has the name, `invalid-argument` when it can't be one */
  rename(name: string): void {
    checkName(name);
    const oldName = this.name;
    this.#core.records.rename(this.id, name);
    this.#record = { ...this.record, name };
    containerEvent(this.#core, this.record, "rename", { oldName });
  }

  /**
   * Forgets how it ended, as if it had never been started.
   *
   * @throws SampanError `failed-precondition` while it runs
   */
  async forgetEnd(): Promise<void> {
    const { records } = this.#core;
    records.claim(this.id, "use");
    try {
      await this.#core.forgetEnd(this.record);
    } finally {
      records.release(this.id);
    }
  }

  /** What it runs by, in the runtime-spec's words. */
  runtimeConfig(): RuntimeConfig {
    return this.#core.config(this.record, undefined);
  }

  /** Sets what a front-end keeps with it. */
  setExtension(name: string, text: string): void {
    const { options } = this.#core.records.find(this.id);
    const changed = { ...options, extensions: { ...options.extensions, [name]: text } };
    this.#core.records.setOptions(this.id, changed);
    this.#record = { ...this.#record, options: changed };
  }

  /** Changes limits, also while it runs; see {@link updateContainer}. Resolves with warnings. */
  async update(options: UpdateOptions): Promise<readonly string[]> {
    const { updateContainer } = await import("./lifecycle/update.ts");
    const { record, warnings } = await updateContainer(this.#core, this.record, options);
    this.#record = record;
    return warnings;
  }

  /** Its processes by the host's pids. `options` are those of the host's ps(1). */
  async top(options: readonly string[] = []): Promise<ProcessTable> {
    const { containerTop } = await import("./lifecycle/top.ts");
    const table = await containerTop(this.#core, this.record, options);
    containerEvent(this.#core, this.record, "top");
    return table;
  }

  /** What it uses, once a second or as `interval` says, until it ends. */
  async *stats(options: Omit<StatsOptions, "containers"> = {}): AsyncGenerator<ContainerStats, void, void> {
    const { watchStats } = await import("./stats/watch-stats.ts");
    for await (const [one] of watchStats(this.#core, { ...options, containers: [this.id] }))
      if (one !== undefined) yield one;
  }

  /** Runs another process in it. */
  async exec(options: ExecOptions): Promise<ExecSession> {
    if (this.state.status !== "running")
      throw failedPrecondition(`Cannot exec in container "${this.name}": it is not running`);
    const { command } = options;
    if (command.length === 0 || command[0] === "")
      throw invalidArgument(`Cannot exec in container "${this.name}": no command is given`);
    const { core, record } = { core: this.#core, record: this.record };
    // Its namespaces are joined as they are, wherever its network came from.
    const config = core.config(record, undefined);
    const own = config.process;
    if (own === undefined) throw notFound(`Cannot exec in container "${this.name}": it has no process`);
    const user =
      options.user === undefined
        ? { ...own.user, home: undefined }
        : await core.userInside(this.id, options.user, record);
    const env = [...own.env];
    if (options.tty === true && !env.some((e) => e.startsWith("TERM="))) env.push("TERM=xterm");
    const merged = new Map(env.map((e) => [e.slice(0, e.indexOf("=")), e]));
    if (user.home !== undefined) merged.set("HOME", `HOME=${user.home}`);
    for (const variable of options.env ?? []) merged.set(variable.split("=", 1)[0] ?? "", variable);
    const told = command.join(" ");
    const tell = (action: string, attributes: Readonly<Record<string, string>> = {}): void => {
      if (options.quiet !== true) containerEvent(core, record, action, attributes);
    };
    tell(`exec_create: ${told}`);
    const capabilityOptions = options.privileged === true ? { privileged: true } : record.options;
    const session = await core.runtime.exec(
      this.id,
      {
        ...own,
        terminal: options.tty === true,
        consoleSize:
          options.consoleSize === undefined
            ? undefined
            : { width: options.consoleSize.columns, height: options.consoleSize.rows },
        args: command,
        env: [...merged.values()],
        cwd: options.workdir ?? own.cwd,
        user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
        capabilities: processCapabilities(capabilityOptions, core.facts, user.uid),
      },
      config,
      {
        cgroups: core.cgroups(record),
        openStdin: options.openStdin === true,
        output: options.output !== false,
      },
    );
    const execID = String(session.pid);
    tell(`exec_start: ${told}`, { execID });
    // Told by whoever is there to hear of it: one that detaches, or has gone, is not.
    session.exited.then(
      ({ status }) => tell("exec_die", { execID, exitCode: String(status) }),
      () => undefined,
    );
    return session;
  }

  /** Kills a process that was exec'd, with what it has started in its session. */
  async endExec({ pid }: Pick<ExecSession, "pid">): Promise<void> {
    const { endExec } = await import("./lifecycle/end-exec.ts");
    endExec(this.#core, this.record, pid);
  }

  /** Limits that are in force; undefined while it does not run. */
  async limits(): Promise<ActualLimits | undefined> {
    const { state } = this;
    if (state.status !== "running") return undefined;
    const { actualLimits } = await import("./lifecycle/actual-limits.ts");
    return actualLimits(this.#core, this.record, state.pid);
  }

  /** Notes the end of one whose monitor was killed and could not. */
  noteLost(): void {
    noteLost(this.#core, this.record);
  }

  /** Entries of its log, oldest first; with `follow`, until it ends. */
  logs(options: LogOptions = {}): AsyncGenerator<LogEntry, void, void> {
    return readLog(this.#core.logPath(this.record), options, () => this.state.status === "running");
  }

  /** What its `egress` refused it: packets of the last hour, and names, the latest first. */
  async egressLog(): Promise<readonly RefusedEgress[]> {
    const { readEgressLog } = await import("./network/egress-log.ts");
    return await readEgressLog(this.#core, this.id);
  }

  inspect(): ContainerDetails {
    return inspectContainer(this.record, this.state, this.#core);
  }

  /**
   * Removes it with its writable layer and log.
   *
   * @throws SampanError `failed-precondition` while it runs, without `force`
   */
  async remove(options: RemoveOptions = {}): Promise<void> {
    const { records } = this.#core;
    try {
      records.claim(this.id, "remove");
    } catch (error) {
      await this.#makeRoom(error);
      records.claim(this.id, "remove");
    }
    noteLost(this.#core, this.record);
    try {
      const state = this.state;
      if (state.status === "running" || state.status === "created") {
        if (options.force !== true)
          throw failedPrecondition(`Cannot remove container "${this.name}": it is running`, {
            remedy: "Stop it first, or remove it with --force",
          });
        this.#core.supervision.end(this.id);
        await this.#killAndWait();
      }
      await this.#core.discard(
        this.record,
        options.volumes === true || this.record.options.autoRemove === true,
        options.force === true,
      );
      containerEvent(this.#core, this.record, "destroy");
    } finally {
      records.release(this.id);
    }
  }

  /** On a full disk not even the claim can be written: what the ended container wrote goes first then. */
  async #makeRoom(cause: unknown): Promise<void> {
    const { status } = this.state;
    if (fromSystemError(cause)?.code !== "resource-exhausted" || status === "running" || status === "created")
      throw cause;
    await this.#core.snapshotter.remove(this.id);
  }

  async #killAndWait(): Promise<void> {
    try {
      await this.#signal(killSignal);
    } catch (error) {
      if (!isSampanError(error, "failed-precondition")) throw error;
    }
    await this.#core.runtime.wait(this.id);
  }

  /** Removes it, or does nothing when somebody else has or is doing so. */
  async removeIfThere(options: RemoveOptions = {}): Promise<void> {
    try {
      await this.remove(options);
    } catch (error) {
      if (isSampanError(error, "not-found")) return;
      if (isSampanError(error, "failed-precondition") && !this.#core.records.has(this.id)) return;
      throw error;
    }
  }

  /** Kills and removes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.removeIfThere({ force: true, volumes: true });
  }
}
