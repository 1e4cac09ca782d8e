/** Limits of running containers, changed all or none. */
import { readdirSync } from "node:fs";
import { failedPrecondition } from "#errdefs";
import { containerProcesses, probeResctrl, readCurrentLimits } from "#host";
import { planRdtUpdate, planUpdate, type RdtUpdate } from "#plan";
import type { Resources } from "#spec";
import { executeUpdate } from "../execute-update.ts";
import type { OciContainer, OciRuntime } from "./oci-runtime.ts";
import { readStoredResources, replaceRecord, writeStoredResources } from "./record.ts";

/**
 * Changes limits; what is not given stays as it is. When one can't be set, those before it get back the values that they had.
 *
 * @throws SampanError `invalid-argument`, `failed-precondition`; its remedy says what could not be set back, if anything
 */
export async function updateContainer(
  runtime: OciRuntime,
  container: OciContainer,
  resources: Resources,
  rdt: RdtUpdate = {},
): Promise<void> {
  const { id, directory, record, state } = container;
  if (state.status === "stopped") throw failedPrecondition(`Cannot update container "${id}": container not running`);
  const cgroupPaths = new Map(record.cgroups);
  const before = readStoredResources(directory);
  const current = readCurrentLimits(cgroupPaths);
  const limits = planUpdate(resources, runtime.facts, { before, cgroupPaths, current });
  const shares = planShares(runtime, container, rdt);
  const update = { ...limits, steps: [...limits.steps, ...shares.steps] };
  for (const warning of update.warnings) runtime.warn(warning);
  // First, so that whatever happens next a class that is made is removed with the container.
  if (shares.exit.length > 0) replaceRecord(directory, { ...record, exit: [...record.exit, ...shares.exit] });
  await executeUpdate(runtime.executor, update);
  writeStoredResources(directory, update.resources);
}

function planShares(runtime: OciRuntime, container: OciContainer, rdt: RdtUpdate): ReturnType<typeof planRdtUpdate> {
  if (rdt.l3CacheSchema === undefined && rdt.memBwSchema === undefined) return { steps: [], exit: [] };
  const facts = { ...runtime.facts, resctrl: probeResctrl() };
  const config = runtime.config(container).linux.intelRdt;
  const pids = containerProcesses(new Map(container.record.cgroups));
  return planRdtUpdate(rdt, facts, { config, id: container.id, tasks: pids.flatMap(threads) });
}

function threads(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return []; // it has ended
  }
}
