/** Another process in a container of the OCI runtime. */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { failedPrecondition } from "#errdefs";
import { processGroups } from "#host";
import { MonitorClient } from "#keel";
import { execCgroups, planExec, type Operation } from "#plan";
import type { ProcessConfig } from "#spec";
import { hookState } from "./hooks.ts";
import type { OciContainer, OciRuntime } from "./oci-runtime.ts";
import { writePidFile } from "./pid-file.ts";
import { removeDirectory } from "./remove-directory.ts";

export interface OciExecOptions {
  readonly process: ProcessConfig;
  /** Nobody waits for it: it is left to the nearest subreaper above. */
  readonly detach: boolean;
  readonly consoleSocket: string;
  readonly pidfdSocket: string;
  readonly pidFile: string;
  readonly preserve: number;
  /** Also in a paused container, where it stays until the container is resumed. */
  readonly ignorePaused: boolean;
  /** Cgroups below the container's own that it joins: `[CONTROLLER[,…]:]PATH`. */
  readonly cgroups: readonly string[];
}

/** A process that this one looks after: its monitor, and what is left to be removed after it. */
export interface OciSession extends Disposable {
  readonly monitor: MonitorClient;
  /** What it runs, to say which step failed. */
  readonly program: readonly Operation[];
}

/**
 * Starts it. Resolves when its command is executing, or when it waits to be started by the monitor.
 *
 * @returns undefined when it was detached; otherwise its monitor's client, whose `start` lets it run
 */
export async function execInContainer(
  runtime: OciRuntime,
  container: OciContainer,
  options: OciExecOptions,
): Promise<OciSession | undefined> {
  const { id, state, record } = container;
  if (state.status === "stopped" || state.pid === 0)
    throw failedPrecondition(`Cannot exec in container "${id}": container not running`);
  if (state.status === "paused" && !options.ignorePaused)
    throw failedPrecondition(`Cannot exec in container "${id}": it is paused`, {
      remedy: "Resume it, or give --ignore-paused",
    });
  const { process } = options;
  // On v2 the first process may have moved on to a child of its group, which then takes no processes itself.
  const initial = processGroups(runtime.facts.cgroup, state.pid).get("");
  const cgroups = execCgroups(new Map(record.cgroups), options.cgroups, initial);
  const plan = planExec(process, runtime.config(container), runtime.facts, cgroups, {
    compileSeccomp: runtime.compileSeccomp,
    waitStart: !options.detach,
    inheritable: true,
    state: hookState({ ...record, id }, "running", state.pid),
  });
  const directory = mkdtempSync(join(container.directory, "exec-"));
  const program = plan.steps.map((s) => s.operation);
  const remove = (): void => removeDirectory(directory);
  try {
    const { pid } = await runtime.executor.create({
      stateDirectory: directory,
      log: "",
      terminal: process.terminal,
      openStdin: true,
      stdinOnce: true,
      inheritStdio: !process.terminal,
      oomFile: "",
      program,
      exitProgram: [],
      exitCommand: [],
      orphan: options.detach,
      consoleSocket: options.consoleSocket,
      pidfdSocket: options.pidfdSocket,
      preserve: options.preserve,
      container: state.pid,
      containerStart: state.start,
    });
    if (options.pidFile !== "") writePidFile(options.pidFile, pid);
    if (options.detach) {
      remove();
      return undefined;
    }
    const monitor = await MonitorClient.connect(directory);
    return {
      monitor,
      program,
      [Symbol.dispose]: () => {
        monitor.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
