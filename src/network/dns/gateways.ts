import type { EndpointRecord, NetworkRecord } from "../records.ts";

/** Addresses that names are answered at: the gateways of bridges with somebody on them, in one order for all. */
export function gatewaysInUse(
  networks: readonly NetworkRecord[],
  endpoints: readonly Pick<EndpointRecord, "network">[],
): string[] {
  const used = new Set(endpoints.map(({ network }) => network));
  return networks
    .filter(({ name, driver }) => driver === "bridge" && used.has(name))
    .flatMap(({ subnets }) => subnets.map(({ gateway }) => gateway))
    .sort();
}
