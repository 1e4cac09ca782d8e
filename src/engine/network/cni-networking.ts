/**
 * Containers and pods on CNI networks. A container's network namespace is made first, and held by a file: plugins are called
 * before the container's process is there, which then joins it. Its monitor calls them again at its end, and lets go of the
 * file. What is left in the book then is only what somebody has to know who comes after a crash.
 */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { invalidArgument, isSampanError } from "#errdefs";
import {
  addressesOf,
  Cni,
  parsePublish,
  portMappings,
  takeCniPorts,
  type CniPlace,
  type CniRequest,
  type CniWishes,
  type PortRequest,
} from "#network";
import { processIsAlive, processStartTime } from "#host";
import type { Operation } from "#plan";
import type { EngineCore } from "../core.ts";
import { hostResolvConf, type NetworkFiles } from "../network-files.ts";
import type { ContainerOptions, NetworkOption } from "../options.ts";
import type { ContainerRecord } from "../records.ts";
import { containerHostname } from "../runtime-config.ts";
import { makerIsAlive } from "../pods/maker.ts";
import { cniNamespace } from "./cni-namespace.ts";
import { addedLines, hostsFile, ownLine, resolvConf } from "./hosts.ts";
import { networkMode } from "./mode.ts";
import { publishedTexts } from "./published.ts";

/** Milliseconds in which a container, of another namespace too, may be on its networks and not be there itself. */
const beginning = 120_000;
const processLives = (text: string): boolean => {
  const [pid, start] = text.split(" ");
  return processIsAlive(Number(pid), BigInt(start ?? 0));
};

const cloneNewNet = 0x4000_0000n;

/** What a container has on its networks, before its process is there. */
export interface CniPrepared {
  readonly files: NetworkFiles;
  /** For its monitor to do at its end. */
  readonly exit: readonly Operation[];
  /** Takes all of it back. */
  abandon(): Promise<void>;
}

export class CniNetworking {
  readonly #core: EngineCore;
  readonly cni: Cni;
  #isRecovered = false;

  constructor(core: EngineCore) {
    this.#core = core;
    const locks = join(core.paths.state, "..", "cni");
    mkdirSync(locks, { recursive: true, mode: 0o700 });
    this.cni = new Cni({
      executor: core.executor,
      configurations: core.cniPaths.configurations,
      directories: core.cniPaths.plugins,
      timeout: core.cniPaths.timeout,
      attachments: core.cniBook,
      isAlive: ({ container, maker, createdAt }) =>
        this.#isAlive(container) || (Date.now() - createdAt < beginning && processLives(maker)),
      maker: `${process.pid} ${processStartTime(process.pid) ?? 0n}`,
      lockOf: (container) => join(locks, `${container}.lock`),
    });
  }

