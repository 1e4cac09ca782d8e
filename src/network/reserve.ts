/** Writes down what a container will have on its networks: addresses, names and ports that nobody else has. */
import { randomInt } from "node:crypto";
import { alreadyExists, invalidArgument, notFound } from "#errdefs";
import { allocateAddresses } from "./address/allocate.ts";
import { macToBytes } from "./address/text.ts";
import { isCniOwner } from "./cni/ports.ts";
import { hostInterfaceName, macFor } from "./bridge/names.ts";
import type { EgressPolicy } from "./egress/policy.ts";
import type { PortRequest } from "./ports/parse.ts";
import type { Listeners } from "./ports/listeners.ts";
import { publishPorts } from "./ports/publish.ts";
import type { EndpointRecord, NetworkRecord } from "./records.ts";
import type { NetworkStore } from "./store.ts";

export interface AttachOptions {
  readonly network: string;
  /** Names by which the network's other containers know it; the first is its host name. */
  readonly names?: readonly string[];
  /** Fixed addresses, at most one of a family. */
  readonly addresses?: readonly string[];
  readonly mac?: string;
  /** Name of the interface in the container, `eth0`, `eth1` … by default. */
  readonly interface?: string;
  readonly ports?: readonly PortRequest[];
  /** Name servers that are asked for what is not of this host; the host's when missing. */
  readonly nameServers?: readonly string[];
  /** What it may reach; anything when missing. Only on a bridge. */
  readonly egress?: EgressPolicy;
}

export interface ReserveContext {
  readonly store: NetworkStore;
  readonly isAlive: (container: string) => boolean;
  readonly listeners: Listeners;
}

/** What was written down, and what was taken from containers that do not run: it is still to be removed from the kernel. */
export interface Reservation {
  readonly endpoints: readonly EndpointRecord[];
  readonly evicted: readonly EndpointRecord[];
}

/** The first of `make(0)`, `make(1)` … that is not taken. */
function firstFree<T>(make: (n: number) => T, taken: readonly T[]): T {
  for (let n = 0; ; n += 1) {
    const value = make(n);
    if (!taken.includes(value)) return value;
  }
}

/** At most this many bytes, neither `.` nor `..`, no space and no slash (net/core/dev.c, dev_valid_name). */
function checkInterface(name: string): string {
  if (!/^[^\s/:]{1,15}$/.test(name) || name === "." || name === ".." || name === "lo" || name.includes("%"))
    throw invalidArgument(
      `Cannot name an interface "${name}": it is 1 to 15 characters without spaces, "/", ":" and "%"`,
    );
  return name;
}

const shortId = (container: string): string => container.slice(0, 12);

function networkOf(store: NetworkStore, name: string): NetworkRecord {
  const network = store.network(name);
  if (network === undefined) throw notFound(`Cannot find network "${name}": it does not exist`);
  return network;
}

/** Takes what is wanted from containers that do not run. */
export function evictor(
  { store, isAlive }: ReserveContext,
  container: string,
): {
  readonly evict: (network: string, holder?: string) => boolean;
  readonly drop: (endpoint: EndpointRecord) => void;
  readonly evicted: readonly EndpointRecord[];
} {
  const evicted: EndpointRecord[] = [];
  const drop = (endpoint: EndpointRecord): void => {
    store.deleteEndpoint(endpoint.network, endpoint.container);
    evicted.push(endpoint);
  };
  const evict = (network: string, holder?: string): boolean => {
    // Plugins' ports have no endpoint of ours; what its plugins have made goes at the container's end.
    if (isCniOwner(network)) {
      if (holder === undefined || isAlive(holder)) return false;
      store.deleteEndpoint(network, holder);
      return true;
    }
    const ended = store.endpoints({ network }).filter((endpoint) => !isAlive(endpoint.container));
    const dead = [...ended, ...store.departed().filter((endpoint) => endpoint.network === network)].filter(
      (endpoint) => endpoint.container !== container && (holder ?? endpoint.container) === endpoint.container,
    );
    for (const endpoint of dead) drop(endpoint);
    return dead.length > 0;
  };
  return { evict, drop, evicted };
}

/**
 * All of it, or nothing when it throws.
 *
 * @param again the container is started anew: what it had before is replaced, and given to it again where that is free;
 *   otherwise the networks come to those that it is on
 */
export function reserve(
  context: ReserveContext,
  container: string,
  attachments: readonly AttachOptions[],
  again: boolean,
): Reservation {
  const { store, listeners } = context;
  return store.transaction(() => {
    const { evict, evicted, drop } = evictor(context, container);
    const before = store.endpoints({ container });
    if (again) for (const endpoint of before) drop(endpoint);
    const endpoints: EndpointRecord[] = [];
    for (const options of attachments) {
      const network = networkOf(store, options.network);
      const others = again ? endpoints : store.endpoints({ container });
      if (others.some((endpoint) => endpoint.network === network.name))
        throw alreadyExists(
          `Cannot connect container "${shortId(container)}" to network "${network.name}": it is on it`,
        );
      const previous = before.find((endpoint) => endpoint.network === network.name);
      const kept = previous === undefined ? {} : { previous: previous.addresses };
      const addresses = allocateAddresses(store, network, container, options.addresses ?? [], { ...kept, evict });
      if (options.mac !== undefined) macToBytes(options.mac);
      const name =
        options.interface === undefined
          ? firstFree(
              (n) => `eth${n}`,
              others.map((other) => other.interface),
            )
          : checkInterface(options.interface);
      if (others.some((other) => other.interface === name))
        throw alreadyExists(`Cannot name an interface "${name}": the container has one of this name`);
      const publisher = {
        store,
        listeners,
        evict,
        random: (first: number, last: number) => randomInt(first, last + 1),
        ...(previous === undefined ? {} : { previous: previous.ports }),
      };
      const endpoint: EndpointRecord = {
        network: network.name,
        container,
        interface: name,
        // The first interface of a namespace, lo, has index 1.
        index: firstFree(
          (n) => n + 2,
          others.map((other) => other.index),
        ),
        hostInterface: network.driver === "bridge" ? hostInterfaceName(network.name, container) : "",
        mac: options.mac ?? macFor(container, addresses),
        addresses,
        isWayOut: !network.internal && !others.some((other) => other.isWayOut),
        aliases: options.names ?? [],
        ...(options.nameServers === undefined ? {} : { nameServers: options.nameServers }),
        ...(options.egress === undefined ? {} : { egress: options.egress }),
        ports: publishPorts(publisher, network.name, container, addresses, options.ports ?? []),
      };
      store.saveEndpoint(endpoint);
      endpoints.push(endpoint);
    }
    return { endpoints, evicted };
  });
}
