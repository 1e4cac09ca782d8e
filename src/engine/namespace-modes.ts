/** Which namespaces a container has for itself, which it joins, and which it does without, so that it shares the host's. */
import { failedPrecondition, invalidArgument } from "#errdefs";
import { defaultNamespaces } from "#plan";
import type { NamespaceConfig, NamespaceType } from "#spec";
import type { EngineCore } from "./core.ts";
import { networkMode } from "./network/mode.ts";
import type { ContainerOptions } from "./options.ts";
import type { ContainerRecord } from "./records.ts";

const containerPrefix = "container:";

type PidMode =
  | { readonly kind: "private" | "host" }
  /** Another container's, by name or id. */
  | { readonly kind: "container"; readonly container: string };

/** @throws SampanError `invalid-argument` */
function pidMode({ pid = "private" }: Pick<ContainerOptions, "pid">): PidMode {
  if (pid === "private" || pid === "host") return { kind: pid };
  const container = pid.startsWith(containerPrefix) ? pid.slice(containerPrefix.length) : "";
  if (container === "") throw invalidArgument(`Cannot use pid "${pid}": it is private, host or container:NAME-OR-ID`);
  return { kind: "container", container };
}

function isHost(name: "ipc" | "uts", mode: string | undefined): boolean {
  if (mode === undefined || mode === "private") return false;
  if (mode === "host") return true;
  throw invalidArgument(`Cannot use ${name} "${mode}": it is private or host`);
}

export const sharesHostIpc = ({ ipc }: Pick<ContainerOptions, "ipc">): boolean => isHost("ipc", ipc);

/**
 * @param joined files of the namespaces of other containers that are joined
 */
export function containerNamespaces(
  options: ContainerOptions,
  joined: { readonly network: string | undefined; readonly pid: string | undefined },
): NamespaceConfig[] {
  const pid = pidMode(options);
  const network = networkMode(options);
  const hosts = new Set<NamespaceType>();
  if (pid.kind === "host") hosts.add("pid");
  if (sharesHostIpc(options)) hosts.add("ipc");
  if (isHost("uts", options.uts)) hosts.add("uts");
  if (network.kind === "host") hosts.add("network");
  return defaultNamespaces
    .filter(({ type }) => !hosts.has(type))
    .map((namespace) => {
      if (namespace.type === "pid" && pid.kind === "container") return { type: "pid", path: joined.pid };
      if (namespace.type === "network" && (network.kind === "container" || network.kind === "cni"))
        return { type: "network", path: joined.network };
      return namespace;
    });
}

/** File of the PID namespace that a container joins; undefined while its target does not run. */
export function joinedPidNamespace({ records, runtime }: EngineCore, options: ContainerOptions): string | undefined {
  const mode = pidMode(options);
  if (mode.kind !== "container") return undefined;
  const state = runtime.state(records.find(mode.container).id);
  return state.status === "running" || state.status === "created" ? `/proc/${state.pid}/ns/pid` : undefined;
}

/** @throws SampanError `failed-precondition` when the container whose processes are to be shared does not run */
export function checkPidTarget(core: EngineCore, { name, options }: ContainerRecord): void {
  const mode = pidMode(options);
  if (mode.kind === "container" && joinedPidNamespace(core, options) === undefined)
    throw failedPrecondition(
      `Cannot start container "${name}": container "${mode.container}", whose processes it is to see, is not running`,
    );
}
