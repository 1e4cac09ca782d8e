/** Changing a pod's limits, also while it is up. */
import { readCurrentLimits } from "#host";
import { cgroupDirectories, planUpdate } from "#plan";
import type { Resources } from "#spec";
import type { EngineCore } from "../core.ts";
import { containerResources } from "../resources.ts";
import type { PodOptions } from "./pod-book.ts";

/**
 * Sets limits of all its containers together; what is not given stays as it is.
 *
 * @throws SampanError `invalid-argument`; what the kernel refuses
 */
export async function updatePod(
  core: EngineCore,
  id: string,
  limits: NonNullable<PodOptions["limits"]>,
): Promise<void> {
  const pod = core.pods.find(id);
  const merged = { ...pod.options.limits, ...limits };
  const { memory, cpu, pids, blockIO }: Resources = containerResources({ image: "", ...merged }, []);
  if (core.pods.isUp(pod.id)) {
    const before = containerResources({ image: "", ...pod.options.limits }, []);
    const cgroupPaths = cgroupDirectories(core.facts.cgroup, pod.cgroup).paths;
    const update = { devices: [], hugepageLimits: [], rdma: new Map(), unified: new Map(), memory, cpu, pids, blockIO };
    const plan = planUpdate(update, core.facts, { before, cgroupPaths, current: readCurrentLimits(cgroupPaths) });
    await core.executor.execute(plan.steps.map(({ operation }) => operation));
  }
  core.pods.setOptions(pod.id, { ...pod.options, limits: merged });
}
