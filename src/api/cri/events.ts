/** What happens to containers and pods, as a kubelet that lives on events follows it. */
import { create } from "@bufbuild/protobuf";
import { isSampanError } from "#errdefs";
import type { EngineEvent } from "#engine";
import { containerStatus } from "./containers/status.ts";
import type { CriContext } from "./context.ts";
import {
  ContainerEventResponseSchema,
  ContainerEventType,
  type ContainerEventResponse,
} from "./gen/runtime/v1/runtime_pb.ts";
import { podStatus } from "./pods/status.ts";
import type { RuntimePart } from "./service.ts";

const containerEvents: ReadonlyMap<string, ContainerEventType> = new Map([
  ["create", ContainerEventType.CONTAINER_CREATED_EVENT],
  ["start", ContainerEventType.CONTAINER_STARTED_EVENT],
  ["die", ContainerEventType.CONTAINER_STOPPED_EVENT],
  ["destroy", ContainerEventType.CONTAINER_DELETED_EVENT],
]);

const podEvents: ReadonlyMap<string, ContainerEventType> = new Map([
  ["create", ContainerEventType.CONTAINER_CREATED_EVENT],
  ["start", ContainerEventType.CONTAINER_STARTED_EVENT],
  ["stop", ContainerEventType.CONTAINER_STOPPED_EVENT],
  ["destroy", ContainerEventType.CONTAINER_DELETED_EVENT],
]);

export function eventService(context: CriContext): RuntimePart {
  return {
    /**
     * Each client reads the engine's journal at its own pace: one that is slow holds up nobody, and costs no memory. What it is
     * told of states is how they are when it is told.
     */
    async *getContainerEvents(_, { signal }) {
      const members = new Members(context);
      for await (const event of context.engine.events({ signal })) {
        const response = await describe(context, members, event);
        if (response !== undefined) yield response;
      }
    },
  };
}

/** Pods of containers: when one is gone nobody else knows. */
class Members {
  readonly #context: CriContext;
  readonly #pods: Map<string, string>;

  constructor(context: CriContext) {
    this.#context = context;
    this.#pods = new Map(context.containers.list().map(({ id, podId }) => [id, podId]));
  }

  /** Undefined for a container that the CRI did not make. */
  podOf(id: string): string | undefined {
    const known = this.#pods.get(id);
    if (known !== undefined) return known;
    const podId = this.#context.containers.find(id)?.podId;
    if (podId !== undefined) this.#pods.set(id, podId);
    return podId;
  }

  forget(id: string): void {
    this.#pods.delete(id);
  }
}

async function describe(
  context: CriContext,
  members: Members,
  { type, action, id, time }: EngineEvent,
): Promise<ContainerEventResponse | undefined> {
  const kind = type === "container" ? containerEvents.get(action) : type === "pod" ? podEvents.get(action) : undefined;
  if (kind === undefined) return undefined;
  const podId = type === "pod" ? id : members.podOf(id);
  if (podId === undefined) return undefined;
  if (kind === ContainerEventType.CONTAINER_DELETED_EVENT) members.forget(id);
  const pod = context.pods.find(podId);
  return create(ContainerEventResponseSchema, {
    containerId: id,
    containerEventType: kind,
    createdAt: time,
    ...(pod && { podSandboxStatus: podStatus(context, pod) }),
    containersStatuses: await statuses(context, podId),
  });
}

async function statuses(context: CriContext, podId: string): Promise<ContainerEventResponse["containersStatuses"]> {
  const found = [];
  for (const container of context.containers.ofPod(podId)) {
    try {
      found.push(await containerStatus(container));
    } catch (error) {
      // It is removed at the same time.
      if (!isSampanError(error, "not-found")) throw error;
    }
  }
  return found;
}
