/** Connects containers to networks in the kernel, where the host's side is made when it is found missing: mostly it is there. */
import { failedPrecondition } from "#errdefs";
import type { Executor } from "#keel";
import { familyOf } from "./address/text.ts";
import { protocols } from "./firewall/keys.ts";
import { forgetConnections } from "./netlink/operation.ts";
import { family } from "./netlink/route/objects.ts";
import { startForwarding, stopForwarding, type ForwardingPlace } from "./ports/forward.ts";
import { ensureParent, mayBeRepaired, removeQuietly, repair } from "./bridge/kernel.ts";
import { attachOperations, detachOperations, portOperation } from "./bridge/operations.ts";
import { lanAttachOperations, lanDetachOperation } from "./bridge/lan.ts";
import { restrict, unrestrict } from "./egress/kernel.ts";
import type { EndpointRecord, NetworkRecord, PublishedPort } from "./records.ts";
import type { LiveStore } from "./live.ts";

/** Somebody may remove again what was made. */
const connectAttempts = 3;

export class Connector {
  readonly #executor: Executor;
  readonly #live: LiveStore;
  readonly #place: (container: string) => ForwardingPlace | undefined;
  readonly #repairing = new Map<string, Promise<void>>();

  /** @param place of a container's forwarders */
  constructor(executor: Executor, live: LiveStore, place: (container: string) => ForwardingPlace | undefined) {
    this.#executor = executor;
    this.#live = live;
    this.#place = place;
  }

  /** @param namespace file of the container's network namespace */
  async connect(network: NetworkRecord, endpoint: EndpointRecord, namespace: string): Promise<void> {
    if (network.driver === "bridge") await this.#connectToBridge(network, endpoint, namespace);
    else {
      if (endpoint.egress !== undefined)
        throw failedPrecondition(
          `Cannot restrict what a container on network "${network.name}" may reach: its packets do not pass the host`,
          { remedy: "Use a network of the driver bridge" },
        );
      const parent = await ensureParent(this.#executor, network);
      await this.#executor.execute(lanAttachOperations(network, endpoint, namespace, parent));
    }
  }

  async #connectToBridge(network: NetworkRecord, endpoint: EndpointRecord, namespace: string): Promise<void> {
    const operations = attachOperations(network, endpoint, namespace);
    await restrict(this.#executor, this.#live.store, endpoint);
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#executor.execute(operations);
        await this.#settle(endpoint.container, endpoint.ports);
        return;
      } catch (error) {
        if (attempt === connectAttempts || !mayBeRepaired(error)) throw error;
        await removeQuietly(this.#executor, detachOperations(endpoint));
        await this.#repair(network, error);
      }
    }
  }

  /**
   * Idempotent.
   *
   * @param namespace file of the container's network namespace, when it runs on
   */
  async disconnect(endpoint: EndpointRecord, namespace?: string): Promise<void> {
    stopForwarding(this.#place(endpoint.container), endpoint.ports);
    if (endpoint.hostInterface !== "") await removeQuietly(this.#executor, detachOperations(endpoint));
    else if (namespace !== undefined) await removeQuietly(this.#executor, [lanDetachOperation(endpoint, namespace)]);
    await unrestrict(this.#executor, endpoint);
  }

  /** Leads ports to a container that is connected. */
  async addPorts(container: string, ports: readonly PublishedPort[]): Promise<void> {
    await this.#executor.execute([portOperation("add", ports)]);
    await this.#settle(container, ports);
  }

  async removePorts(container: string, ports: readonly PublishedPort[]): Promise<void> {
    stopForwarding(this.#place(container), ports);
    await removeQuietly(this.#executor, [portOperation("delete", ports)]);
    await this.#forget(ports);
  }

  /** What the packet filter does not do by itself. */
  async #settle(container: string, ports: readonly PublishedPort[]): Promise<void> {
    if (ports.length === 0) return;
    await this.#forget(ports);
    await startForwarding(this.#executor, this.#place(container), ports);
  }

  async #forget(ports: readonly PublishedPort[]): Promise<void> {
    const connections = ports
      .filter(({ protocol }) => protocol === "udp")
      .map(({ hostAddress, hostPort }) => ({
        family: familyOf(hostAddress) === 6 ? family.inet6 : family.inet,
        protocol: protocols.udp,
        port: hostPort,
      }));
    await forgetConnections(this.#executor, connections);
  }

  /** Once for all that wait for it. */
  async #repair(network: NetworkRecord, cause: unknown): Promise<void> {
    const repairing =
      this.#repairing.get(network.name) ??
      repair(this.#executor, this.#live, network, cause).finally(() => this.#repairing.delete(network.name));
    this.#repairing.set(network.name, repairing);
    await repairing;
  }
}
