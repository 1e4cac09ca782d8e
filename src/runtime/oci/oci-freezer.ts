/** The freezer, that stops all processes of a container. */
import { failedPrecondition } from "#errdefs";
import { planFreeze } from "#plan";
import type { OciContainer, OciRuntime } from "./oci-runtime.ts";

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
