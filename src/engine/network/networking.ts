/** Containers on networks: what happens to their networks as they start and go. Loaded by the first one that is on any. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { failedPrecondition } from "#errdefs";
import {
  hostsEntriesOf,
  Networks,
  parsePublish,
  type AttachOptions,
  type EndpointRecord,
  type NameService,
  type NetworkRecord,
  type PortRequest,
} from "#network";
import type { Operation } from "#plan";
import type { EngineCore } from "../core.ts";
import { hostResolvConf, rewriteInPlace, type NetworkFiles } from "../network-files.ts";
import type { ContainerOptions, NetworkOption } from "../options.ts";
import type { ContainerRecord } from "../records.ts";
import { containerHostname } from "../runtime-config.ts";
import { addedLines, hostsFile, ownLine, resolvConf, type HostsLine } from "./hosts.ts";
import { networkMode, defaultNetworkName } from "./mode.ts";
import { SettingsStore, type NetworkSettings } from "./settings.ts";

/** A container's networks between being written down and being connected. */
export interface PreparedNetworks {
  readonly files: NetworkFiles;
  /** For its monitor to do at its end. */
  readonly exit: readonly Operation[];
  /** Connects its process' network namespace, and sees that names are answered. */
  connect(pid: number): Promise<void>;
  /** Takes all of it back. */
  abandon(): Promise<void>;
}

const plain = (address: string): string => address.replace(/\/\d+$/, "");

export class Networking {
  readonly #core: EngineCore;
  readonly networks: Networks;
  readonly settings: SettingsStore;
  readonly #names: NameService | undefined;

  constructor(core: EngineCore, names?: NameService) {
    this.#core = core;
    this.networks = new Networks({
      store: core.networkStore,
      executor: core.executor,
      isAlive: (container) => this.#isAlive(container),
    });
    this.settings = new SettingsStore(core.database);
    this.#names = names;
  }

