import type { EndpointRecord, NetworkRecord } from "../records.ts";

/** Addresses that names are answered at: the gateways of networks with somebody on them, in one order for all. */
export function gatewaysInUse(networks: readonly NetworkRecord[], endpoints: readonly EndpointRecord[]): string[] {
  const used = new Set(endpoints.map(({ network }) => network));
  return networks
    .filter(({ name }) => used.has(name))
    .flatMap(({ subnets }) => subnets.map(({ gateway }) => gateway))
    .sort();
}
