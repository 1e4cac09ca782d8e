/** ListContainers. */
import { create } from "@bufbuild/protobuf";
import type { CriContext } from "../context.ts";
import { ContainerSchema, type Container, type ContainerFilter } from "../gen/runtime/v1/containers_pb.ts";
import { containerState } from "./state.ts";
import { refuse } from "./translate/check.ts";

/** Newest first. */
export function listContainers({ containers }: CriContext, filter: ContainerFilter | undefined): Container[] {
  const { id: idStart = "", podSandboxId: podStart = "", state: wanted, labelSelector = {} } = filter ?? {};
  if (wanted !== undefined && !(wanted.state >= 0 && wanted.state <= 3))
    refuse("filter.state.state", wanted.state, "there is no such state");
  const labelsWanted = Object.entries(labelSelector);
  return containers.list().flatMap((found) => {
    const { id, podId, config, imageRef, container } = found;
    const { metadata, image, labels, annotations } = config;
    if (!id.startsWith(idStart) || !podId.startsWith(podStart)) return [];
    if (!labelsWanted.every(([name, value]) => Object.hasOwn(labels, name) && labels[name] === value)) return [];
    const state = containerState(found);
    if (wanted !== undefined && wanted.state !== state) return [];
    return [
      create(ContainerSchema, {
        id,
        podSandboxId: podId,
        state,
        createdAt: BigInt(container.record.createdAt) * 1_000_000n,
        imageRef,
        imageId: container.record.imageId,
        labels,
        annotations,
        ...(metadata && { metadata }),
        ...(image && { image }),
      }),
    ];
  });
}
