/** Ports of the host for a CNI network's plugin: nobody else has them, whatever their networks are made by. */
import { randomInt } from "node:crypto";
import type { Executor } from "#keel";
import type { PortRequest } from "../ports/parse.ts";
import { hostListeners } from "../ports/listeners.ts";
import { publishPorts } from "../ports/publish.ts";
import type { PublishedPort } from "../records.ts";
import type { NetworkStore } from "../store.ts";
import type { CniPortMapping } from "./capabilities.ts";

/** Under which ports of a CNI network are written down, beside those of our own ones. */
const prefix = "cni:";
const portOwner = (network: string): string => prefix + network;
export const isCniOwner = (owner: string): boolean => owner.startsWith(prefix);

/** What the container's address will be is not known before its plugins have answered. */
const anyAddress = ["0.0.0.0/0", "::/0"];

export interface PortContext {
  readonly store: NetworkStore;
  readonly executor: Executor;
  readonly isAlive: (container: string) => boolean;
}

/**
 * Takes ports of the host, in place of those that the container had.
 *
 * @returns them, `0.0.0.0` and `::` both for one that is on all addresses
 * @throws SampanError `already-exists` naming who has one
 */
export async function takeCniPorts(
  { store, executor, isAlive }: PortContext,
  network: string,
  container: string,
  requests: readonly PortRequest[],
): Promise<readonly PublishedPort[]> {
  if (requests.length === 0) return [];
  const listeners = await hostListeners(executor, requests);
  return store.transaction(() => {
    store.deleteEndpoint(portOwner(network), container);
    const evict = (owner: string, holder: string): boolean => {
      if (isAlive(holder)) return false;
      store.deleteEndpoint(owner, holder);
      return true;
    };
    const random = (first: number, last: number): number => randomInt(first, last + 1);
    return publishPorts({ store, listeners, random, evict }, portOwner(network), container, anyAddress, requests);
  });
}

/** As plugins take them: one for both families where it is on all addresses. */
export function portMappings(ports: readonly PublishedPort[]): readonly CniPortMapping[] {
  const isAll = (address: string): boolean => address === "0.0.0.0" || address === "::";
  const mappings = ports.map(({ hostPort, port, protocol, hostAddress }): CniPortMapping => ({
    hostPort,
    containerPort: port,
    protocol,
    ...(isAll(hostAddress) ? {} : { hostIP: hostAddress }),
  }));
  return [...new Map(mappings.map((mapping) => [JSON.stringify(mapping), mapping])).values()];
}
