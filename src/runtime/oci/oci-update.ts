/** Limits of running containers, changed all or none. */
import { readdirSync } from "node:fs";
import { failedPrecondition, isSampanError, SampanError } from "#errdefs";
import { containerProcesses, probeResctrl, readCurrentLimits, readText } from "#host";
import { planRdtUpdate, planRollback, planUpdate, updatedFiles, type RdtUpdate, type Update } from "#plan";
import type { Resources } from "#spec";
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
  await executeUpdate(runtime, update);
  writeStoredResources(directory, update.resources);
}

/** @throws SampanError why the update failed, after all that it had changed is as before */
async function executeUpdate({ executor }: OciRuntime, update: Update): Promise<void> {
  const saved = new Map(updatedFiles(update).map((path) => [path, readText(path)]));
  try {
    await executor.execute(update.steps.map((s) => s.operation));
  } catch (error) {
    // Where it is not said which step failed, all may have been carried out.
    const failed = isSampanError(error) ? error.fields.step : undefined;
    const undo = planRollback(update, saved, failed === undefined ? update.steps.length : failed - 1);
    // Each by itself: one that can't be undone is no reason to leave the others.
    const left: string[] = [];
    for (const operation of undo)
      await executor.execute([operation]).catch((failure: unknown) => left.push((failure as Error).message));
    if (left.length === 0 || !(error instanceof SampanError)) throw error;
    throw new SampanError(error.code, error.message, {
      ...error.fields,
      cause: error,
      remedy: `Other limits were changed before, and could not be set back: ${left.join("; ")}`,
    });
  }
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
