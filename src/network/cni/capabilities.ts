/** What a container asks of its network, as plugins take it in `runtimeConfig` (CNI's CONVENTIONS, "Dynamic plugin specific fields"). */
import type { JsonObject } from "./reader.ts";
import type { CniPlugin } from "./configuration.ts";

export interface CniPortMapping {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: string;
  /** All of the host's addresses when missing. */
  readonly hostIP?: string;
}

/** Rates in bits a second, bursts in bits; 0 is no limit. */
export interface CniBandwidth {
  readonly ingressRate?: number;
  readonly ingressBurst?: number;
  readonly egressRate?: number;
  readonly egressBurst?: number;
}

export interface CniIpRange {
  /** E.g. `10.1.0.0/16`. */
  readonly subnet: string;
  readonly rangeStart?: string;
  readonly rangeEnd?: string;
  readonly gateway?: string;
}

/** By the names of capabilities. What is missing was not asked for. */
export interface CniWishes {
  readonly portMappings?: readonly CniPortMapping[];
  readonly bandwidth?: CniBandwidth;
  readonly ipRanges?: readonly (readonly CniIpRange[])[];
  readonly dns?: {
    readonly servers?: readonly string[];
    readonly searches?: readonly string[];
    readonly options?: readonly string[];
  };
  /** With the length of the network's prefix, where it is known. */
  readonly ips?: readonly string[];
  readonly mac?: string;
  readonly aliases?: readonly string[];
  readonly cgroupPath?: string;
}

/** The `runtimeConfig` of one plugin: of the wishes those that it takes. Undefined when it takes none. */
export function runtimeConfigOf(plugin: CniPlugin, wishes: CniWishes): JsonObject | undefined {
  const taken = Object.entries(wishes).filter(([name]) => plugin.capabilities.includes(name));
  return taken.length === 0 ? undefined : Object.fromEntries(taken);
}

/** Those of the names that no plugin takes. */
export const untaken = (plugins: readonly CniPlugin[], names: readonly (keyof CniWishes)[]): readonly string[] =>
  names.filter((name) => !plugins.some(({ capabilities }) => capabilities.includes(name)));
