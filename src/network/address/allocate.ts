/** Gives addresses of a network to containers. */
import { alreadyExists, invalidArgument, resourceExhausted } from "#errdefs";
import type { NetworkRecord, Subnet } from "../records.ts";
import type { NetworkStore } from "../store.ts";
import { contains, ipToNumber, numberToIp, parsePrefix, sizeOf, type Prefix } from "./prefix.ts";
import { familyOf, parseIp } from "./text.ts";

/** The first and the last address that an interface may have. IPv4's first is the network, its last everybody. */
function usableRange(prefix: Prefix): readonly [first: bigint, last: bigint] {
  const last = prefix.base + sizeOf(prefix) - 1n;
  return [prefix.base + 1n, prefix.family === 4 ? last - 1n : last];
}

/** Of the addresses that are given without being asked for. */
function givenRange(subnet: Subnet): readonly [first: bigint, last: bigint] {
  const [first, last] = usableRange(parsePrefix(subnet.prefix));
  if (subnet.range === undefined) return [first, last];
  const range = parsePrefix(subnet.range);
  const end = range.base + sizeOf(range) - 1n;
  return [range.base > first ? range.base : first, end < last ? end : last];
}

/** No more are tried: a network with so many taken in a row is full for all purposes. */
const largestSearch = 1n << 17n;

function nextFree(store: NetworkStore, network: NetworkRecord, subnet: Subnet, container: string): string | undefined {
  const prefix = parsePrefix(subnet.prefix);
  const [first, last] = givenRange(subnet);
  const count = last - first + 1n;
  const before = store.lastAddress(network.name, prefix.family);
  const next = before === undefined ? first : ipToNumber(before) + 1n;
  const start = next < first || next > last ? 0n : next - first;
  const gateway = ipToNumber(subnet.gateway);
  for (let tried = 0n; tried < count && tried < largestSearch; tried += 1n) {
    const number = first + ((start + tried) % count);
    if (number === gateway) continue;
    const address = numberToIp(prefix.family, number);
    if (!store.takeAddress(network.name, address, container)) continue;
    store.setLastAddress(network.name, prefix.family, address);
    return address;
  }
  return undefined;
}

function exhausted(network: NetworkRecord, subnet: Subnet): never {
  throw resourceExhausted(
    `Cannot give an address of network "${network.name}": all of ${subnet.range ?? subnet.prefix} are taken`,
    {
      remedy: "Remove containers, or create a network with a larger --subnet",
    },
  );
}

function takeWanted(
  store: NetworkStore,
  network: NetworkRecord,
  wanted: string,
  container: string,
  { evict }: AllocationOptions,
): string {
  const refuse = (state: string): never => {
    throw invalidArgument(`Cannot use address "${wanted}" on network "${network.name}": ${state}`);
  };
  if (parseIp(wanted) === undefined) refuse("it is neither IPv4 nor IPv6");
  const number = ipToNumber(wanted);
  const family = familyOf(wanted);
  const subnet = network.subnets.find(({ prefix }) => {
    const parsed = parsePrefix(prefix);
    return parsed.family === family && contains(parsed, number);
  });
  if (subnet === undefined) return refuse(`its subnets are ${network.subnets.map((s) => s.prefix).join(" and ")}`);
  const [first, last] = usableRange(parsePrefix(subnet.prefix));
  if (number < first || number > last) refuse("it stands for the whole subnet");
  if (number === ipToNumber(subnet.gateway)) refuse("it is the gateway's");
  const address = numberToIp(family, number);
  if (store.takeAddress(network.name, address, container)) return address;
  const holder = store.addressHolder(network.name, address);
  const isFree = holder !== undefined && evict?.(network.name, holder) === true;
  if (!isFree || !store.takeAddress(network.name, address, container))
    throw alreadyExists(`Cannot use address "${wanted}" on network "${network.name}": another container has it`);
  return address;
}

export interface AllocationOptions {
  /** Addresses that it had before, with their prefix lengths: it gets them again where nobody has them. */
  readonly previous?: readonly string[];
  /** Takes all away from a container that does not run (every such one of the network without a name). False if it runs. */
  readonly evict?: (network: string, container?: string) => boolean;
}

/**
 * One address of each of the network's subnets, with its prefix length. In a transaction of the caller.
 *
 * @param wanted addresses that must be given; at most one of each family
 */
export function allocateAddresses(
  store: NetworkStore,
  network: NetworkRecord,
  container: string,
  wanted: readonly string[],
  options: AllocationOptions = {},
): string[] {
  const fixed = new Map(wanted.map((address) => [familyOf(address), address]));
  if (fixed.size !== wanted.length)
    throw invalidArgument(`Cannot use addresses "${wanted.join(", ")}": they are of one family`);
  for (const [family, address] of fixed)
    if (!network.subnets.some((subnet) => familyOf(subnet.prefix) === family))
      throw invalidArgument(
        `Cannot use address "${address}" on network "${network.name}": it has no IPv${family} subnet`,
      );
  return network.subnets.map((subnet) => {
    const prefix = parsePrefix(subnet.prefix);
    const address = fixed.get(prefix.family);
    const given =
      address === undefined
        ? takeAny(store, network, subnet, container, options)
        : takeWanted(store, network, address, container, options);
    return `${given}/${prefix.length}`;
  });
}

function takeAny(
  store: NetworkStore,
  network: NetworkRecord,
  subnet: Subnet,
  container: string,
  { previous, evict }: AllocationOptions,
): string {
  const before = previous?.find((address) => isWithin(subnet, address))?.replace(/\/\d+$/, "");
  if (before !== undefined && before !== subnet.gateway && store.takeAddress(network.name, before, container))
    return before;
  const free = nextFree(store, network, subnet, container);
  if (free !== undefined) return free;
  if (evict?.(network.name) !== true) return exhausted(network, subnet);
  return nextFree(store, network, subnet, container) ?? exhausted(network, subnet);
}

function isWithin(subnet: Subnet, address: string): boolean {
  const prefix = parsePrefix(subnet.prefix);
  const [ip = "", length] = address.split("/");
  return familyOf(ip) === prefix.family && Number(length) === prefix.length && contains(prefix, ipToNumber(ip));
}

/** A subnet as `usableRange` has addresses in it for a gateway and a container at least. */
export function isLargeEnough(prefix: Prefix): boolean {
  const [first, last] = usableRange(prefix);
  return last - first >= 1n;
}

/** The gateway where none is named: the first address. */
export const firstAddress = (prefix: Prefix): string => numberToIp(prefix.family, usableRange(prefix)[0]);
