/** Sampan's own networks: bridges of the host with addresses, a way out, and published ports. */
import { randomBytes, randomInt } from "node:crypto";
import { alreadyExists, failedPrecondition, isSampanError, notFound } from "#errdefs";
import type { Executor } from "#keel";
import { allocateAddresses } from "./address/allocate.ts";
import { macToBytes } from "./address/text.ts";
import { completeNetwork, type CreateNetworkOptions } from "./bridge/create.ts";
import { readHostNetwork } from "./bridge/host-state.ts";
import { mayBeRepaired, removeQuietly, repair, replaceTable, restore } from "./bridge/kernel.ts";
import { defaultNetwork, hostInterfaceName, macFor } from "./bridge/names.ts";
import { attachOperations, detachOperations, removeBridge } from "./bridge/operations.ts";
import { listeners, type Listener } from "./ports/listeners.ts";
import type { PortRequest } from "./ports/parse.ts";
import { publishPorts, type Listeners } from "./ports/publish.ts";
import type { EndpointRecord, NetworkRecord, PublishedPort } from "./records.ts";
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
}

/** A line of /etc/hosts. */
export interface HostsEntry {
  readonly address: string;
  readonly names: readonly string[];
}

/** What a container has on a network. */
export interface Attachment {
  readonly interfaces: readonly { readonly name: string; readonly mac: string; readonly mtu: number }[];
  /** With prefix length. */
  readonly addresses: readonly string[];
  /** Of each of the network's subnets. */
  readonly gateways: readonly string[];
  readonly ports: readonly PublishedPort[];
  /** Its own names first, then those of who is there already. */
  readonly hostsEntries: readonly HostsEntry[];
}

export interface NetworksOptions {
  readonly store: NetworkStore;
  readonly executor: Executor;
}

const entriesOf = ({ addresses, aliases }: EndpointRecord): HostsEntry[] =>
  aliases.length === 0 ? [] : addresses.map((address) => ({ address: address.replace(/\/\d+$/, ""), names: aliases }));

/** Somebody may remove again what was made. */
const connectAttempts = 3;

/** The first of `make(0)`, `make(1)` … that is not taken. */
function firstFree<T>(make: (n: number) => T, taken: readonly T[]): T {
  for (let n = 0; ; n += 1) {
    const value = make(n);
    if (!taken.includes(value)) return value;
  }
}

export class Networks {
  readonly #store: NetworkStore;
  readonly #executor: Executor;
  readonly #repairing = new Map<string, Promise<void>>();

  constructor({ store, executor }: NetworksOptions) {
    this.#store = store;
    this.#executor = executor;
  }

  list(): readonly NetworkRecord[] {
    return this.#store.networks();
  }

  /** Who is on a network. */
  endpoints(network: string): readonly EndpointRecord[] {
    return this.#store.endpoints({ network });
  }

  /**
   * By name. The default network, `bridge`, is made on first use.
   *
   * @throws SampanError `not-found`
   */
  async find(name: string): Promise<NetworkRecord> {
    const found = this.#store.network(name);
    if (found !== undefined) return found;
    if (name !== defaultNetwork) throw notFound(`Cannot find network "${name}": it does not exist`);
    return await this.create({ name }).catch((error: unknown) => {
      const made = isSampanError(error, "already-exists") ? this.#store.network(name) : undefined;
      if (made === undefined) throw error;
      return made;
    });
  }

