/** How the kernel serves the container's processes: processors, I/O and memory. */
import { unsupported } from "#errdefs";
import type { LinuxConfig, ProcessConfig } from "#spec";
import {
  ioPriorityClasses,
  memoryPolicyFlags,
  memoryPolicyModes,
  personalities,
  schedulerFlags,
  schedulerPolicies,
} from "../tables/scheduling.ts";
import type { StepList } from "./step-list.ts";

const processSource = "runtime-spec config.md#linux-process";

/** Adds what is privileged, or might be filtered: it stands before the capabilities go and the filter comes. */
export function addScheduling(list: StepList, process: ProcessConfig, linux: LinuxConfig): void {
  const { scheduler, ioPriority } = process;
  const { personality, memoryPolicy } = linux;
  if (personality !== undefined)
    list.add(
      { op: "personality", domain: personalities[personality.domain] },
      personality.domain === "LINUX"
        ? "Programs find the machine as it is"
        : "Programs that ask for the machine's type are told of a 32-bit one",
      "runtime-spec config-linux.md#personality",
    );
  if (memoryPolicy !== undefined)
    list.add(
      {
        op: "memory-policy",
        mode: memoryPolicy.flags.reduce(
          (mode, flag) => mode | memoryPolicyFlags[flag],
          memoryPolicyModes[memoryPolicy.mode],
        ),
        nodes: memoryPolicy.nodes,
      },
      "On a machine with several memory nodes, memory comes from those that the config says",
      "runtime-spec config-linux.md#memory-policy",
    );
  if (ioPriority !== undefined)
    list.add(
      { op: "io-priority", class: ioPriorityClasses[ioPriority.class], level: ioPriority.priority },
      "Where processes wait for a disk, this one is served accordingly",
      processSource,
    );
  if (scheduler === undefined) return;
  if (scheduler.policy === "SCHED_ISO")
    throw unsupported("Cannot schedule the process by SCHED_ISO: Linux has reserved this policy and never had it");
  list.add(
    {
      op: "scheduler",
      policy: schedulerPolicies[scheduler.policy],
      flags: scheduler.flags.reduce((flags, flag) => flags | schedulerFlags[flag], 0n),
      nice: scheduler.nice,
      priority: scheduler.priority,
      runtime: scheduler.runtime,
      deadline: scheduler.deadline,
      period: scheduler.period,
    },
    "Where processes wait for a processor, this one is served accordingly",
    processSource,
  );
}

/** Gives back all processors, whichever the caller of Sampan was bound to; the container's cpuset stays. */
export function addAllProcessors(list: StepList): void {
  list.add(
    { op: "cpu-affinity", processors: [] },
    "The container runs on every processor that its cgroup allows, whatever Sampan itself is bound to",
    "sched_setaffinity(2)",
  );
}

/** Binds an exec'd process, before and after it enters the container's cgroup (`process.execCPUAffinity`). */
export function addProcessors(list: StepList, processors: readonly number[], why: string): void {
  if (processors.length > 0) list.add({ op: "cpu-affinity", processors }, why, processSource);
}
