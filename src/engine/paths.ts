/** Where the engine keeps things on disk. */
import { join, resolve } from "node:path";

export interface EnginePaths {
  /** Images and containers; survives a reboot. */
  readonly root: string;
  /** State of running containers; does not. */
  readonly state: string;
  readonly database: string;
  readonly containers: string;
  readonly volumes: string;
  readonly cache: string;
}

const defaultRoot = "/var/lib/sampan";
const defaultState = "/run/sampan";

/** `SAMPAN_ROOT` and `SAMPAN_STATE` stand in for what is not given. */
export function enginePaths(root: string | undefined, state: string | undefined): EnginePaths {
  const base = resolve(root ?? (process.env["SAMPAN_ROOT"] || defaultRoot));
  return {
    root: base,
    state: join(resolve(state ?? (process.env["SAMPAN_STATE"] || defaultState)), "containers"),
    database: join(base, "metadata.db"),
    containers: join(base, "containers"),
    volumes: join(base, "volumes"),
    cache: join(base, "cache"),
  };
}

/** Path of the containers' cgroups in each hierarchy; `SAMPAN_CGROUP_PARENT` stands in for the default. */
export function cgroupParent(given: string | undefined): string {
  return given ?? (process.env["SAMPAN_CGROUP_PARENT"] || "/sampan");
}
