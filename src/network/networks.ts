/** Sampan's own networks: bridges of the host with addresses, a way out, and published ports. */
import { randomBytes } from "node:crypto";
import { alreadyExists, failedPrecondition, invalidArgument, isSampanError, notFound } from "#errdefs";
import type { Executor } from "#keel";
import type { Operation } from "#plan";
import { completeNetwork, type CreateNetworkOptions } from "./bridge/create.ts";
import { interfaceNames, readHostNetwork } from "./bridge/host-state.ts";
import { removeHostSide, replaceTable, restore } from "./bridge/kernel.ts";
import { defaultNetwork } from "./bridge/names.ts";
import { exitOperations, wayOutOperation } from "./bridge/operations.ts";
import { Connector } from "./connect.ts";
import type { RefusedPackets } from "./egress/elements.ts";
import { egressHandle, readRefused, restoreEgress } from "./egress/kernel.ts";
import type { LiveStore } from "./live.ts";
import { hostListeners } from "./ports/listeners.ts";
import type { ForwardingPlace } from "./ports/forward.ts";
import type { PortRequest } from "./ports/parse.ts";
import type { EndpointRecord, NetworkRecord, PublishedPort } from "./records.ts";
import { addPorts, canPublish, dropPorts, requestsOf } from "./ports/change.ts";
import { reserve, type AttachOptions, type Reservation } from "./reserve.ts";
import type { NetworkStore } from "./store.ts";

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
  /**
   * Whether a container runs or is being started. What a container has stays written down when it ends, so that it gets the
   * same again; somebody else may have it then. Without this, all that are written down run.
   */
  readonly isAlive?: (container: string) => boolean;
  /** A container's process, and a directory that goes with it; undefined while it has none. */
  readonly place?: (container: string) => ForwardingPlace | undefined;
}

export const hostsEntriesOf = ({ addresses, aliases }: EndpointRecord): HostsEntry[] =>
  aliases.length === 0 ? [] : addresses.map((address) => ({ address: address.replace(/\/\d+$/, ""), names: aliases }));

export class Networks {
  readonly #live: LiveStore;
  readonly #store: NetworkStore;
  readonly #executor: Executor;
  readonly #connector: Connector;

  constructor({ store, executor, isAlive = () => true, place = () => undefined }: NetworksOptions) {
    this.#live = { store, isAlive };
    this.#store = store;
    this.#executor = executor;
    this.#connector = new Connector(executor, this.#live, place);
  }

  list(): readonly NetworkRecord[] {
    return this.#store.networks();
  }

  /** Who is on a network, whether they run or not. */
  endpoints(network: string): readonly EndpointRecord[] {
    return this.#store.endpoints({ network });
  }