  #isAlive(container: string): boolean {
    const { pods, records, runtime } = this.#core;
    if (pods.isUp(container) || makerIsAlive(pods.directory(container))) return true;
    const { status } = runtime.state(container);
    return status === "running" || status === "created" || records.isBusy(container);
  }

  /** Once a process: what others that were killed have left. It is nobody's reason to fail. */
  async #recoverOnce(): Promise<void> {
    if (this.#isRecovered) return;
    this.#isRecovered = true;
    await this.cni.recover().catch(() => undefined);
  }

  /** Makes a container's network namespace, and puts it on its networks. Nothing of it is left after a failure. */
  async prepare(record: ContainerRecord): Promise<CniPrepared> {
    await this.#recoverOnce();
    const { id } = record;
    const directory = cniNamespace(this.#core.paths, id);
    await this.release(id);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const abandon = async (): Promise<void> => this.release(id);
    try {
      await this.#core.executor.execute([
        { op: "pin-namespaces", namespaces: cloneNewNet, directory, hostname: "", uids: [], gids: [], sysctls: [] },
      ]);
      const places = await this.#attach(record, join(directory, "net"), this.#core.cgroupPath(record));
      return {
        files: filesOf(record, places),
        exit: [...this.cni.exitOperations(id), ...unpin(directory)],
        abandon,
      };
    } catch (error) {
      await abandon().catch(() => undefined);
      throw error;
    }
  }

  async #attach(record: ContainerRecord, namespace: string, cgroup: string): Promise<readonly CniPlace[]> {
    const requests = requestsOf(record, cgroup);
    const [first] = requests;
    if (first === undefined) return [];
    const { publish, offered } = portsOf(record);
    const wanted = [...publish, ...offered];
    if (wanted.length === 0) return this.cni.attach(record.id, namespace, requests);
    const list = this.cni.find(first.network);
    const context = {
      store: this.#core.networkStore,
      executor: this.#core.executor,
      isAlive: (container: string) => this.#isAlive(container),
    };
    const ports = await takeCniPorts(context, list.name, record.id, wanted);
    try {
      const wishes = { ...first.wishes, portMappings: portMappings(ports) };
      const required = publish.length > 0 ? [...first.required, "portMappings" as const] : first.required;
      return await this.cni.attach(record.id, namespace, [{ ...first, wishes, required }, ...requests.slice(1)]);
    } catch (error) {
      this.#core.cniBook.dropPorts(record.id);
      throw error;
    }
  }

  /** Puts a pod on its networks, whose network namespace is there. */
  async connectPod(record: ContainerRecord, namespace: string, cgroup: string): Promise<NetworkFiles> {
    await this.#recoverOnce();
    return filesOf(record, await this.#attach(record, namespace, cgroup));
  }

  /** Takes a container or pod from its networks, and lets go of its network namespace where that is our own. Idempotent. */
  async release(id: string): Promise<void> {
    await this.cni.detach(id);
    this.#core.cniBook.dropPorts(id);
    const directory = cniNamespace(this.#core.paths, id);
    if (existsSync(directory)) await this.#core.executor.execute(unpin(directory));
    rmSync(join(this.#core.paths.state, "..", "cni", `${id}.lock`), { force: true });
  }

  /**
   * Of a container that is removed.
   *
   * @param clean its monitor has seen its end. What it was to do then ends with the namespace's file: when that is gone, all
   *   plugins have done their part
   * @param force a plugin that fails is no obstacle
   */
  async forget(id: string, clean: boolean, force: boolean): Promise<void> {
    if (clean && !existsSync(cniNamespace(this.#core.paths, id))) this.cni.forget(id);
    try {
      await this.release(id);
    } catch (error) {
      // It stays in the book, so that it is tried again.
      if (!force || !isSampanError(error)) throw error;
    }
  }
}

const unpin = (directory: string): Operation[] => [
  { op: "unmount", path: join(directory, "net") },
  { op: "remove-tree", path: directory },
];

/**
 * Refuses what can't be before anything is made.
 *
 * @throws SampanError `invalid-argument` for addresses and ports that are none, `not-found` for a network
 */
export async function checkCniOptions(
  core: EngineCore,
  networks: readonly NetworkOption[],
  options: ContainerOptions,
): Promise<void> {
  for (const text of [...(options.publish ?? []), ...(options.cni?.ports ?? [])]) parsePublish(text);
  const { cni } = await core.cniNetworking();
  for (const { name } of networks) cni.find(name === "" ? undefined : name);
  for (const { ip, ip6, mac, interface: name } of networks) {
    for (const [text, family] of [
      [ip, 4],
      [ip6, 6],
    ] as const)
      if (text !== undefined && isIP(text.replace(/\/\d{1,3}$/, "")) !== family)
        throw invalidArgument(`Cannot use address "${text}": it is not IPv${family}`);
    if (mac !== undefined && !/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac))
      throw invalidArgument(`Cannot use MAC address "${mac}": it is not six bytes such as 02:42:0a:58:00:02`);
    if (name !== undefined && !/^[^\s/:%]{1,15}$/.test(name))
      throw invalidArgument(
        `Cannot name an interface "${name}": it is 1 to 15 characters without spaces, "/", ":" and "%"`,
      );
  }
}

function portsOf({ options, resolved }: ContainerRecord): {
  readonly publish: readonly PortRequest[];
  readonly offered: readonly PortRequest[];
} {
  return {
    publish: publishedTexts(options, resolved.exposed).flatMap(parsePublish),
    offered: (options.cni?.ports ?? []).flatMap(parsePublish),
  };
}

const isGiven = (list: readonly unknown[] | undefined): boolean => list !== undefined && list.length > 0;

function wishesOf(record: ContainerRecord, network: NetworkOption, cgroup: string): CniWishes {
  const { dns = [], dnsSearch = [], dnsOptions = [], cni = {} } = record.options;
  const ips = [network.ip, network.ip6].filter((ip) => ip !== undefined);
  const hasDns = [dns, dnsSearch, dnsOptions].some(isGiven);
  return {
    ...(ips.length > 0 && { ips }),
    ...(network.mac !== undefined && { mac: network.mac }),
    ...(hasDns && { dns: { servers: dns, searches: dnsSearch, options: dnsOptions } }),
    ...(cni.bandwidth !== undefined && { bandwidth: cni.bandwidth }),
    ...(cni.ipRanges !== undefined && { ipRanges: cni.ipRanges.map((range) => [range]) }),
    aliases: [...new Set([record.name, ...(network.aliases ?? [])])],
    cgroupPath: cgroup,
  };
}

function requestsOf(record: ContainerRecord, cgroup: string): readonly CniRequest[] {
  const mode = networkMode(record.options);
  const networks = mode.kind === "cni" ? mode.networks : [];
  return networks.map((network, index): CniRequest => ({
    ...(network.name === "" ? {} : { network: network.name }),
    interface: network.interface ?? `eth${index}`,
    ...(record.options.cni?.args === undefined ? {} : { args: record.options.cni.args }),
    wishes: wishesOf(record, network, cgroup),
    required: [
      ...(network.ip !== undefined || network.ip6 !== undefined ? (["ips"] as const) : []),
      ...(network.mac === undefined ? [] : (["mac"] as const)),
      ...(isGiven(network.aliases) ? (["aliases"] as const) : []),
    ],
  }));
}

function filesOf(record: ContainerRecord, places: readonly CniPlace[]): NetworkFiles {
  const { options } = record;
  const hostname = containerHostname(options, record.id);
  const own = places
    .flatMap((place) => addressesOf(place.result, place.interface))
    .map((address) => ownLine(address.replace(/\/\d+$/, ""), hostname, options.domainname));
  const gateway = places.flatMap(({ result }) => result.ips.flatMap((ip) => ip.gateway ?? []))[0];
  // Where neither the options nor a plugin names servers, the host's are right.
  const dns = places.map(({ result }) => result.dns);
  const first = <T>(given: readonly T[] | undefined, ...others: readonly (readonly T[])[]): readonly T[] =>
    [given ?? [], ...others].find((list) => list.length > 0) ?? [];
  const merged = {
    dns: first(options.dns, ...dns.map(({ nameservers }) => nameservers)),
    dnsSearch: first(
      options.dnsSearch,
      ...dns.map(({ search, domain }) => (search.length > 0 || domain === undefined ? search : [domain])),
    ),
    dnsOptions: first(options.dnsOptions, ...dns.map((one) => one.options)),
  };
  return {
    hosts: hostsFile([...own, ...addedLines(options, gateway)]),
    resolvConf: resolvConf(hostResolvConf(), merged, []),
  };
}
