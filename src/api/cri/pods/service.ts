import type { CriContext } from "../context.ts";
import type { RuntimePart } from "../service.ts";
import { batches } from "../batches.ts";
import { podSandboxes } from "./list.ts";
import { removePod, stopPod } from "./end.ts";
import { runPod } from "./run.ts";
import { podStatusResponse } from "./status.ts";
import { updatePodResources } from "./update.ts";

/** Pods, from their making to their removal. */
export function podService(context: CriContext): RuntimePart {
  return {
    async runPodSandbox({ config, runtimeHandler }, { signal }) {
      return { podSandboxId: await runPod(context, config, runtimeHandler, signal) };
    },

    async stopPodSandbox({ podSandboxId }) {
      await stopPod(context, podSandboxId);
      return {};
    },

    async removePodSandbox({ podSandboxId }) {
      await removePod(context, podSandboxId);
      return {};
    },

    async podSandboxStatus({ podSandboxId, verbose }) {
      return await podStatusResponse(context, podSandboxId, verbose);
    },

    listPodSandbox({ filter }) {
      return { items: podSandboxes(context, filter) };
    },

    async *streamPodSandboxes({ filter }) {
      for (const page of batches(podSandboxes(context, filter))) yield { podSandboxes: page };
    },

    async updatePodSandboxResources({ podSandboxId, overhead, resources }) {
      await updatePodResources(context, podSandboxId, { overhead, resources });
      return {};
    },
  };
}
