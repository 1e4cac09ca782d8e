/** RunPodSandbox. */
import { checkHandler } from "../handlers.ts";
import { cancelled } from "#errdefs";
import type { CriContext } from "../context.ts";
import type { PodSandboxConfig } from "../gen/runtime/v1/pods_pb.ts";
import { podNetwork } from "./network.ts";
import { podOptions } from "./options.ts";

/** @returns the id of a pod that is ready; nothing is left of one that can't be */
export async function runPod(
  context: CriContext,
  config: PodSandboxConfig | undefined,
  handler: string,
  signal: AbortSignal,
): Promise<string> {
  const { engine, locks } = context;
  await checkHandler(engine, handler);
  const { id } = await engine.pods.create(podOptions(config, handler, await podNetwork(context)));
  return await locks.alone(id, async () => {
    try {
      await engine.pods.start(id);
      if (signal.aborted) throw cancelled("Cannot make a pod sandbox: the client has gone");
    } catch (error) {
      await engine.pods.removeIfThere(id, { force: true });
      throw error;
    }
    return id;
  });
}
