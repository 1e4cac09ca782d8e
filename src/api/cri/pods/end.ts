/** StopPodSandbox and RemovePodSandbox. Both do nothing for a pod that is not known, and may be called again. */
import { isSampanError } from "#errdefs";
import type { CriContext } from "../context.ts";

/** Its containers have had their time to end, by StopContainer: they are killed. */
const atOnce = { signal: "KILL" } as const;

export async function stopPod({ engine, pods, locks, forwards }: CriContext, id: string): Promise<void> {
  const pod = pods.find(id);
  if (pod === undefined) return;
  await locks.alone(pod.id, async () => {
    forwards.close(pod.id);
    try {
      await engine.pods.stop(pod.id, atOnce);
    } catch (error) {
      // Another client has removed it meanwhile.
      if (!isSampanError(error, "not-found")) throw error;
    }
  });
}

export async function removePod({ engine, pods, locks, forwards }: CriContext, id: string): Promise<void> {
  const pod = pods.find(id);
  if (pod === undefined) return;
  await locks.alone(pod.id, async () => {
    forwards.close(pod.id);
    await engine.pods.removeIfThere(pod.id, { force: true });
  });
}
