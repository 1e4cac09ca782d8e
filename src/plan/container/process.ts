/** The last part of every plan: from a prepared root to the program. Shared by containers and `exec`. */
import { invalidArgument } from "#errdefs";
import type { LinuxConfig, ProcessConfig } from "#spec";
import type { HostFacts } from "../host-facts.ts";
import type { Operation } from "../operation.gen.ts";
import type { ProcessOptions } from "../plan.ts";
import { rlimitNumber } from "../tables/rlimits.ts";
import type { CapabilityMasks } from "./capability-sets.ts";
import { landlockOperation } from "./landlock.ts";
import { absolutePath, checkText } from "./paths.ts";
import { seccompOperation } from "./seccomp.ts";
import { addLabels } from "./security-labels.ts";
import type { StepList } from "./step-list.ts";

const processSource = "runtime-spec config.md#process";

export function addRlimits(list: StepList, process: ProcessConfig): void {
  for (const { type, soft, hard } of process.rlimits) {
    const resource = rlimitNumber(type);
    if (resource === undefined) throw invalidArgument(`Cannot limit "${type}": the kernel has no such resource`);
    list.add(
      { op: "rlimit", resource, soft, hard },
      "A single process may not use more of this than the config allows",
      "runtime-spec config.md#posix-process",
    );
  }
}

/** argv and environment, checked; of a name that stands twice in the environment the last counts. */
function execOperation(process: ProcessConfig, init: boolean): Extract<Operation, { op: "exec" }> {
  if (process.args.length === 0) throw invalidArgument("Cannot run container: process.args names no program");
  for (const argument of process.args) checkText(argument, "argument");
  const environment = new Map<string, string>();
  for (const entry of process.env) {
    const equals = entry.indexOf("=");
    if (equals <= 0) throw invalidArgument(`Cannot set environment "${entry}": it is not of the form NAME=value`);
    environment.set(checkText(entry, "environment").slice(0, equals), entry);
  }
  return { op: "exec", arguments: process.args, environment: [...environment.values()], init };
}

/** PATH of an environment, or empty. */
const searchPath = (environment: readonly string[]): string =>
  environment.find((entry) => entry.startsWith("PATH="))?.slice("PATH=".length) ?? "";

export interface Finish {
  readonly process: ProcessConfig;
  readonly masks: CapabilityMasks;
  /** Its filter and its Landlock rules hold for every process of the container. */
  readonly linux: LinuxConfig;
  readonly facts: HostFacts;
  readonly options: ProcessOptions;
  /** Adds what stands between the container's creation and its start; nothing for an exec. */
  readonly started?: () => void;
  /** Root of the container is not root of the host. */
  readonly userNamespace: boolean;
}

/**
 * Identity, limits and program. Landlock's rules and the seccomp filter come as late as possible, so that they need not
 * allow what keel still does; without no_new_privs they take CAP_SYS_ADMIN, so that then they come before the capabilities
 * go.
 */
export function addFinish(
  list: StepList,
  { process, masks, linux, facts, options, started, userNamespace }: Finish,
): void {
  const { user } = process;
  const cwd = absolutePath(process.cwd, "change directory to");
  const exec = execOperation(process, options.init ?? false);
  const filter = linux.seccomp === undefined ? undefined : seccompOperation(list, linux.seccomp, facts, options);
  const addRestrictions = (): void => {
    if (linux.landlock !== undefined)
      list.add(
        landlockOperation(linux.landlock),
        "Programs may not do this, whatever rights they have or files allow",
        "landlock(7)",
      );
    if (filter !== undefined)
      list.add(
        filter,
        "Programs may only make system calls that the profile allows",
        "runtime-spec config-linux.md#seccomp",
      );
  };
  // An older profile may not know the system calls that this takes.
  const addDirectory = (): void =>
    list.add({ op: "working-directory", path: cwd }, "The program starts in this directory", processSource);

  addLabels(list, process, facts);
  list.add(
    { op: "bounding-set", keep: masks.bounding },
    "No program of the container can ever gain a capability beyond these, by no setuid file",
    "capabilities(7)",
  );
  if (user.uid !== 0 || userNamespace)
    list.add(
      { op: "stdio-owner", uid: user.uid, gid: user.gid },
      "A program that is not root can open /dev/stdout and /dev/stderr, e.g. for its log",
    );
  if (!process.noNewPrivileges) {
    addDirectory();
    addRestrictions();
  }
  list.add(
    { op: "user", uid: user.uid, gid: user.gid, groups: user.additionalGids, umask: user.umask ?? 0o022 },
    "The program runs as this user of the container",
    "runtime-spec config.md#posix-platform-user",
  );
  list.add(
    {
      op: "capabilities",
      effective: masks.effective,
      permitted: masks.permitted,
      inheritable: masks.inheritable,
      ambient: masks.ambient,
    },
    "Root's power is split into capabilities, and the program gets only these",
    "capabilities(7)",
  );
  if (options.parentDeathSignal !== undefined)
    list.add(
      { op: "parent-death-signal", signal: options.parentDeathSignal },
      "The container does not outlive the process that watches it",
      "prctl(2)",
    );
  if (process.noNewPrivileges) addDirectory();
  list.add(
    {
      op: "find-executable",
      command: process.args[0] ?? "",
      path: searchPath(exec.environment),
      directory: cwd,
    },
    "A missing command is reported now, and not when the container starts",
  );
  started?.();
  if (process.noNewPrivileges)
    list.add(
      { op: "no-new-privileges" },
      "Running a setuid program gives no more rights",
      "runtime-spec config.md#linux-process",
    );
  if (process.noNewPrivileges) addRestrictions();
  list.add(exec, "The program takes the place of keel in this process", processSource);
}
