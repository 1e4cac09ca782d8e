/** UpdatePodSandboxResources. */
import type { CriContext } from "../context.ts";
import type { LinuxContainerResources } from "../gen/runtime/v1/common_pb.ts";
import { extensionName, PodBook } from "./book.ts";
import { podLimits } from "./limits.ts";

/**
 * Keeps what the pod is to have. Its limits are set here only where they are at the making too: a kubelet has changed those of
 * the pod's cgroup, which it made, before it calls this.
 */
export async function updatePodResources(
  { engine, pods, locks }: CriContext,
  id: string,
  {
    overhead,
    resources,
  }: {
    readonly overhead: LinuxContainerResources | undefined;
    readonly resources: LinuxContainerResources | undefined;
  },
): Promise<void> {
  const { id: own } = pods.get(id);
  await locks.alone(own, async () => {
    const { config, handler, record } = pods.get(own);
    const linux = {
      ...config.linux,
      ...(overhead && { overhead }),
      ...(resources && { resources }),
    } as NonNullable<typeof config.linux>;
    const { limits } = podLimits(linux);
    if (record.options.cgroupParent === undefined && limits !== undefined) await engine.pods.update(own, limits);
    engine.pods.setExtension(own, extensionName, PodBook.write({ ...config, linux }, handler));
  });
}