  /** The running containers of a network. */
  liveEndpoints(network: string): readonly EndpointRecord[] {
    return this.endpoints(network).filter((endpoint) => this.#live.isAlive(endpoint.container));
  }

  /** What a container has, in the order in which it got it. */
  endpointsOf(container: string): readonly EndpointRecord[] {
    return [...this.#store.endpoints({ container })].sort((a, b) => a.index - b.index);
  }

  /**
   * By name. The default network, `bridge`, is made on first use.
   *
   * @throws SampanError `not-found`
   */
  async find(name: string): Promise<NetworkRecord> {
    const found = this.#store.network(name);
    if (found !== undefined) return found;
    if (name !== defaultNetwork)
      throw notFound(`Cannot find network "${name}": it does not exist`, { remedy: "See sampan network ls" });
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
   * @throws SampanError `not-found`, or `failed-precondition` while a running container is on it
   */
  async remove(name: string): Promise<void> {
    const [network, departed] = this.#store.transaction(() => {
      const found = this.#store.network(name);
      if (found === undefined) throw notFound(`Cannot find network "${name}": it does not exist`);
      const endpoints = this.#store.endpoints({ network: name });
      const first = endpoints.find(({ container }) => this.#live.isAlive(container));
      if (first !== undefined)
        throw failedPrecondition(
          `Cannot remove network "${name}": container ${first.container.slice(0, 12)} is on it`,
          { remedy: "Disconnect it, or remove it first" },
        );
      const left = this.#store.departed().filter((endpoint) => endpoint.network === name);
      for (const { container } of [...endpoints, ...left]) this.#store.deleteEndpoint(name, container);
      this.#store.deleteNetwork(name);
      return [found, left] as const;
    });
    const present = interfaceNames();
    for (const endpoint of departed)
      if (present.has(endpoint.hostInterface)) await this.#connector.disconnect(endpoint);
    await removeHostSide(this.#executor, network);
    await replaceTable(this.#executor, this.#live);
    await this.restoreEgress();
  }

  /**
   * Writes down what a container that is about to start will have, in place of what it had before. Nothing is written when
   * it fails.
   *
   * @throws SampanError `not-found` for a network, `already-exists` when a port or an address is taken
   */
  async prepare(container: string, attachments: readonly AttachOptions[]): Promise<readonly EndpointRecord[]> {
    return (await this.#reserve(container, attachments, true)).endpoints;
  }

  /** Brings what {@link Networks.prepare} wrote down to the kernel. {@link Networks.detach} undoes it, half-done too. */
  async connect(endpoints: readonly EndpointRecord[], namespace: string): Promise<void> {
    for (const endpoint of endpoints)
      await this.#connector.connect(await this.find(endpoint.network), endpoint, namespace);
  }

  /**
   * Connects a running container to a network. Nothing is left after a failure.
   *
   * @param namespace file of the container's network namespace
   * @throws SampanError `already-exists` when it is on the network, or a port or an address is taken
   */
  async attach(container: string, namespace: string, options: AttachOptions): Promise<Attachment> {
    const { endpoints } = await this.#reserve(container, [options], false);
    const [endpoint] = endpoints;
    if (endpoint === undefined) throw invalidArgument("Cannot connect a container: no network is named");
    try {
      await this.connect(endpoints, namespace);
    } catch (error) {
      await this.#release(endpoint);
      throw error;
    }
    return this.#attachment(await this.find(endpoint.network), endpoint);
  }

  /** Disconnects a container from a network, or from all. Idempotent. */
  async detach(container: string, network?: string): Promise<void> {
    const of = network === undefined ? { container } : { container, network };
    for (const endpoint of this.#store.endpoints(of)) await this.#release(endpoint);
  }

  /**
   * Disconnects a running container from a network: another one that is not internal becomes its way out, and takes the
   * ports that were published.
   */
  async detachRunning(container: string, namespace: string, network: string): Promise<void> {
    const [endpoint] = this.#store.endpoints({ container, network });
    if (endpoint === undefined) return;
    await this.#release(endpoint, namespace);
    const rest = this.endpointsOf(container);
    const next = rest.find((other) => this.#store.network(other.network)?.internal === false);
    if (endpoint.isWayOut && next !== undefined) {
      await this.#executor.execute([wayOutOperation(await this.find(next.network), next, namespace)]);
      this.#store.saveEndpoint({ ...next, isWayOut: true });
    }
    if (endpoint.ports.length > 0 && rest.some((other) => canPublish(this.#store.network(other.network))))
      await this.publish(container, requestsOf(endpoint.ports));
  }

  /**
   * Publishes ports of a container that is on networks, running or not.
   *
   * @throws SampanError `failed-precondition` when it has no network with a way out, `already-exists` when a port is taken
   */
  async publish(container: string, requests: readonly PortRequest[]): Promise<readonly PublishedPort[]> {
    const taken = await hostListeners(this.#executor, requests);
    const { added, evicted } = addPorts({ ...this.#live, listeners: taken }, container, requests);
    for (const endpoint of evicted) await this.#connector.disconnect(endpoint);
    if (!this.#live.isAlive(container)) return added;
    try {
      await this.#connector.addPorts(container, added);
    } catch (error) {
      await this.#connector.removePorts(container, added);
      dropPorts(this.#store, container, added);
      throw error;
    }
    return added;
  }

  /** Takes published ports back. */
  async unpublish(container: string, ports: readonly PublishedPort[]): Promise<void> {
    await this.#connector.removePorts(container, ports);
    dropPorts(this.#store, container, ports);
  }

  /**
   * Forgets a container that has ended and whose {@link Networks.exitOperations} were done. Its interface goes with its
   * network namespace; until that is so, nobody gets its addresses, but when there are no others.
   */
  leave(container: string): void {
    for (const { network } of this.#store.endpoints({ container })) this.#store.leave(network, container);
  }

  /** What to do when a container has ended, for whoever sees that: its network namespace takes the rest along. */
  exitOperations(endpoints: readonly EndpointRecord[]): Operation[] {
    return exitOperations(endpoints);
  }

  /** Brings the host to what is written down, e.g. after somebody has flushed its packet filter. */
  async reload(): Promise<void> {
    await restore(this.#executor, this.#live);
    await this.restoreEgress();
  }

  /** Brings the tables of what containers may reach to what is written down; they are there only where somebody needs them. */
  async restoreEgress(): Promise<void> {
    const isNeeded = this.#store.endpoints().some(({ egress }) => egress !== undefined);
    if (isNeeded || (await egressHandle(this.#executor)) !== undefined)
      await restoreEgress(this.#executor, this.#store);
  }

  /** What was refused to a container in the last hour, the latest first. */
  async refusedPackets(container: string): Promise<readonly RefusedPackets[]> {
    return await readRefused(this.#executor, this.#store.endpoints({ container }));
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

  async #reserve(container: string, attachments: readonly AttachOptions[], again: boolean): Promise<Reservation> {
    for (const { network } of attachments) await this.find(network);
    this.#sweep();
    const taken = await hostListeners(
      this.#executor,
      attachments.flatMap(({ ports }) => ports ?? []),
    );
    const reservation = reserve({ ...this.#live, listeners: taken }, container, attachments, again);
    for (const endpoint of reservation.evicted) await this.#connector.disconnect(endpoint);
    return reservation;
  }

  /** Gives back what containers had whose interfaces are gone now. */
  #sweep(): void {
    const departed = this.#store.departed();
    if (departed.length === 0) return;
    const present = interfaceNames();
    for (const { network, container, hostInterface } of departed)
      if (!present.has(hostInterface)) this.#store.deleteEndpoint(network, container);
  }

  async #release(endpoint: EndpointRecord, namespace?: string): Promise<void> {
    await this.#connector.disconnect(endpoint, namespace);
    this.#store.deleteEndpoint(endpoint.network, endpoint.container);
    if (endpoint.egress !== undefined) await this.restoreEgress();
  }

  #attachment(network: NetworkRecord, endpoint: EndpointRecord): Attachment {
    const others = this.liveEndpoints(network.name).filter((other) => other.container !== endpoint.container);
    return {
      interfaces: [{ name: endpoint.interface, mac: endpoint.mac, mtu: network.mtu }],
      addresses: endpoint.addresses,
      gateways: network.internal ? [] : network.subnets.map(({ gateway }) => gateway),
      ports: endpoint.ports,
      hostsEntries: [endpoint, ...others].flatMap(hostsEntriesOf),
    };
  }
}
