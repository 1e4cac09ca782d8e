/** Where the engine keeps things on disk. */
import { join, resolve } from "node:path";
import { defaultNamespace } from "#images";

export interface EnginePaths {
  /** Images and containers; survives a reboot. */
  readonly root: string;
  /** State of running containers; does not. */
  readonly state: string;
  /** Book of the namespace: its containers, volumes and networks; the default one's is the shared database. */
  readonly database: string;
  /** Images of all namespaces. */
  readonly shared: string;
  readonly namespace: string;
  readonly containers: string;
  readonly volumes: string;
  readonly cache: string;
}

const defaultRoot = "/var/lib/sampan";
const defaultState = "/run/sampan";

/** `SAMPAN_ROOT` and `SAMPAN_STATE` stand in for what is not given. */
export function enginePaths(
  root: string | undefined,
  state: string | undefined,
  namespace: string = defaultNamespace,
): EnginePaths {
  const base = resolve(root ?? (process.env["SAMPAN_ROOT"] || defaultRoot));
  const own = namespace === defaultNamespace ? base : join(base, "namespaces", namespace);
  return {
    root: base,
    state: join(resolve(state ?? (process.env["SAMPAN_STATE"] || defaultState)), "containers"),
    database: join(own, "metadata.db"),
    shared: join(base, "metadata.db"),
    namespace,
    containers: join(base, "containers"),
    volumes: join(own, "volumes"),
    cache: join(base, "cache"),
  };
}

/** `SAMPAN_NAMESPACE` stands in for what is not given. */
export function namespaceName(given: string | undefined): string {
  return given ?? (process.env["SAMPAN_NAMESPACE"] || defaultNamespace);
}

/** Path of the containers' cgroups in each hierarchy; `SAMPAN_CGROUP_PARENT` stands in for the default. */
export function cgroupParent(given: string | undefined): string {
  return given ?? (process.env["SAMPAN_CGROUP_PARENT"] || "/sampan");
}
