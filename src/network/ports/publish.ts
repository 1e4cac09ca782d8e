/** Decides which ports of the host lead to a container, and sees that nobody else has them. */
import { alreadyExists, failedPrecondition, resourceExhausted } from "#errdefs";
import { familyOf, type Family } from "../address/text.ts";
import type { TransportProtocol } from "../firewall/keys.ts";
import type { PublishedPort } from "../records.ts";
import type { NetworkStore } from "../store.ts";
import type { Listener, Listeners } from "./listeners.ts";
import type { PortRequest } from "./parse.ts";

/** Ports that are for anybody's use (RFC 6335). */
const dynamic = [49_152, 65_535] as const;
const randomAttempts = 1000;

const all: Readonly<Record<Family, string>> = { 4: "0.0.0.0", 6: "::" };
const isAll = (address: string): boolean => address === all[4] || address === all[6];

/** Whether a packet can be for both. */
const collide = (a: string, b: string): boolean => familyOf(a) === familyOf(b) && (a === b || isAll(a) || isAll(b));

export interface Publisher {
  readonly store: NetworkStore;
  readonly listeners: Listeners;
  /** A number from `first` to `last`. */
  readonly random: (first: number, last: number) => number;
  /** Ports that it had before: where one of any port of the host was asked for, it gets the same again. */
  readonly previous?: readonly PublishedPort[];
  /** Takes all away from a container that does not run. False if it runs. */
  readonly evict?: (network: string, container: string) => boolean;
}

/** Who is in the way, in words. */
function holder(
  { store, listeners, evict }: Publisher,
  protocol: TransportProtocol,
  addresses: readonly string[],
  port: number,
): string | undefined {
  const taken = store
    .portHolders(protocol, port)
    .find((t) => addresses.some((a) => collide(a, t.hostAddress)) && evict?.(t.network, t.container) !== true);
  if (taken !== undefined) return `container ${taken.container.slice(0, 12)} has it`;
  const own = (listener: Listener): boolean =>
    listener.port === port &&
    addresses.some((a) => collide(a, listener.address) || (listener.both && familyOf(a) === 4));
  return listeners[protocol]?.some(own) === true ? "a program of the host listens on it" : undefined;
}

function choose(publisher: Publisher, request: PortRequest, addresses: readonly string[]): number {
  const { protocol, hostPorts } = request;
  if (hostPorts === undefined) {
    const before = publisher.previous?.find((old) => old.protocol === protocol && old.port === request.port);
    if (before !== undefined && holder(publisher, protocol, addresses, before.hostPort) === undefined)
      return before.hostPort;
    for (let attempt = 0; attempt < randomAttempts; attempt += 1) {
      const port = publisher.random(...dynamic);
      if (holder(publisher, protocol, addresses, port) === undefined) return port;
    }
    throw resourceExhausted(`Cannot publish port ${request.port}/${protocol}: no port of the host is free`);
  }
  const [first, last] = hostPorts;
  let reason = "";
  for (let port = first; port <= last; port += 1) {
    const who = holder(publisher, protocol, addresses, port);
    if (who === undefined) return port;
    reason = who;
  }
  const where = request.hostAddress === undefined ? "" : `${request.hostAddress}:`;
  if (first === last) throw alreadyExists(`Cannot publish port "${where}${first}/${protocol}": ${reason}`);
  throw alreadyExists(`Cannot publish ports "${where}${first}-${last}/${protocol}": none of them is free`);
}

/** The host's addresses to take it on, each with the container's address that packets for it go to. */
function targets(request: PortRequest, addresses: readonly string[]): readonly (readonly [string, string])[] {
  const plain = addresses.map((address) => address.replace(/\/\d+$/, ""));
  const { hostAddress, port, protocol } = request;
  if (hostAddress === undefined) return plain.map((address) => [all[familyOf(address)], address]);
  const family = familyOf(hostAddress);
  // What is passed on to it need not be of the same family.
  const isPassedOn = hostAddress === "::1" && protocol !== "sctp";
  const address = plain.find((candidate) => familyOf(candidate) === family) ?? (isPassedOn ? plain[0] : undefined);
  if (address === undefined)
    throw failedPrecondition(`Cannot publish port ${port} on "${hostAddress}": the network has no IPv${family} subnet`);
  return [[hostAddress, address]];
}

/**
 * Takes the ports, in a transaction of the caller. A request without an address takes the same port of both families.
 *
 * @param addresses the container's, with their prefix lengths
 * @throws SampanError `already-exists` naming who has a port
 */
export function publishPorts(
  publisher: Publisher,
  network: string,
  container: string,
  addresses: readonly string[],
  requests: readonly PortRequest[],
): PublishedPort[] {
  return requests.flatMap((request) => {
    const { protocol, port } = request;
    const pairs = targets(request, addresses);
    const hostPort = choose(
      publisher,
      request,
      pairs.map(([host]) => host),
    );
    return pairs.map(([hostAddress, address]) => {
      const published = { protocol, hostAddress, hostPort, address, port };
      publisher.store.takePort(network, container, published);
      return published;
    });
  });
}
