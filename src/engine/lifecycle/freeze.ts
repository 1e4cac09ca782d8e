/** Pausing: all processes of a container are stopped by the freezer, and go on where they were. */
import { failedPrecondition } from "#errdefs";
import { isFrozen } from "#host";
import { planFreeze } from "#plan";
import type { EngineCore } from "../core.ts";
import { refuseInSandbox } from "../handlers/in-sandbox.ts";
import { containerEvent } from "../events/container-event.ts";
import type { ContainerRecord } from "../records.ts";

/** Whether a running container is paused. */
export function isPaused(core: EngineCore, record: ContainerRecord): boolean {
  return isFrozen(core.cgroups(record));
}

/** @throws SampanError `failed-precondition` when it does not run, or is paused (not paused) already */
export async function setPaused(core: EngineCore, record: ContainerRecord, paused: boolean): Promise<void> {
  const action = paused ? "pause" : "unpause";
  refuseInSandbox(core, record, action);
  core.records.claim(record.id, "use");
  try {
    if (core.runtime.state(record.id).status !== "running")
      throw failedPrecondition(`Cannot ${action} container "${record.name}": it is not running`);
    if (isPaused(core, record) === paused)
      throw failedPrecondition(`Cannot ${action} container "${record.name}": it is ${paused ? "" : "not "}paused`);
    await core.executor.execute(planFreeze(core.cgroups(record), paused).map((s) => s.operation));
  } finally {
    core.records.release(record.id);
  }
  containerEvent(core, record, action);
}

/** Lets a paused container see the signal that it was sent. Does nothing when it is not paused. */
export async function thaw(core: EngineCore, record: ContainerRecord): Promise<void> {
  if (!isPaused(core, record)) return;
  try {
    await core.executor.execute(planFreeze(core.cgroups(record), false).map((s) => s.operation));
    containerEvent(core, record, "unpause");
  } catch (error) {
    // It may have ended meanwhile, and its cgroup with it.
    if (core.runtime.state(record.id).status === "running") throw error;
  }
}
