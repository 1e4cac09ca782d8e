/** Limits of running containers: changed, and the freezer that stops all processes of one. */
import { failedPrecondition } from "#errdefs";
import { readCurrentLimits } from "#host";
import { planFreeze, planUpdate } from "#plan";
import type { Resources } from "#spec";
import type { OciContainer, OciRuntime } from "./oci-runtime.ts";
import { readStoredResources, writeStoredResources } from "./record.ts";

/** Stops all its processes. */
export async function pauseContainer(runtime: OciRuntime, container: OciContainer): Promise<void> {
  const { id, state } = container;
  if (state.status !== "running" && state.status !== "created")
    throw failedPrecondition(`Cannot pause container "${id}": container not running or created: ${state.status}`);
  await freeze(runtime, container, true);
}

/** Lets them go on. */
export async function resumeContainer(runtime: OciRuntime, container: OciContainer): Promise<void> {
  const { id, state } = container;
  if (state.status !== "paused") throw failedPrecondition(`Cannot resume container "${id}": container not paused`);
  await freeze(runtime, container, false);
}

async function freeze(runtime: OciRuntime, { record }: OciContainer, frozen: boolean): Promise<void> {
  const steps = planFreeze(new Map(record.cgroups), frozen);
  await runtime.executor.execute(steps.map((s) => s.operation));
}

/**
 * Changes limits; what is not given stays as it is. When one can't be set, those before it stay set: the kernel knows no
 * transaction.
 *
 * @throws SampanError `invalid-argument`, `failed-precondition`
 */
export async function updateContainer(
  runtime: OciRuntime,
  { id, directory, record, state }: OciContainer,
  resources: Resources,
): Promise<void> {
  if (state.status === "stopped") throw failedPrecondition(`Cannot update container "${id}": container not running`);
  const cgroupPaths = new Map(record.cgroups);
  const before = readStoredResources(directory);
  const plan = planUpdate(resources, runtime.facts, { before, cgroupPaths, current: readCurrentLimits(cgroupPaths) });
  for (const warning of plan.warnings) runtime.warn(warning);
  await runtime.executor.execute(plan.steps.map((s) => s.operation));
  writeStoredResources(directory, plan.resources);
}