  /**
   * Writes a network down; the host gets it when the first container is on it.
   *
   * @throws SampanError `already-exists`, `invalid-argument`, or `failed-precondition` for a subnet that is in use
   */
  async create(options: CreateNetworkOptions): Promise<NetworkRecord> {
    for (;;) {
      const before = this.#store.networks();
      const host = await readHostNetwork(this.#executor, before);
      const made = this.#store.transaction(() => {
        const now = this.#store.networks();
        if (now.some((network) => network.name === options.name))
          throw alreadyExists(`Cannot create network "${options.name}": there is one of this name`);
        // Another one was made since the host was looked at, and may have what this one would get.
        if (JSON.stringify(now) !== JSON.stringify(before)) return undefined;
        const record = completeNetwork(options, { ...host, now: Date.now(), random: (size) => randomBytes(size) });
        this.#store.saveNetwork(record);
        return record;
      });
      if (made !== undefined) return made;
    }
  }

  /**
   * Removes a network, and with the last one all that Sampan has in the host's network.
   *
   * @throws SampanError `not-found`, or `failed-precondition` while a container is on it
   */
  async remove(name: string): Promise<void> {
    const network = this.#store.transaction(() => {
      const found = this.#store.network(name);
      if (found === undefined) throw notFound(`Cannot find network "${name}": it does not exist`);
      const [first] = this.#store.endpoints({ network: name });
      if (first !== undefined)
        throw failedPrecondition(`Cannot remove network "${name}": container ${first.container.slice(0, 12)} is on it`);
      this.#store.deleteNetwork(name);
      return found;
    });
    await removeQuietly(this.#executor, [removeBridge(network)]);
    await replaceTable(this.#executor, this.#store);
  }

  /**
   * Connects a container to a network. Nothing is left after a failure.
   *
   * @param namespace file of the container's network namespace
   * @throws SampanError `already-exists` when it is on the network, or a port or an address is taken
   */
  async attach(container: string, namespace: string, options: AttachOptions): Promise<Attachment> {
    const network = await this.find(options.network);
    const taken = await this.#listeners(options.ports ?? []);
    const endpoint = this.#reserve(container, network.name, options, taken);
    try {
      await this.#connect(network, endpoint, namespace);
    } catch (error) {
      await this.#release(endpoint);
      throw error;
    }
    return this.#attachment(network, endpoint);
  }

  /** Disconnects a container from a network, or from all. Idempotent. */
  async detach(container: string, network?: string): Promise<void> {
    const of = network === undefined ? { container } : { container, network };
    for (const endpoint of this.#store.endpoints(of)) await this.#release(endpoint);
  }

  /** Brings the host to what is written down, e.g. after somebody has flushed its packet filter. */
  async reload(): Promise<void> {
    await restore(this.#executor, this.#store);
  }

  /**
   * Disconnects containers that are gone, as after a crash or a reboot, and removes what is left of them.
   *
   * @param isAlive whether a container still has its network
   */
  async recover(isAlive: (container: string) => boolean): Promise<void> {
    const gone = this.#store.endpoints().filter((endpoint) => !isAlive(endpoint.container));
    for (const endpoint of gone) await this.#release(endpoint);
  }

  async #listeners(ports: readonly PortRequest[]): Promise<Listeners> {
    const found: Partial<Record<PortRequest["protocol"], readonly Listener[]>> = {};
    for (const protocol of new Set(ports.map((port) => port.protocol)))
      found[protocol] = await listeners(this.#executor, protocol);
    return found;
  }

  /** Writes the endpoint with its addresses and ports down. */
  #reserve(container: string, name: string, options: AttachOptions, taken: Listeners): EndpointRecord {
    const store = this.#store;
    return store.transaction(() => {
      const network = store.network(name);
      if (network === undefined) throw notFound(`Cannot find network "${name}": it does not exist`);
      const others = store.endpoints({ container });
      if (others.some((endpoint) => endpoint.network === name))
        throw alreadyExists(`Cannot connect container "${container.slice(0, 12)}" to network "${name}": it is on it`);
      const addresses = allocateAddresses(store, network, container, options.addresses ?? []);
      if (options.mac !== undefined) macToBytes(options.mac);
      const publisher = {
        store,
        listeners: taken,
        random: (first: number, last: number) => randomInt(first, last + 1),
      };
      const endpoint: EndpointRecord = {
        network: name,
        container,
        interface:
          options.interface ??
          firstFree(
            (n) => `eth${n}`,
            others.map((other) => other.interface),
          ),
        // The first interface of a namespace, lo, has index 1.
        index: firstFree(
          (n) => n + 2,
          others.map((other) => other.index),
        ),
        hostInterface: hostInterfaceName(name, container),
        mac: options.mac ?? macFor(container, addresses),
        addresses,
        isWayOut: !network.internal && !others.some((other) => other.isWayOut),
        aliases: options.names ?? [],
        ports: publishPorts(publisher, name, container, addresses, options.ports ?? []),
      };
      store.saveEndpoint(endpoint);
      return endpoint;
    });
  }

  /** The host's side is made where it is found missing: mostly it is there. */
  async #connect(network: NetworkRecord, endpoint: EndpointRecord, namespace: string): Promise<void> {
    const operations = attachOperations(network, endpoint, namespace);
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#executor.execute(operations);
        return;
      } catch (error) {
        if (attempt === connectAttempts || !mayBeRepaired(error)) throw error;
        await removeQuietly(this.#executor, detachOperations(endpoint));
        await this.#repair(network);
      }
    }
  }

  /** Once for all that wait for it. */
  async #repair(network: NetworkRecord): Promise<void> {
    const repairing =
      this.#repairing.get(network.name) ??
      repair(this.#executor, this.#store, network).finally(() => this.#repairing.delete(network.name));
    this.#repairing.set(network.name, repairing);
    await repairing;
  }

  async #release(endpoint: EndpointRecord): Promise<void> {
    await removeQuietly(this.#executor, detachOperations(endpoint));
    this.#store.deleteEndpoint(endpoint.network, endpoint.container);
  }

  #attachment(network: NetworkRecord, endpoint: EndpointRecord): Attachment {
    const others = this.#store
      .endpoints({ network: network.name })
      .filter((other) => other.container !== endpoint.container);
    return {
      interfaces: [{ name: endpoint.interface, mac: endpoint.mac, mtu: network.mtu }],
      addresses: endpoint.addresses,
      gateways: network.internal ? [] : network.subnets.map(({ gateway }) => gateway),
      ports: endpoint.ports,
      hostsEntries: [endpoint, ...others].flatMap(entriesOf),
    };
  }
}
