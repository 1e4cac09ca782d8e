import type { CpuResources, DeviceRule, MemoryResources, Resources } from "#spec";
import type { HostFacts } from "../host-facts.ts";
import type { Operation } from "../operation.gen.ts";
import type { Program, Step } from "../plan.ts";
import type { CurrentLimits } from "./current-limits.ts";
import { deviceSteps } from "./device-list.ts";
import { effectiveRules } from "./device-rules.ts";
import { mergeResources } from "./merge-resources.ts";
import { limitsV1 } from "./write-v1.ts";
import { filterStep, limitsV2 } from "./write-v2.ts";

export interface UpdateOptions {
  /** What the container was given before: its config's resources, with earlier updates. */
  readonly before: Resources | undefined;
  /** Of the container's {@link Plan}. */
  readonly cgroupPaths: ReadonlyMap<string, string>;
  /** What its groups say now. */
  readonly current: CurrentLimits;
}

export interface Update extends Program {
  /** What holds from then on, for the next update. */
  readonly resources: Resources;
  /** Brings the device rules back that were there before. */
  readonly undoDevices: readonly Operation[];
}

/**
 * Compiles an update of a running container's limits. What is not given stays as it is; device rules, where any are given,
 * take the place of all that were there. Limits that the kernel checks against each other are written in an order in
 * which each is valid.
 *
 * @throws SampanError `invalid-argument`, or `failed-precondition` when this host cannot do it, or memory is in use that
 *   `checkBeforeUpdate` would spare
 */
export function planUpdate(update: Resources, facts: HostFacts, options: UpdateOptions): Update {
  const resources = mergeResources(options.before, update);
  const warnings: string[] = [];
  const changed = changes(update, resources);
  const version2 = facts.cgroup.version === 2;
  const change = (from: readonly DeviceRule[], to: readonly DeviceRule[]): readonly Step[] =>
    version2 ? filterStep(effectiveRules(to), options.cgroupPaths) : deviceSteps(from, to, options.cgroupPaths);
  const devices = options.before?.devices ?? [];
  const steps: Step[] = [];
  if (update.devices.length > 0) steps.push(...change(devices, update.devices));
  const undoDevices = update.devices.length > 0 ? change(update.devices, devices).map((s) => s.operation) : [];
  const limits = version2 ? limitsV2 : limitsV1;
  steps.push(...limits(changed, options.cgroupPaths, facts, warnings, options.current));
  return { steps, warnings, resources, undoDevices };
}

/** What is to be written: what is given, and of limits that hold together both where one is given. */
function changes(update: Resources, merged: Resources): Resources {
  return { ...update, memory: changedMemory(update.memory, merged.memory), cpu: changedCpu(update.cpu, merged.cpu) };
}

const given = (value: bigint | undefined): boolean => value !== undefined && value !== 0n;

function changedMemory(
  update: MemoryResources | undefined,
  merged: MemoryResources | undefined,
): MemoryResources | undefined {
  if (update === undefined || merged === undefined || (!given(update.limit) && !given(update.swap))) return update;
  // On v2 swap's own limit depends on memory's.
  return { ...update, limit: merged.limit, swap: merged.swap, checkBeforeUpdate: merged.checkBeforeUpdate };
}

function changedCpu(update: CpuResources | undefined, merged: CpuResources | undefined): CpuResources | undefined {
  if (update === undefined || merged === undefined) return update;
  let changed = update;
  if (given(update.quota) || given(update.period))
    changed = {
      ...changed,
      quota: given(update.quota) ? update.quota : merged.quota,
      period: given(update.period) ? update.period : merged.period,
    };
  if (given(update.realtimeRuntime) || given(update.realtimePeriod))
    changed = { ...changed, realtimeRuntime: merged.realtimeRuntime, realtimePeriod: merged.realtimePeriod };
  return changed;
}
