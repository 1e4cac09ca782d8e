/** Containers on networks: what happens to their networks as they start and go. Loaded by the first one that is on any. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { alreadyExists, failedPrecondition, notFound } from "#errdefs";
import {
  canPublish,
  hostsEntriesOf,
  Networks,
  noPublisher,
  parseEgress,
  parsePublish,
  type AttachOptions,
  type EndpointRecord,
  type NameService,
  type NetworkRecord,
  type PortRequest,
  type PublishedPort,
} from "#network";
import type { Operation } from "#plan";
import type { EngineCore } from "../core.ts";
import { nameProcess } from "../name-process.ts";
import { hostResolvConf, rewriteInPlace, type NetworkFiles } from "../network-files.ts";
import type { ContainerOptions, NetworkOption } from "../options.ts";
import type { ContainerRecord } from "../records.ts";
import { containerHostname } from "../runtime-config.ts";
import { addedLines, hostsFile, ownLine, resolvConf, type HostsLine } from "./hosts.ts";
import { networkMode, defaultNetworkName } from "./mode.ts";
import { publishedTexts } from "./published.ts";
import { SettingsStore, type NetworkSettings } from "./settings.ts";

/** A container's networks between being written down and being connected. */
export interface PreparedNetworks {
  readonly files: NetworkFiles;
  /** For its monitor to do at its end. */
  readonly exit: readonly Operation[];
  /** Connects a network namespace, given by its file, and sees that names are answered. */
  connect(namespace: string): Promise<void>;
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
      place: (container) => this.#place(container),
    });
    this.settings = new SettingsStore(core.database);
    this.#names = names;
  }

  #place(container: string): { readonly pid: number; readonly directory: string } | undefined {
    const state = this.#core.runtime.state(container);
    if (state.status !== "running" && state.status !== "created") return undefined;
    return { pid: state.pid, directory: this.#core.runtime.stateDirectory(container) };
  }

  #isAlive(container: string): boolean {
    if (this.#core.pods.isMade(container)) return true;
    const { status } = this.#core.runtime.state(container);
    if (status === "running" || status === "created" || this.#core.records.isBusy(container)) return true;
    // One that another namespace is about to start is not in our book.
    return status === "none" && !this.#core.records.has(container) && !this.#core.pods.has(container);
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
      ...nameServers(record.options.dns),
      ...egressOf(record.options),
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
    const publisher = networks.findIndex(canPublish);
    if (ports.length > 0 && publisher < 0)
      throw failedPrecondition(`Cannot publish ports of container "${record.name}": ${noPublisher}`, {
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
        connect: async (namespace) => {
          await this.networks.connect(endpoints, namespace);
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
    const endpoints = this.networks.endpointsOf(id);
    this.networks.leave(id);
    if (endpoints.some(({ egress }) => egress !== undefined)) await this.networks.restoreEgress();
    for (const { network: name } of endpoints) await this.#changed(await this.networks.find(name), id);
    this.settings.delete(id);
  }

  /** Removes a network, and stopped containers' places on it. */
  async removeNetwork(name: string): Promise<void> {
    await this.networks.remove(name);
  }

  async reload(): Promise<void> {
    await this.networks.reload();
    for (const network of this.networks.list())
      if (this.#names?.serves(network) === true && this.networks.liveEndpoints(network.name).length > 0)
        await this.#names.ensure(network);
  }

  /** File of a running container's network namespace, undefined when it does not run. */
  #namespace(id: string): string | undefined {
    const state = this.#core.runtime.state(id);
    return state.status === "running" ? `/proc/${state.pid}/ns/net` : undefined;
  }

  /** Puts a container on a further network. */
  async join(record: ContainerRecord, option: NetworkOption): Promise<void> {
    await this.#changing(record, async (settings) => {
      if (settings.networks.some(({ name }) => name === option.name))
        throw alreadyExists(`Cannot connect container "${record.name}" to network "${option.name}": it is on it`);
      const namespace = this.#namespace(record.id);
      if (namespace !== undefined)
        await this.networks.attach(record.id, namespace, this.attachOptions(record, option, []));
      return { ...settings, networks: [...settings.networks, option] };
    });
    await this.#changed(await this.networks.find(option.name), record.id);
  }

  /** Takes a container from a network. */
  async part(record: ContainerRecord, name: string, force: boolean): Promise<void> {
    await this.#changing(record, async (settings) => {
      if (!force && !settings.networks.some((network) => network.name === name))
        throw notFound(`Cannot disconnect container "${record.name}" from network "${name}": it is not on it`);
      const namespace = this.#namespace(record.id);
      if (namespace === undefined) await this.networks.detach(record.id, name);
      else await this.networks.detachRunning(record.id, namespace, name);
      return { ...settings, networks: settings.networks.filter((network) => network.name !== name) };
    });
    await this.#changed(await this.networks.find(name), record.id);
  }

  async publish(record: ContainerRecord, texts: readonly string[]): Promise<readonly PublishedPort[]> {
    const requests = texts.flatMap(parsePublish);
    let added: readonly PublishedPort[] = [];
    await this.#changing(record, async (settings) => {
      if (this.#namespace(record.id) !== undefined) added = await this.networks.publish(record.id, requests);
      return { ...settings, publish: [...settings.publish, ...texts] };
    });
    return added;
  }

  async unpublish(record: ContainerRecord, texts: readonly string[]): Promise<void> {
    const published = this.networks.endpointsOf(record.id).flatMap(({ ports }) => ports);
    const found = texts.map((text) => {
      const ports = published.filter((port) => isNamedBy(port, text));
      if (ports.length === 0)
        throw notFound(`Cannot take back port "${text}" of container "${record.name}": it is not published`, {
          remedy: `See sampan port ${record.name}`,
        });
      return ports;
    });
    await this.#changing(record, async (settings) => {
      const gone = found.flat();
      await this.networks.unpublish(record.id, gone);
      const kept = published.filter((port) => !gone.includes(port));
      return { ...settings, publish: [...new Set(kept.map(publishText))] };
    });
  }

  /** One change of a container's settings at a time; they are written when it has succeeded. */
  async #changing(
    record: ContainerRecord,
    change: (settings: NetworkSettings) => Promise<NetworkSettings>,
  ): Promise<void> {
    this.#core.records.claim(record.id, "use");
    try {
      this.settings.set(record.id, await change(this.settingsOf(record)));
    } finally {
      this.#core.records.release(record.id);
    }
    this.updateFiles(record.id);
  }

  /** Tells whoever answers names, or the other containers' /etc/hosts. */
  async #changed(network: NetworkRecord, who: string): Promise<void> {
    const live = this.networks.liveEndpoints(network.name);
    const served = this.#names?.serves(network) === true;
    // What a container may reach by name, only our own name server can open. Who has gone last leaves nobody that could ask.
    if (served ? live.length > 0 : live.some(({ egress }) => egress !== undefined)) await this.#names?.ensure(network);
    if (served) {
      await this.#names?.changed?.(network);
      return;
    }
    if (network.name === defaultNetworkName) return;
    for (const { container } of live) if (container !== who) this.updateFiles(container);
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
    const own = endpoints.flatMap(({ addresses, aliases }) =>
      addresses.map((address): HostsLine => {
        const line = ownLine(plain(address), hostname, options.domainname);
        return { ...line, names: [...new Set([...line.names, ...aliases])] };
      }),
    );
    const gateways = networks.flatMap(({ subnets }) => subnets.map(({ gateway }) => gateway));
    const served = networks
      .filter((network) => isRestricted(record.options) || this.#names?.serves(network) === true)
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

/** The option that publishes a port as it is; both families' for all addresses. */
function publishText({ protocol, hostAddress, hostPort, port }: PublishedPort): string {
  const all = hostAddress === "0.0.0.0" || hostAddress === "::";
  const address = all ? "" : hostAddress.includes(":") ? `[${hostAddress}]:` : `${hostAddress}:`;
  return `${address}${hostPort}:${port}/${protocol}`;
}

/** `HOST-PORT`, with an address in front, the container's port and a protocol behind where they are needed. */
function isNamedBy(port: PublishedPort, text: string): boolean {
  const whole = text.includes("/") ? text : `${text}/tcp`;
  return whole === publishText(port) || whole === publishText(port).replace(/:\d+\//, "/");
}

/** Those that are asked for what is not of this host. A loopback address would be the container's own. */
function nameServers(given: readonly string[] = []): Pick<AttachOptions, "nameServers"> {
  const others = given.filter((address) => !/^127\.|^::1$/.test(address));
  return others.length === 0 ? {} : { nameServers: others };
}

function egressOf({ egress = [] }: ContainerOptions): Pick<AttachOptions, "egress"> {
  const policy = parseEgress(egress);
  return policy === undefined ? {} : { egress: policy };
}

const isRestricted = (options: ContainerOptions): boolean => egressOf(options).egress !== undefined;

/** With names answered, where the program that does is bundled. */
export const openNetworking = (core: EngineCore): Networking =>
  new Networking(core, nameProcess(core.paths, core.networkStore));
