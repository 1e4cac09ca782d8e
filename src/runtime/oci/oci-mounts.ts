/** Mounts that come to a running container, and go. */
import { failedPrecondition } from "#errdefs";
import { planMountAdd, planMountRemove, withOrigin } from "#plan";
import type { MountConfig } from "#spec";
import type { OciContainer, OciRuntime } from "./oci-runtime.ts";

/**
 * Adds mounts, or removes those at the same destinations, the last first. Not atomic: a mount before one that fails stays.
 *
 * @throws SampanError that names the mount
 */
export async function changeMounts(
  runtime: OciRuntime,
  container: OciContainer,
  change: "add" | "remove",
  mounts: readonly MountConfig[],
): Promise<void> {
  const { id, state, record } = container;
  if (state.pid === 0) throw failedPrecondition(`Cannot change mounts of container "${id}": container not running`);
  const plan = change === "add" ? planMountAdd : planMountRemove;
  const program = plan(mounts, runtime.config(container), runtime.facts, {
    pid: state.pid,
    bundle: record.bundle,
    cgroupPaths: new Map(record.cgroups),
  });
  for (const warning of program.warnings) runtime.warn(warning);
  try {
    await runtime.executor.execute(program.steps.map((s) => s.operation));
  } catch (error) {
    throw withOrigin(error, program);
  }
}
