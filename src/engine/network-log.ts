/**
 * Networks and who is on them, once more, beside the database: a network cannot be found on disk, and a container that runs
 * goes on using its addresses and ports.
 *
 *     {"network":"web","record":{…}}                      {"network":"web"}                      it was removed
 *     {"network":"web","container":"…","record":{…}}      {"network":"web","container":"…"}      it has left
 */
import { logChange, readChanges } from "#images";
import type { EndpointRecord, NetworkRecord } from "#network";

export interface NetworkChange {
  readonly network: string;
  /** Missing where it is about the network itself. */
  readonly container?: string;
  /** Missing when it is no more. */
  readonly record?: NetworkRecord | EndpointRecord;
}

const pathOf = (database: string): string => `${database}-networks`;

/** Called in the transaction that makes the change. */
export function logNetworkChange(database: string, change: NetworkChange, all: () => Iterable<NetworkChange>): void {
  logChange(pathOf(database), change, all);
}

/** What the log says. It was written here: only what a crash may have left is looked for. */
export function readNetworks(database: string): {
  readonly networks: readonly NetworkRecord[];
  readonly endpoints: readonly EndpointRecord[];
} {
  const networks = new Map<string, NetworkRecord>();
  const endpoints = new Map<string, EndpointRecord>();
  for (const { network, container, record } of readChanges(pathOf(database))) {
    if (typeof network !== "string") continue;
    const isEndpoint = typeof container === "string";
    const key = isEndpoint ? `${network}\0${container}` : network;
    if (typeof record !== "object" || record === null) (isEndpoint ? endpoints : networks).delete(key);
    else if (isEndpoint) endpoints.set(key, record as EndpointRecord);
    else networks.set(key, record as NetworkRecord);
  }
  return { networks: [...networks.values()], endpoints: [...endpoints.values()] };
}
