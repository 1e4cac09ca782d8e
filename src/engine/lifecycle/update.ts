/** Changing a container's limits, also while it runs. */
import { invalidArgument } from "#errdefs";
import { readCurrentLimits } from "#host";
import { planUpdate } from "#plan";
import { executeUpdate } from "#runtime";
import type { Resources } from "#spec";
import type { EngineCore } from "../core.ts";
import { refuseInSandbox } from "../handlers/in-sandbox.ts";
import { containerEvent } from "../events/container-event.ts";
import type { ContainerOptions } from "../options.ts";
import type { ContainerRecord } from "../records.ts";
import { containerResources } from "../resources.ts";
import { parseRestart } from "../supervise/restart-policy.ts";
import { ensureSupervisor } from "../supervise/spawn.ts";

/** What can be changed; what is not given stays as it is. */
export type UpdateOptions = Pick<
  ContainerOptions,
  | "blkioWeight"
  | "cpuPeriod"
  | "cpuQuota"
  | "cpuRtPeriod"
  | "cpuRtRuntime"
  | "cpuShares"
  | "cpus"
  | "cpusetCpus"
  | "cpusetMems"
  | "cgroupFiles"
  | "hugepages"
  | "memory"
  | "memoryReservation"
  | "memorySwap"
  | "pidsLimit"
  | "restart"
>;

/**
 * Sets the limits, of a running container at once, and keeps them for its next starts. When the kernel refuses one, none is
 * changed, and nothing is kept.
 *
 * @returns warnings of what this host can't do
 * @throws SampanError `invalid-argument`, `failed-precondition` when it is being worked on
 */
export async function updateContainer(
  core: EngineCore,
  record: ContainerRecord,
  update: UpdateOptions,
): Promise<{ readonly record: ContainerRecord; readonly warnings: readonly string[] }> {
  if (Object.keys(update).length === 0)
    throw invalidArgument(`Cannot update container "${record.name}": no change is given`);
  core.records.claim(record.id, "use");
  try {
    // Others may have changed it since this handle was made.
    const current = core.records.find(record.id);
    const options = merged(current.options, update);
    if (Object.keys(update).some((key) => key !== "restart")) refuseInSandbox(core, record, "limit");
    const before = containerResources(current.options, []);
    const after = containerResources(options, []);
    const warnings = core.runtime.state(record.id).status === "running" ? await apply(core, record, before, after) : [];
    const policy = parseRestart(options.restart).name;
    if (policy !== "no" && options.autoRemove === true)
      throw invalidArgument(`Cannot restart container "${record.name}": it is removed when it has ended`);
    core.records.setOptions(record.id, options);
    if (update.restart !== undefined) followPolicy(core, record, policy !== "no");
    const changed = { ...current, options };
    containerEvent(core, changed, "update");
    ensureSupervisor(core);
    return { record: changed, warnings };
  } finally {
    core.records.release(record.id);
  }
}

/** One that runs is looked after from now on, or not any more. */
function followPolicy(core: EngineCore, { id, resolved }: ContainerRecord, restarts: boolean): void {
  const { supervision, runtime } = core;
  if (!restarts && resolved.health === undefined) supervision.end(id);
  else if (supervision.get(id) === undefined && runtime.state(id).status === "running") supervision.begin(id);
  else if (restarts && runtime.state(id).status === "running") supervision.resume(id);
}

/** `cpus` and the quota that it stands for take each other's place. */
function merged(before: ContainerOptions, update: UpdateOptions): ContainerOptions {
  const options: { -readonly [K in keyof ContainerOptions]: ContainerOptions[K] } = { ...before, ...update };
  if (update.cpus !== undefined) {
    delete options.cpuQuota;
    delete options.cpuPeriod;
  } else if (update.cpuQuota !== undefined || update.cpuPeriod !== undefined) delete options.cpus;
  return options;
}

async function apply(
  core: EngineCore,
  record: ContainerRecord,
  before: Resources,
  after: Resources,
): Promise<readonly string[]> {
  const text = (value: unknown): string =>
    JSON.stringify(value, (_, v: unknown) => (typeof v === "bigint" ? String(v) : v)) ?? "";
  const changed = (name: "memory" | "cpu" | "pids" | "blockIO" | "hugepageLimits"): boolean =>
    text(before[name]) !== text(after[name]);
  const update: Resources = {
    devices: [],
    hugepageLimits: changed("hugepageLimits") ? after.hugepageLimits : [],
    rdma: new Map(),
    unified: text([...before.unified]) === text([...after.unified]) ? new Map() : after.unified,
    memory: changed("memory") ? after.memory : undefined,
    cpu: changed("cpu") ? after.cpu : undefined,
    // No limit is one too, where there was another.
    pids: changed("pids") ? (after.pids ?? { limit: -1n }) : undefined,
    blockIO: changed("blockIO") ? after.blockIO : undefined,
  };
  const cgroupPaths = core.cgroups(record);
  const plan = planUpdate(update, core.facts, { before, cgroupPaths, current: readCurrentLimits(cgroupPaths) });
  await executeUpdate(core.executor, plan);
  return plan.warnings;
}
