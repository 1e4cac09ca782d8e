/** ListPodSandbox. */
import { create } from "@bufbuild/protobuf";
import type { CriContext } from "../context.ts";
import { PodSandboxSchema, type PodSandbox, type PodSandboxFilter } from "../gen/runtime/v1/pods_pb.ts";
import { createdAt, podState } from "./status.ts";

export function podSandboxes(context: CriContext, filter: PodSandboxFilter | undefined): PodSandbox[] {
  const { id: idStart = "", state: wanted, labelSelector = {} } = filter ?? {};
  const labelsWanted = Object.entries(labelSelector);
  return context.pods.list().flatMap((pod) => {
    const { id, config, handler } = pod;
    const { metadata, labels, annotations } = config;
    if (!id.startsWith(idStart)) return [];
    if (!labelsWanted.every(([name, value]) => Object.hasOwn(labels, name) && labels[name] === value)) return [];
    const state = podState(context, pod);
    if (wanted !== undefined && wanted.state !== state) return [];
    return [
      create(PodSandboxSchema, {
        id,
        state,
        createdAt: createdAt(pod),
        labels,
        annotations,
        runtimeHandler: handler,
        ...(metadata && { metadata }),
      }),
    ];
  });
}
