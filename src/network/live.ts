import type { EndpointRecord, NetworkRecord } from "./records.ts";
import type { NetworkStore } from "./store.ts";

/** The store, and which of its containers run: the others only have their addresses kept, and nothing in the kernel. */
export interface LiveStore {
  readonly store: NetworkStore;
  /** Whether a container runs, or somebody is about to start it. */
  readonly isAlive: (container: string) => boolean;
}

/** Who is on networks in the kernel. */
function liveEndpoints({ store, isAlive }: LiveStore): EndpointRecord[] {
  return store.endpoints().filter((endpoint) => isAlive(endpoint.container));
}

/** Networks with somebody on them, which the kernel has to know, and who that is. */
export function inUse(live: LiveStore): readonly [networks: NetworkRecord[], endpoints: EndpointRecord[]] {
  const endpoints = liveEndpoints(live);
  const names = new Set(endpoints.map((endpoint) => endpoint.network));
  return [live.store.networks().filter((network) => names.has(network.name)), endpoints];
}
