import type { ProcessConfig, RuntimeConfig } from "#spec";
import type { HostFacts } from "../host-facts.ts";
import type { ProcessOptions, Program } from "../plan.ts";
import { namespaceFlags } from "../tables/namespaces.ts";
import { capabilityMasks } from "./capability-sets.ts";
import { addOomScore } from "./plan-container.ts";
import { addIntelRdtJoin } from "./intel-rdt.ts";
import { addFinish, addRlimits } from "./process.ts";
import { addAllProcessors, addProcessors, addScheduling } from "./scheduling.ts";
import { addSeccompListener } from "./seccomp.ts";
import { addKeyring } from "./security-labels.ts";
import { StepList } from "./step-list.ts";

export interface ExecOptions extends ProcessOptions {
  /** The process waits for `start` before its program runs, so that its terminal can be attached to. */
  readonly waitStart?: boolean;
  /**
   * Its inheritable and ambient capabilities are as the caller of an OCI runtime wants them. Otherwise it has none: they are
   * the container's, and have no place in an exec (CVE-2022-29162).
   */
  readonly inheritable?: boolean;
  /** runtime-spec runtime.md#state of the container, for the agent of its seccomp profile. */
  readonly state?: string;
}

/**
 * Compiles another process in a running container (`exec`).
 *
 * @param config that the container was planned from: its namespaces and seccomp profile hold for the new process too, and
 *   those attributes of its own process that the new one says nothing about
 * @param cgroupPaths of the container's {@link Plan}
 */
export function planExec(
  asked: ProcessConfig,
  config: RuntimeConfig,
  facts: HostFacts,
  cgroupPaths: ReadonlyMap<string, string>,
  options: ExecOptions,
): Program {
  const process = withContainersAttributes(asked, config.process);
  const affinity = process.execCPUAffinity;
  const list = new StepList();
  addOomScore(list, process.oomScoreAdj);
  if (config.linux.intelRdt !== undefined) {
    const [group = ""] = cgroupPaths.values();
    addIntelRdtJoin(list, config.linux.intelRdt, options.id ?? group.slice(group.lastIndexOf("/") + 1), facts);
  }
  addProcessors(list, affinity?.initial ?? [], "The process runs here until it is in the container's cgroup");
  // Its path is the host's.
  const state = options.state === undefined ? undefined : ([options.state] as const);
  addSeccompListener(list, config.linux.seccomp, config.ociVersion, state);
  let flags = 0n;
  for (const { type } of config.linux.namespaces) flags |= namespaceFlags[type];
  list.add(
    { op: "join-container", namespaces: flags },
    "The new process sees what the container's own processes see",
    "setns(2)",
  );
  const version2 = facts.cgroup.version === 2;
  list.add(
    { op: "clone", namespaces: 0n, cgroup: version2 ? (cgroupPaths.get("") ?? "") : "" },
    "A pid namespace holds for children only, so that the program runs in a new process",
    "pid_namespaces(7)",
  );
  if (!version2)
    list.add(
      { op: "join-cgroup", paths: [...new Set(cgroupPaths.values())], unshare: false },
      "The container's limits hold for the new process too",
      "cgroups(7)",
    );
  addProcessors(list, affinity?.final ?? [], "The process runs on these processors");
  // With `initial` alone the kernel decides what comes of it, as the spec says.
  if (affinity === undefined || affinity.initial.length + affinity.final.length === 0) addAllProcessors(list);
  const ownUsers = config.linux.namespaces.some(({ type }) => type === "user");
  if (ownUsers)
    list.add(
      { op: "user", uid: 0, gid: 0, groups: [], umask: 0o022 },
      "What is set up from here on is done as root of the container",
      "user_namespaces(7)",
    );
  if (options.keyring !== undefined) addKeyring(list, options.keyring, process, facts);
  list.add({ op: "session" }, "Signals from another terminal do not reach the new process", "setsid(2)");
  if (process.terminal) {
    list.add({ op: "root-directory", path: "/" }, "The terminal comes from the container's own devpts", "pts(4)");
    list.add(
      {
        op: "terminal",
        columns: process.consoleSize?.width ?? 0,
        rows: process.consoleSize?.height ?? 0,
        console: false,
      },
      "The program talks to a terminal, as in a shell on the host",
      "runtime-spec config.md#process",
    );
  }
  addRlimits(list, process);
  addScheduling(list, process, config.linux);
  const capabilities =
    process.capabilities === undefined || options.inheritable === true
      ? process.capabilities
      : { ...process.capabilities, inheritable: [], ambient: [] };
  const masks = capabilityMasks(capabilities, facts, ownUsers, list.warnings);
  addFinish(list, {
    process,
    masks,
    linux: config.linux,
    facts,
    options,
    ...(options.waitStart === true && {
      started: () => list.add({ op: "wait-start" }, "Its terminal is connected before it writes anything"),
    }),
    userNamespace: ownUsers,
  });
  return { steps: list.steps, warnings: list.warnings };
}

const given = (text: string | undefined): string | undefined => (text === "" ? undefined : text);

/** As with runc, what a process for `exec` leaves open is as for the container's own. */
function withContainersAttributes(process: ProcessConfig, container: ProcessConfig | undefined): ProcessConfig {
  const { user } = process;
  return {
    ...process,
    user: { ...user, umask: user.umask ?? container?.user.umask },
    scheduler: process.scheduler ?? container?.scheduler,
    ioPriority: process.ioPriority ?? container?.ioPriority,
    apparmorProfile: given(process.apparmorProfile) ?? container?.apparmorProfile,
    selinuxLabel: given(process.selinuxLabel) ?? container?.selinuxLabel,
    execCPUAffinity: process.execCPUAffinity ?? container?.execCPUAffinity,
  };
}
