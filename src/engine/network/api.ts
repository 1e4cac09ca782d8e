/** `engine.networks`: the networks of this host, and which containers are on them. */
import { failedPrecondition, invalidArgument, isSampanError } from "#errdefs";
import type { CreateNetworkOptions, EndpointRecord, NetworkRecord, PublishedPort } from "#network";
import type { EngineCore } from "../core.ts";
import type { NetworkOption } from "../options.ts";
import type { ContainerRecord } from "../records.ts";
import { cniDetails } from "./cni-view.ts";
import { networkId } from "./id.ts";
import { defaultNetworkName, networkMode } from "./mode.ts";
import type { Networking } from "./networking.ts";

/** A network, and who is on it. */
export interface NetworkDetails {
  readonly network: Omit<NetworkRecord, "driver"> & { readonly driver: NetworkRecord["driver"] | "cni" };
  /** 64 hexadecimal digits. */
  readonly id: string;
  /** Running containers, by id. */
  readonly containers: readonly (EndpointRecord & { readonly name: string })[];
}

export class EngineNetworks {
  readonly #core: EngineCore;

  constructor(core: EngineCore) {
    this.#core = core;
  }

  /** All networks by name, the default one too, and then CNI's. */
  async list(): Promise<readonly NetworkDetails[]> {
    const networking = await this.#core.networking();
    await networking.networks.find(defaultNetworkName);
    const { cni } = await this.#core.cniNetworking();
    return [
      ...networking.networks.list().map((network) => this.#details(networking, network)),
      ...cni.networks().map((list) => cniDetails(this.#core, list)),
    ];
  }

  /**
   * Makes a network. The host gets it when the first container is on it.
   *
   * @throws SampanError `already-exists`, `invalid-argument`, or `failed-precondition` for a subnet that is in use
   */
  async create(options: CreateNetworkOptions): Promise<NetworkDetails> {
    const networking = await this.#core.networking();
    return this.#details(networking, await networking.networks.create(options));
  }

  /**
   * By name, id, or a beginning of the id.
   *
   * @throws SampanError `not-found`, or `invalid-argument` when several ids begin so
   */
  async inspect(nameOrId: string): Promise<NetworkDetails> {
    const mode = networkMode({ network: nameOrId });
    if (mode.kind === "cni") {
      const { cni } = await this.#core.cniNetworking();
      return cniDetails(this.#core, cni.find(mode.networks[0]?.name || undefined));
    }
    const networking = await this.#core.networking();
    return this.#details(networking, await this.#find(networking, nameOrId));
  }

  /** @throws SampanError `not-found`, or `failed-precondition` while a running container is on it */
  async remove(nameOrId: string): Promise<void> {
    const networking = await this.#core.networking();
    const { name } = await this.#find(networking, nameOrId);
    await networking.removeNetwork(name);
  }

  /**
   * Removes the networks that no container is to be on; the default one stays.
   *
   * @param matches those to look at; all by default
   * @returns their names
   */
  async prune(matches: (network: NetworkRecord) => boolean = () => true): Promise<readonly string[]> {
    const networking = await this.#core.networking();
    const wanted = new Set(
      this.#core.records.list().flatMap((record) => networking.settingsOf(record).networks.map(({ name }) => name)),
    );
    const removed: string[] = [];
    for (const network of networking.networks.list()) {
      if (network.name === defaultNetworkName || wanted.has(network.name) || !matches(network)) continue;
      try {
        await networking.removeNetwork(network.name);
        removed.push(network.name);
      } catch (error) {
        // Somebody has come to it, or has removed it.
        if (!isSampanError(error, "failed-precondition") && !isSampanError(error, "not-found")) throw error;
      }
    }
    return removed;
  }

  /** Restores what containers need in the host's network, e.g. after its packet filter was flushed. */
  async reload(): Promise<void> {
    await (await this.#core.networking()).reload();
  }

  /**
   * Puts a container on a network, at once when it runs, and at each of its next starts.
   *
   * @throws SampanError `already-exists` when it is on it, `failed-precondition` when it has no network of its own
   */
  async connect(nameOrId: string, container: string, options: Omit<NetworkOption, "name"> = {}): Promise<void> {
    const networking = await this.#core.networking();
    const { name } = await this.#find(networking, nameOrId);
    await networking.join(this.#container(container), { ...options, name });
  }

  /** Takes a container from a network; idempotent with `force`. */
  async disconnect(nameOrId: string, container: string, options: { readonly force?: boolean } = {}): Promise<void> {
    const networking = await this.#core.networking();
    const { name } = await this.#find(networking, nameOrId);
    await networking.part(this.#container(container), name, options.force === true);
  }

  /** Ports of the host that lead to a running container. */
  ports(container: string): readonly PublishedPort[] {
    const record = this.#core.records.find(container);
    return this.#core.runtime.state(record.id).status === "running" ? this.#core.publishedPorts(record.id) : [];
  }

  /**
   * Publishes further ports of a container, at once when it runs, and at each of its next starts.
   *
   * @param texts as `ContainerOptions.publish`
   * @returns what leads to it now; empty when it does not run
   * @throws SampanError `already-exists` when a port is taken
   */
  async publish(container: string, texts: readonly string[]): Promise<readonly PublishedPort[]> {
    return await (await this.#core.networking()).publish(this.#container(container), texts);
  }

  /**
   * Takes published ports back.
   *
   * @param texts `HOST-PORT[/PROTOCOL]`, `ADDRESS:HOST-PORT…`, or as they were published
   * @throws SampanError `not-found` for a port that is not published
   */
  async unpublish(container: string, texts: readonly string[]): Promise<void> {
    await (await this.#core.networking()).unpublish(this.#container(container), texts);
  }

  async #find(networking: Networking, nameOrId: string): Promise<NetworkRecord> {
    try {
      return await networking.networks.find(nameOrId);
    } catch (error) {
      if (!isSampanError(error, "not-found") || !/^[0-9a-f]{1,64}$/.test(nameOrId)) throw error;
      const [found, another] = networking.networks.list().filter((network) => networkId(network).startsWith(nameOrId));
      if (another !== undefined) throw invalidArgument(`Cannot find network "${nameOrId}": several ids begin so`);
      if (found === undefined) throw error;
      return found;
    }
  }

  #container(nameOrId: string): ContainerRecord {
    const record = this.#core.records.find(nameOrId);
    if (networkMode(record.options).kind !== "networks")
      throw failedPrecondition(
        `Cannot change networks of container "${record.name}": its network is ${record.options.network ?? "none"}`,
        { remedy: "Make it with --network NAME" },
      );
    return record;
  }

  #details(networking: Networking, network: NetworkRecord): NetworkDetails {
    const containers = networking.networks.liveEndpoints(network.name).flatMap((endpoint) => {
      try {
        return [{ ...endpoint, name: this.#core.records.find(endpoint.container).name }];
      } catch (error) {
        if (isSampanError(error, "not-found")) return [];
        throw error;
      }
    });
    return { network, id: networkId(network), containers };
  }
}
