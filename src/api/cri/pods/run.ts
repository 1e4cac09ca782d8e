/** RunPodSandbox. */
import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { invalidArgument } from "#errdefs";
import type { PodOptions } from "#engine";
import type { CriContext } from "../context.ts";
import { NamespaceMode } from "../gen/runtime/v1/common_pb.ts";
import type { PodSandboxConfig, PodSandboxMetadata } from "../gen/runtime/v1/pods_pb.ts";
import { extensionName, PodBook } from "./book.ts";

/** @returns the id of a pod that is ready; nothing is left of one that can't be */
export async function runPod(
  { engine }: CriContext,
  config: PodSandboxConfig | undefined,
  handler: string,
  signal: AbortSignal,
): Promise<string> {
  if (config === undefined) throw invalidArgument("Cannot make a pod sandbox: config is missing");
  const { id } = await engine.pods.create(podOptions(config, handler));
  try {
    await engine.pods.start(id);
    signal.throwIfAborted();
  } catch (error) {
    await engine.pods.removeIfThere(id, { force: true });
    throw error;
  }
  return id;
}

function podOptions(config: PodSandboxConfig, handler: string): PodOptions {
  const { metadata, labels } = config;
  if (metadata === undefined) throw invalidArgument("Cannot make a pod sandbox: config.metadata is missing");
  const isHostNetwork = config.linux?.securityContext?.namespaceOptions?.network === NamespaceMode.NODE;
  return {
    name: podName(metadata),
    hostname: config.hostname || hostname(),
    network: isHostNetwork ? "host" : "bridge",
    labels,
    extensions: { [extensionName]: PodBook.write(config, handler) },
  };
}

/** Two sandboxes of the same metadata can't be. */
function podName({ name, namespace, uid, attempt }: PodSandboxMetadata): string {
  const whole = `${name}_${namespace}_${uid}_${attempt}`;
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,127}$/.test(whole)) return whole;
  return `pod_${createHash("sha256")
    .update(JSON.stringify([name, namespace, uid, attempt]))
    .digest("hex")}`;
}
