/** Where CNI's configurations and plugins are, and what a container asks of them. */
import { resolve } from "node:path";
import type { CniBandwidth, CniIpRange } from "#network";

export interface CniSettings {
  /** Directory of configurations; `SAMPAN_CNI_CONFIG` or /etc/cni/net.d by default. */
  readonly configurations?: string;
  /** Directories of plugins; those of `CNI_PATH`, or /opt/cni/bin and /usr/lib/cni by default. */
  readonly plugins?: readonly string[];
  /** Seconds that one call of a plugin may take, 60 by default. */
  readonly timeout?: number;
}

/** Of a container or pod whose network is CNI's. */
export interface CniContainerOptions {
  /** Arguments for plugins (CNI_ARGS), such as `K8S_POD_NAME`. */
  readonly args?: Readonly<Record<string, string>>;
  /** For the capability `bandwidth`, where a plugin has it. */
  readonly bandwidth?: CniBandwidth;
  /** For the capability `ipRanges`: an address is given from each. */
  readonly ipRanges?: readonly CniIpRange[];
  /** As `publish`, for the capability `portMappings` where a plugin has it; what is in `publish` must be published. */
  readonly ports?: readonly string[];
}

export interface CniPaths {
  readonly configurations: string;
  readonly plugins: readonly string[];
  /** Milliseconds. */
  readonly timeout: number;
}

export function cniPaths(given: CniSettings = {}): CniPaths {
  const fromPath = (process.env["CNI_PATH"] ?? "").split(":").filter((directory) => directory !== "");
  return {
    configurations: resolve(given.configurations ?? (process.env["SAMPAN_CNI_CONFIG"] || "/etc/cni/net.d")),
    plugins:
      given.plugins ?? (fromPath.length > 0 ? fromPath.map((path) => resolve(path)) : ["/opt/cni/bin", "/usr/lib/cni"]),
    timeout: (given.timeout ?? 60) * 1000,
  };
}
