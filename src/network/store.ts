import type { Family } from "./address/text.ts";
import type { TransportProtocol } from "./firewall/keys.ts";
import type { EndpointRecord, NetworkRecord, PublishedPort } from "./records.ts";

/** Somebody's port of the host. */
export interface TakenPort {
  readonly hostAddress: string;
  readonly network: string;
  readonly container: string;
}

/**
 * Where networks, and who is on them, are kept. All calls are synchronous and durable when they return; several processes
 * may use one store.
 *
 * An endpoint is what a container has on a network: its record, its addresses and its ports. It is written before the
 * kernel is told anything and deleted after the kernel has nothing of it, so that a crash leaves at worst an endpoint whose
 * container is gone.
 */
export interface NetworkStore {
  /** Runs `action` alone among all processes; undone as a whole when it throws. One within another is part of it. */
  transaction<T>(action: () => T): T;

  networks(): readonly NetworkRecord[];
  network(name: string): NetworkRecord | undefined;
  /** Adds a network. */
  saveNetwork(record: NetworkRecord): void;
  /** Also what was remembered for it; it must have no endpoints. */
  deleteNetwork(name: string): void;

  /** All, or those of a network or a container. */
  endpoints(of?: { readonly network?: string; readonly container?: string }): readonly EndpointRecord[];
  saveEndpoint(record: EndpointRecord): void;
  /** With its addresses and ports. Idempotent. */
  deleteEndpoint(network: string, container: string): void;

  /**
   * Takes all but the addresses from an endpoint, which {@link NetworkStore.endpoints} does not list any more: its container
   * is gone, and its interface may be there for a while.
   */
  leave(network: string, container: string): void;
  /** Those that have left. */
  departed(): readonly EndpointRecord[];

  /** Gives an address of a network to a container. False when one has it, this one too. */
  takeAddress(network: string, address: string, container: string): boolean;
  /** Who has an address of a network. */
  addressHolder(network: string, address: string): string | undefined;
  /** The address that was given last, and is to be given again as late as possible. */
  lastAddress(network: string, family: Family): string | undefined;
  setLastAddress(network: string, family: Family, address: string): void;

  /** Who has this port, on whatever addresses. */
  portHolders(protocol: TransportProtocol, hostPort: number): readonly TakenPort[];
  /** The caller has looked at {@link NetworkStore.portHolders}, in the same transaction. */
  takePort(network: string, container: string, port: PublishedPort): void;
  dropPort(port: PublishedPort): void;
}
