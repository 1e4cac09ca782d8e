import type { CriContext } from "../context.ts";
import type { RuntimePart } from "../service.ts";
import { podSandboxes } from "./list.ts";
import { runPod } from "./run.ts";
import { podStatus } from "./status.ts";

/** Pods, from their making to their removal. */
export function podService(context: CriContext): RuntimePart {
  const { engine, pods } = context;
  return {
    async runPodSandbox({ config, runtimeHandler }, { signal }) {
      return { podSandboxId: await runPod(context, config, runtimeHandler, signal) };
    },

    async stopPodSandbox({ podSandboxId }) {
      const pod = pods.find(podSandboxId);
      if (pod !== undefined) await engine.pods.stop(pod.id);
      return {};
    },

    async removePodSandbox({ podSandboxId }) {
      const pod = pods.find(podSandboxId);
      if (pod !== undefined) await engine.pods.removeIfThere(pod.id, { force: true });
      return {};
    },

    podSandboxStatus({ podSandboxId }) {
      return { status: podStatus(context, pods.get(podSandboxId)) };
    },

    listPodSandbox({ filter }) {
      return { items: podSandboxes(context, filter) };
    },
  };
}
