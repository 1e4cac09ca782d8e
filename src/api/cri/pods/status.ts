/** PodSandboxStatus. */
import { create, toJson } from "@bufbuild/protobuf";
import type { PodNamespace } from "#engine";
import { containerStatus } from "../containers/status.ts";
import type { CriContext } from "../context.ts";
import { NamespaceOptionSchema } from "../gen/runtime/v1/common_pb.ts";
import {
  PodSandboxConfigSchema,
  PodSandboxState,
  PodSandboxStatusSchema,
  type PodSandboxStatus,
} from "../gen/runtime/v1/pods_pb.ts";
import { PodSandboxStatusResponseSchema, type PodSandboxStatusResponse } from "../gen/runtime/v1/runtime_pb.ts";
import type { CriPod } from "./book.ts";

const nanoseconds = 1_000_000n;

/** When a pod was made, in nanoseconds since the epoch. */
export const createdAt = ({ record }: CriPod): bigint => BigInt(record.createdAt) * nanoseconds;

export const podState = ({ engine }: CriContext, { id }: CriPod): PodSandboxState =>
  engine.pods.isUp(id) ? PodSandboxState.SANDBOX_READY : PodSandboxState.SANDBOX_NOTREADY;

export function podStatus(context: CriContext, pod: CriPod): PodSandboxStatus {
  const { id, config, handler } = pod;
  const { metadata, labels, annotations } = config;
  const [ip = "", ...others] = context.engine.pods.addresses(id);
  return create(PodSandboxStatusSchema, {
    id,
    state: podState(context, pod),
    createdAt: createdAt(pod),
    labels,
    annotations,
    runtimeHandler: handler,
    network: { ip, additionalIps: others.map((address) => ({ ip: address })) },
    linux: {
      namespaces: { options: config.linux?.securityContext?.namespaceOptions ?? create(NamespaceOptionSchema) },
    },
    ...(metadata && { metadata }),
  });
}

export async function podStatusResponse(
  context: CriContext,
  id: string,
  verbose: boolean,
): Promise<PodSandboxStatusResponse> {
  const pod = context.pods.get(id);
  const containers = context.containers.ofPod(pod.id);
  return create(PodSandboxStatusResponseSchema, {
    status: podStatus(context, pod),
    containersStatuses: await Promise.all(containers.map((container) => containerStatus(container))),
    timestamp: BigInt(Date.now()) * nanoseconds,
    info: verbose ? { info: JSON.stringify(details(context, pod)) } : {},
  });
}

/** By the runtime-spec's names: there tools look for the network namespace. */
const namespaceTypes: Readonly<Record<PodNamespace, string>> = {
  net: "network",
  ipc: "ipc",
  uts: "uts",
  pid: "pid",
};

function details({ engine }: CriContext, { id, record, config, handler }: CriPod): object {
  const namespaces = (Object.keys(namespaceTypes) as PodNamespace[]).flatMap((name) => {
    const path = engine.pods.namespaceFile(id, name);
    return path === undefined ? [] : [{ type: namespaceTypes[name], path }];
  });
  return {
    runtimeHandler: handler,
    runtimeType: record.options.runtime ?? "sampan",
    hostname: record.options.hostname,
    addresses: engine.pods.addresses(id),
    config: toJson(PodSandboxConfigSchema, config, { useProtoFieldName: true }),
    // There is no process of the pod itself: this is what its containers have in common.
    runtimeSpec: { hostname: record.options.hostname, linux: { cgroupsPath: record.cgroup, namespaces } },
  };
}
