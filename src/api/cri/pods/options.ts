/** PodSandboxConfig as options of the engine's pods. What can't be is refused with the name of its field. */
import { createHash } from "node:crypto";
import { hostname as hostName } from "node:os";
import type { PodOptions } from "#engine";
import { NamespaceMode, NamespaceModeSchema, type NamespaceOption } from "../gen/runtime/v1/common_pb.ts";
import type { LinuxPodSandboxConfig, PodSandboxConfig, PodSandboxMetadata } from "../gen/runtime/v1/pods_pb.ts";
import { runtimeOf } from "../handlers.ts";
import { enumName, refuse } from "../refuse.ts";
import { extensionName, PodBook } from "./book.ts";
import { cgroupParent } from "./cgroup-parent.ts";
import { podLimits } from "./limits.ts";
import { published } from "./ports.ts";
import { resolvConf } from "./resolver.ts";
import { checkSecurity } from "./security.ts";

const action = "make a pod sandbox";

/** @param network that pods are on, but for those with the host's */
export function podOptions(
  config: PodSandboxConfig | undefined,
  handler: string,
  network: "bridge" | "cni",
): PodOptions {
  if (config === undefined) return refuse(action, "config", "is missing");
  const { metadata, hostname, labels, linux } = config;
  const runtime = runtimeOf(handler);
  const resolver = resolvConf(config.dnsConfig);
  const namespaces = namespaceOptions(linux);
  checkHostname(hostname);
  checkDirectory(config.logDirectory);
  checkSecurity(linux?.securityContext);
  const isHostNetwork = namespaces.network === "host";
  const parent = cgroupParent(linux?.cgroupParent ?? "");
  return {
    name: podName(metadata),
    hostname: hostname || hostName(),
    labels,
    network,
    ...namespaces,
    ...(isHostNetwork ? checkedPorts(config) : publishedPorts(config)),
    ...(resolver !== undefined && { resolvConf: resolver }),
    ...(Object.keys(linux?.sysctls ?? {}).length > 0 && { sysctls: linux?.sysctls ?? {} }),
    // Who makes the group that the pod's is in limits that one.
    ...(parent === undefined ? podLimits(linux) : { cgroupParent: parent }),
    ...(runtime !== undefined && { runtime }),
    extensions: { [extensionName]: PodBook.write(config, handler) },
  };
}

/** Two sandboxes of the same metadata can't be, as two pods of the same name can't. */
function podName(metadata: PodSandboxMetadata | undefined): string {
  if (metadata === undefined) return refuse(action, "config.metadata", "is missing");
  const { name, namespace, uid, attempt } = metadata;
  for (const [field, value] of Object.entries({ name, namespace, uid }))
    if (value === "") refuse(action, `config.metadata.${field}`, "is missing");
  const whole = `${name}_${namespace}_${uid}_${attempt}`;
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,127}$/.test(whole)) return whole;
  return `pod_${createHash("sha256")
    .update(JSON.stringify([name, namespace, uid, attempt]))
    .digest("hex")}`;
}

function checkHostname(name: string): void {
  if (!/^[a-zA-Z0-9._-]{0,64}$/.test(name))
    refuse(action, "config.hostname", `${JSON.stringify(name.slice(0, 80))} is no host name of at most 64 characters`);
}

function checkDirectory(path: string): void {
  if (path === "") return;
  const parts = path.split("/");
  if (!path.startsWith("/") || parts.includes("..") || path.includes("\0") || path.length > 4096)
    refuse(action, "config.log_directory", `${JSON.stringify(path.slice(0, 80))} is not an absolute, plain path`);
}

const publishedPorts = ({ portMappings }: PodSandboxConfig): Partial<PodOptions> => {
  const publish = published(portMappings);
  return publish.length === 0 ? {} : { publish };
};

/** With the host's network every port is the host's already. */
function checkedPorts({ portMappings }: PodSandboxConfig): Partial<PodOptions> {
  published(portMappings);
  return {};
}

/** What containers of the pod share, and what they have of the host. */
function namespaceOptions(linux: LinuxPodSandboxConfig | undefined) {
  const options = linux?.securityContext?.namespaceOptions;
  const { network, ipc } = {
    network: mode(options, "network", [NamespaceMode.POD, NamespaceMode.NODE]),
    ipc: mode(options, "ipc", [NamespaceMode.POD, NamespaceMode.NODE]),
  };
  const pid = mode(options, "pid", [NamespaceMode.POD, NamespaceMode.CONTAINER, NamespaceMode.NODE]);
  const share = ["net", "ipc", "uts", ...(pid === NamespaceMode.POD ? ["pid"] : [])] as NonNullable<
    PodOptions["share"]
  >;
  return {
    share,
    ...(network === NamespaceMode.NODE && { network: "host" as const }),
    ...(pid === NamespaceMode.NODE && { pid: "host" as const }),
    ...(ipc === NamespaceMode.NODE && { ipc: "host" as const }),
  };
}

function mode(
  options: NamespaceOption | undefined,
  kind: "network" | "pid" | "ipc",
  known: readonly NamespaceMode[],
): NamespaceMode {
  const given = options?.[kind] ?? NamespaceMode.POD;
  if (known.includes(given)) return given;
  const names = known.map((one) => enumName(NamespaceModeSchema, one)).join(", ");
  return refuse(
    action,
    `config.linux.security_context.namespace_options.${kind}`,
    `is ${enumName(NamespaceModeSchema, given)}, and not one of ${names}`,
  );
}
