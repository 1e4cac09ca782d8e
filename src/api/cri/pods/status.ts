/** PodSandboxStatus. */
import { create } from "@bufbuild/protobuf";
import type { CriContext } from "../context.ts";
import { PodSandboxState, PodSandboxStatusSchema, type PodSandboxStatus } from "../gen/runtime/v1/pods_pb.ts";
import type { CriPod } from "./book.ts";

const nanoseconds = 1_000_000n;

/** When a pod was made, in nanoseconds since the epoch. */
export const createdAt = ({ record }: CriPod): bigint => BigInt(record.createdAt) * nanoseconds;

export const podState = ({ engine }: CriContext, { id }: CriPod): PodSandboxState =>
  engine.pods.isUp(id) ? PodSandboxState.SANDBOX_READY : PodSandboxState.SANDBOX_NOTREADY;

export function podStatus(context: CriContext, pod: CriPod): PodSandboxStatus {
  const { id, config, handler } = pod;
  const { metadata, labels, annotations } = config;
  return create(PodSandboxStatusSchema, {
    id,
    state: podState(context, pod),
    createdAt: createdAt(pod),
    labels,
    annotations,
    runtimeHandler: handler,
    network: {},
    ...(metadata && { metadata }),
  });
}
