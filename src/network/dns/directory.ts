/**
 * Who asks, and whom they know. A container knows the names of those who are on its networks, and no others; it is told by
 * the address that it asks from.
 *
 *     db, DB                         a name or alias on one of its networks
 *     db.backend.sampan.internal     the same on the network `backend`
 *     host.docker.internal …         the host, as its gateway
 */
import { ipToBytes, parseIp, bytesToIp, familyOf, type Family } from "../address/text.ts";
import { contains, ipToNumber, parsePrefix, type Prefix } from "../address/prefix.ts";
import type { EndpointRecord, NetworkRecord } from "../records.ts";
import { labelsOf } from "./name.ts";

/** Names below it are ours (`internal` is nobody's: ICANN, resolution 2024.07.29.06). */
export const domain = "sampan.internal";
const hostNames = new Set(["host.docker.internal", "host.containers.internal", `host.${domain}`]);

export interface Addresses {
  /** Four bytes each. */
  readonly 4: Uint8Array[];
  /** Sixteen bytes each. */
  readonly 6: Uint8Array[];
}

export interface Asker {
  /** Empty for the host itself. */
  readonly container: string;
  /** By which it asks first. */
  readonly networks: readonly NetworkRecord[];
  /** What it has on them. */
  readonly endpoints: readonly EndpointRecord[];
}

const plain = (address: string): string => address.replace(/\/\d+$/, "");
/** In one notation; it may come with a zone, as `fe80::1%eth0`. */
const canonical = (address: string): string => {
  const bytes = parseIp(plain(address));
  return bytes === undefined ? address : (bytesToIp(bytes) ?? address);
};

/** What one container has under a name. */
interface Entry extends Addresses {
  readonly container: string;
}

class NetworkNames {
  readonly network: NetworkRecord;
  readonly names = new Map<string, Entry[]>();
  /** Address to the first of its names. */
  readonly reverse = new Map<string, { readonly container: string; readonly name: string }>();
  readonly prefixes: readonly Prefix[];

  constructor(network: NetworkRecord) {
    this.network = network;
    this.prefixes = network.subnets.map(({ prefix }) => parsePrefix(prefix));
  }

  add({ container, aliases, addresses }: EndpointRecord): void {
    const entry: Entry = { container, 4: [], 6: [] };
    for (const address of addresses) entry[familyOf(address)].push(ipToBytes(plain(address)));
    for (const alias of new Set(aliases.map((text) => text.toLowerCase()))) {
      const entries = this.names.get(alias) ?? [];
      this.names.set(alias, entries);
      entries.push(entry);
    }
    const [name] = aliases;
    if (name !== undefined) for (const address of addresses) this.reverse.set(canonical(address), { container, name });
  }

  has(address: string): boolean {
    return this.prefixes.some((prefix) => prefix.family === familyOf(address) && contains(prefix, ipToNumber(address)));
  }
}

/** Immutable: a new one is made when networks or who is on them changes. */
export class Directory {
  readonly #isAlive: (container: string) => boolean;
  readonly #networks = new Map<string, NetworkNames>();
  readonly #askers = new Map<string, Asker>();

  /** @param isAlive whether a container runs: what others have stays written down */
  constructor(
    networks: readonly NetworkRecord[],
    endpoints: readonly EndpointRecord[],
    isAlive: (container: string) => boolean,
  ) {
    this.#isAlive = isAlive;
    for (const network of networks) this.#networks.set(network.name, new NetworkNames(network));
    const byContainer = new Map<string, EndpointRecord[]>();
    for (const endpoint of endpoints) {
      const names = this.#networks.get(endpoint.network);
      if (names === undefined) continue;
      names.add(endpoint);
      const own = byContainer.get(endpoint.container) ?? [];
      byContainer.set(endpoint.container, own);
      own.push(endpoint);
    }
    for (const [container, own] of byContainer)
      for (const endpoint of own) {
        const ordered = [endpoint, ...own.filter((other) => other !== endpoint)];
        const asker = { container, networks: ordered.flatMap((e) => this.#record(e.network)), endpoints: ordered };
        for (const address of endpoint.addresses) this.#askers.set(canonical(address), asker);
      }
    for (const network of networks)
      for (const { gateway } of network.subnets)
        this.#askers.set(canonical(gateway), { container: "", networks: [network], endpoints: [] });
  }

  #record(network: string): NetworkRecord[] {
    const found = this.#networks.get(network);
    return found === undefined ? [] : [found.network];
  }

  /** @param address as a socket gives it */
  asker(address: string): Asker | undefined {
    return this.#askers.get(address);
  }

  /**
   * Addresses of a name for somebody. Several networks of his may have it: the one that he asks by goes first.
   *
   * @param name in small letters
   * @returns undefined for a name that is not known; one that is may have no address of a family
   */
  find(asker: Asker, name: string): Addresses | undefined {
    if (hostNames.has(name)) return gateways(asker);
    const found: Entry[] = [];
    for (const { name: network } of asker.networks) {
      const suffix = `.${network.toLowerCase()}.${domain}`;
      const wanted = name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
      const entries = this.#networks.get(network)?.names.get(wanted);
      if (entries !== undefined) found.push(...entries.filter(({ container }) => this.#isAlive(container)));
    }
    const [only] = found;
    if (found.length < 2) return only;
    return { 4: found.flatMap((entry) => entry[4]), 6: found.flatMap((entry) => entry[6]) };
  }

  /** The name of an address, `none` where it is a network's and nobody's, undefined where it is not ours. */
  reverse(asker: Asker, address: string): string | undefined {
    for (const { name } of asker.networks) {
      const found = this.#networks.get(name)?.reverse.get(address);
      if (found !== undefined && this.#isAlive(found.container)) return `${found.name}.${name}.${domain}`.toLowerCase();
    }
    for (const names of this.#networks.values()) if (names.has(address)) return "none";
    return undefined;
  }
}

function gateways({ networks }: Asker): Addresses {
  const addresses: Addresses = { 4: [], 6: [] };
  const [network] = networks;
  for (const { gateway } of network?.subnets ?? []) addresses[familyOf(gateway)].push(ipToBytes(gateway));
  return addresses;
}

/** The address that a name such as `2.0.88.10.in-addr.arpa` stands for. */
export function reversedAddress(name: string): string | undefined {
  const zones: readonly (readonly [string, Family])[] = [
    [".in-addr.arpa", 4],
    [".ip6.arpa", 6],
  ];
  const [zone, family] = zones.find(([suffix]) => name.endsWith(suffix)) ?? [];
  if (zone === undefined) return undefined;
  const parts = labelsOf(name.slice(0, -zone.length)).reverse();
  const text =
    family === 4 ? parts.join(".") : parts.length === 32 ? (parts.join("").match(/.{4}/g) ?? []).join(":") : "";
  const bytes = parseIp(text);
  return bytes === undefined ? undefined : bytesToIp(bytes);
}