  #isAlive(container: string): boolean {
    const { status } = this.#core.runtime.state(container);
    return status === "running" || status === "created" || this.#core.records.isBusy(container);
  }

  /** The networks that a container is to be on, and its ports: as it was made, or as it was changed since. */
  settingsOf(record: ContainerRecord): NetworkSettings {
    const mode = networkMode(record.options);
    const networks = mode.kind === "networks" ? mode.networks : [];
    return (
      this.settings.get(record.id) ?? { networks, publish: publishedTexts(record.options, record.resolved.exposed) }
    );
  }

  /** Refuses options that can't be, before anything is made. */
  check(options: ContainerOptions): void {
    for (const text of options.publish ?? []) parsePublish(text);
  }

  attachOptions(record: ContainerRecord, network: NetworkOption, ports: readonly PortRequest[]): AttachOptions {
    const addresses = [network.ip, network.ip6].filter((address) => address !== undefined);
    return {
      network: network.name,
      names: [...new Set([record.name, ...(network.aliases ?? []), record.id.slice(0, 12)])],
      ...(addresses.length === 0 ? {} : { addresses }),
      ...(network.mac === undefined ? {} : { mac: network.mac }),
      ...(network.interface === undefined ? {} : { interface: network.interface }),
      ports,
    };
  }

  /**
   * Writes down what a container that starts will have on its networks.
   *
   * @throws SampanError `not-found` for a network, `already-exists` for an address or a port; nothing is left of it then
   */
  async prepare(record: ContainerRecord): Promise<PreparedNetworks> {
    const { networks: wanted, publish } = this.settingsOf(record);
    const networks = await Promise.all(wanted.map(({ name }) => this.networks.find(name)));
    const ports = publish.flatMap(parsePublish);
    const publisher = networks.findIndex((network) => !network.internal);
    if (ports.length > 0 && publisher < 0)
      throw failedPrecondition(`Cannot publish ports of container "${record.name}": it is on internal networks only`, {
        remedy: "Add another network with --network",
      });
    const attachments = wanted.map((network, index) =>
      this.attachOptions(record, network, index === publisher ? ports : []),
    );
    const endpoints = await this.networks.prepare(record.id, attachments);
    const abandon = async (): Promise<void> => this.networks.detach(record.id);
    try {
      return {
        files: this.#files(record, networks, endpoints),
        exit: this.networks.exitOperations(endpoints),
        connect: async (pid) => {
          await this.networks.connect(endpoints, `/proc/${pid}/ns/net`);
          for (const network of networks) await this.#changed(network, record.id);
        },
        abandon,
      };
    } catch (error) {
      await abandon();
      throw error;
    }
  }

  /** Takes away what a container has on its networks, in the kernel and in the store. */
  async release(id: string): Promise<void> {
    const networks = this.networks.endpointsOf(id).map(({ network }) => network);
    await this.networks.detach(id);
    for (const name of networks) await this.#changed(await this.networks.find(name), id);
  }

  /**
   * Of a container that is removed.
   *
   * @param clean its monitor has seen its end, and has done what {@link PreparedNetworks.exit} says
   */
  async forget(id: string, clean: boolean): Promise<void> {
    if (!clean) await this.release(id);
    const networks = this.networks.endpointsOf(id).map(({ network }) => network);
    this.networks.leave(id);
    for (const name of networks) await this.#changed(await this.networks.find(name), id);
    this.settings.delete(id);
  }

  /** Tells whoever answers names, or the other containers' /etc/hosts. */
  async #changed(network: NetworkRecord, who: string): Promise<void> {
    if (this.#names?.serves(network) === true) {
      await this.#names.ensure(network);
      await this.#names.changed?.(network);
      return;
    }
    if (network.name === defaultNetworkName) return;
    for (const { container } of this.networks.liveEndpoints(network.name))
      if (container !== who) this.updateFiles(container);
  }

  /** Brings a running container's files to what its networks are. */
  updateFiles(id: string): void {
    const directory = this.#core.runtime.stateDirectory(id);
    const path = join(directory, "hosts");
    if (!this.#core.records.has(id) || !existsSync(path)) return;
    const record = this.#core.records.find(id);
    for (let before = ""; ;) {
      const endpoints = this.networks.endpointsOf(id);
      const networks = endpoints.flatMap(({ network }) => this.networks.list().filter(({ name }) => name === network));
      const files = this.#files(record, networks, endpoints);
      // Another process may have changed the store since it was read, and have written before.
      if (files.hosts + files.resolvConf === before) return;
      before = files.hosts + files.resolvConf;
      rewriteInPlace(path, files.hosts);
      rewriteInPlace(join(directory, "resolv.conf"), files.resolvConf);
    }
  }

  #files(
    record: ContainerRecord,
    networks: readonly NetworkRecord[],
    endpoints: readonly EndpointRecord[],
  ): NetworkFiles {
    const { options } = record;
    const hostname = containerHostname(options, record.id);
    const own = endpoints.flatMap((endpoint) =>
      endpoint.addresses.map((address) => ownLine(plain(address), hostname, options.domainname)),
    );
    const gateways = networks.flatMap(({ subnets }) => subnets.map(({ gateway }) => gateway));
    const served = networks
      .filter((network) => this.#names?.serves(network) === true)
      .flatMap(({ subnets }) => subnets.map(({ gateway }) => gateway));
    return {
      hosts: hostsFile([...own, ...this.#others(record.id, networks), ...addedLines(options, gateways[0])]),
      resolvConf: resolvConf(hostResolvConf(), options, served),
    };
  }

  /** Names of the other containers, where nobody answers for them. On the default network they have none. */
  #others(id: string, networks: readonly NetworkRecord[]): HostsLine[] {
    return networks
      .filter((network) => network.name !== defaultNetworkName && this.#names?.serves(network) !== true)
      .flatMap((network) => this.networks.liveEndpoints(network.name))
      .filter(({ container }) => container !== id)
      .flatMap(hostsEntriesOf);
  }
}

/** `publish`, and with `publishAll` every exposed port that it does not name. */
function publishedTexts(options: ContainerOptions, exposed: readonly string[] | undefined): readonly string[] {
  const given = options.publish ?? [];
  if (options.publishAll !== true) return given;
  const named = new Set(given.flatMap(parsePublish).map(({ port, protocol }) => `${port}/${protocol}`));
  return [...given, ...(exposed ?? []).filter((port) => !named.has(port))];
}
