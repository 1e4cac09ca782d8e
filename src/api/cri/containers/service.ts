import { failedPrecondition } from "#errdefs";
import { batches } from "../batches.ts";
import type { CriContext } from "../context.ts";
import type { RuntimePart } from "../service.ts";
import { createContainer } from "./create.ts";
import { execSync } from "./exec-sync.ts";
import { listContainers } from "./list.ts";
import { TaskQueue } from "./queue.ts";
import { startContainer } from "./start.ts";
import { containerState, ContainerState } from "./state.ts";
import { containerStatus } from "./status.ts";
import { inRange } from "./translate/check.ts";
import { updateResources } from "./update.ts";
import { verboseInfo } from "./verbose.ts";

/** Seconds; timers count to some 24 days. */
const longestWait = 2n ** 31n / 1000n - 1n;

/** Containers, from their making to their removal. */
export function containerService(context: CriContext): RuntimePart {
  const { containers } = context;
  const tasks = new TaskQueue();
  return {
    async createContainer(request, { signal }) {
      const { id } = context.pods.get(request.podSandboxId);
      // The pod does not go while a container is being made in it.
      return await context.locks.shared(id, async () => ({
        containerId: await createContainer(context, request, signal),
      }));
    },

    async startContainer({ containerId }) {
      const { id, podId } = containers.get(containerId);
      await context.locks.shared(podId, async () => {
        await tasks.run(id, async () => await startContainer(context, id));
      });
      return {};
    },

    async stopContainer({ containerId, timeout }) {
      // Longer than any wait is as long as one can wait.
      const seconds = inRange("timeout", timeout, 0n, 2n ** 63n - 1n);
      const found = containers.find(containerId);
      const wait = timeout > longestWait ? Number(longestWait) : seconds;
      await found?.container.stop(
        timeout === 0n ? { signal: "KILL", timeout: Number(longestWait) } : { timeout: wait },
      );
      return {};
    },

    async removeContainer({ containerId }) {
      const id = containers.find(containerId)?.id;
      if (id === undefined) return {};
      await tasks.run(id, async () => {
        await containers.find(id)?.container.removeIfThere({ force: true, volumes: true });
      });
      return {};
    },

    listContainers({ filter }) {
      return { containers: listContainers(context, filter) };
    },

    async *streamContainers({ filter }) {
      for (const batch of batches(listContainers(context, filter))) yield { containers: batch };
    },

    async containerStatus({ containerId, verbose }) {
      const found = containers.get(containerId);
      return { status: await containerStatus(found), info: verbose ? verboseInfo(found) : {} };
    },

    async updateContainerResources({ containerId, linux }) {
      const { id } = containers.get(containerId);
      await tasks.run(id, async () => await updateResources(context, id, linux));
      return {};
    },

    async reopenContainerLog({ containerId }) {
      const found = containers.get(containerId);
      if (containerState(found) !== ContainerState.CONTAINER_RUNNING)
        throw failedPrecondition(`Cannot reopen the log of container "${found.id}": it is not running`);
      await found.container.reopenLog();
      return {};
    },

    async execSync(request, { signal }) {
      return await execSync(context, request, signal);
    },
  };
}
