/** Ports of containers that are on their networks already. */
import { randomInt } from "node:crypto";
import { failedPrecondition } from "#errdefs";
import { familyOf } from "../address/text.ts";
import type { EndpointRecord, NetworkRecord, PublishedPort } from "../records.ts";
import { evictor, type ReserveContext } from "../reserve.ts";
import type { NetworkStore } from "../store.ts";
import type { PortRequest } from "./parse.ts";
import { publishPorts } from "./publish.ts";

const isSame = (a: PublishedPort, b: PublishedPort): boolean =>
  a.protocol === b.protocol && a.hostPort === b.hostPort && a.hostAddress === b.hostAddress;

/** Whether packets for the host can be led to a network's containers. */
export const canPublish = (network: NetworkRecord | undefined): boolean =>
  network !== undefined && network.driver === "bridge" && !network.internal;

export const noPublisher = "it is on no network of driver bridge with a way out";

/** Writes further ports of a container down. All of them, or none when it throws. */
export function addPorts(
  context: ReserveContext,
  container: string,
  requests: readonly PortRequest[],
): { readonly added: readonly PublishedPort[]; readonly evicted: readonly EndpointRecord[] } {
  const { store, listeners } = context;
  return store.transaction(() => {
    const endpoint = store
      .endpoints({ container })
      .filter(({ network }) => canPublish(store.network(network)))
      .sort((a, b) => a.index - b.index)[0];
    if (endpoint === undefined)
      throw failedPrecondition(`Cannot publish ports of container "${container.slice(0, 12)}": ${noPublisher}`);
    const { evict, evicted } = evictor(context, container);
    const publisher = {
      store,
      listeners,
      evict,
      random: (first: number, last: number) => randomInt(first, last + 1),
    };
    const added = publishPorts(publisher, endpoint.network, container, endpoint.addresses, requests);
    store.saveEndpoint({ ...endpoint, ports: [...endpoint.ports, ...added] });
    return { added, evicted };
  });
}

export function dropPorts(store: NetworkStore, container: string, ports: readonly PublishedPort[]): void {
  store.transaction(() => {
    for (const endpoint of store.endpoints({ container })) {
      const kept = endpoint.ports.filter((port) => !ports.some((other) => isSame(port, other)));
      if (kept.length < endpoint.ports.length) store.saveEndpoint({ ...endpoint, ports: kept });
    }
    for (const port of ports) store.dropPort(port);
  });
}

/** Requests that give the same ports again: one for both families where they were taken for both. */
export function requestsOf(ports: readonly PublishedPort[]): PortRequest[] {
  const requests = new Map<string, PortRequest>();
  for (const { protocol, hostAddress, hostPort, port } of ports) {
    const all = hostAddress === "0.0.0.0" || hostAddress === "::";
    const key = [protocol, all ? "" : `${familyOf(hostAddress)} ${hostAddress}`, hostPort, port].join(" ");
    requests.set(key, { protocol, hostPorts: [hostPort, hostPort], port, ...(all ? {} : { hostAddress }) });
  }
  return [...requests.values()];
}
