/** Options of `network create`, checked and completed. */
import { failedPrecondition, invalidArgument, resourceExhausted } from "#errdefs";
import { firstAddress, isLargeEnough } from "../address/allocate.ts";
import { contains, formatPrefix, ipToNumber, overlaps, parsePrefix, type Prefix } from "../address/prefix.ts";
import { bytesToIp, familyOf } from "../address/text.ts";
import { drivers, type Driver, type NetworkRecord, type Subnet } from "../records.ts";
import { networkTraits } from "../traits.ts";
import { bridgeName, defaultNetwork } from "./names.ts";

export interface CreateNetworkOptions {
  readonly name: string;
  /** E.g. `10.90.0.0/24`; at most one of a family. A free one of IPv4 when there is none. */
  readonly subnets?: readonly string[];
  /** At most one for each subnet; the subnet's first address when missing. */
  readonly gateways?: readonly string[];
  /** Also a subnet of IPv6, a random unique local one (RFC 4193) when `subnets` has none. */
  readonly ipv6?: boolean;
  /** Largest packet in bytes, that of the host's way out when missing. */
  readonly mtu?: number;
  readonly internal?: boolean;
  /** At most one for each subnet: the part of it that addresses are given from. */
  readonly ipRanges?: readonly string[];
  /** `bridge` when missing, `macvlan` or `ipvlan`. */
  readonly driver?: string;
  /** See `NetworkTraits`. */
  readonly options?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A subnet that is in use, and by what, in words. */
export interface UsedPrefix {
  readonly prefix: Prefix;
  readonly by: string;
  /** By a network of Sampan, and not by the host alone. */
  readonly isNetwork?: boolean;
}

export interface CreateContext {
  readonly used: readonly UsedPrefix[];
  /** Of the host's way out. */
  readonly mtu: number;
  readonly now: number;
  readonly random: (bytes: number) => Uint8Array;
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
const reserved = new Set(["host", "none", "default", "container", "cni"]);

function checkNetworkName(name: string): void {
  if (!namePattern.test(name))
    throw invalidArgument(
      `Cannot use network name "${name}": it is not a letter or digit, then up to 63 letters, digits, "_", "." or "-"`,
    );
  if (reserved.has(name)) throw invalidArgument(`Cannot use network name "${name}": it stands for something else`);
}

/** Where no container can be: this host, groups, link-local, and what is no address at all. */
const special = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/96", "fe80::/10", "ff00::/8"].map(
  parsePrefix,
);

/** 10.88.0.0/16 to 10.127.0.0/16 for the default network, and 10.89.0.0/24 to 10.127.255.0/24 for the others. */
function candidates(name: string): Prefix[] {
  const [first, length] = name === defaultNetwork ? [88, 16] : [89, 24];
  const step = 1n << BigInt(32 - length);
  const end = BigInt(10 * 2 ** 24 + 128 * 2 ** 16);
  const prefixes: Prefix[] = [];
  for (let base = BigInt(10 * 2 ** 24 + first * 2 ** 16); base < end; base += step)
    prefixes.push({ family: 4, base, length });
  return prefixes;
}

function freeSubnet(name: string, used: readonly UsedPrefix[]): Prefix {
  const free = candidates(name).find((candidate) => !used.some(({ prefix }) => overlaps(prefix, candidate)));
  if (free !== undefined) return free;
  throw resourceExhausted(`Cannot create network "${name}": no subnet of 10.88.0.0 to 10.127.255.255 is free`, {
    remedy: "Choose one with --subnet",
  });
}

/** fd, 40 random bits, subnet 0 (RFC 4193, section 3.2). */
function localSubnet(random: CreateContext["random"]): Prefix {
  const bytes = new Uint8Array(16);
  bytes[0] = 0xfd;
  bytes.set(random(5), 1);
  return parsePrefix(`${bytesToIp(bytes)}/64`);
}

function checkSubnet(text: string, used: readonly UsedPrefix[], driver: Driver): Prefix {
  const prefix = parsePrefix(text);
  const refuse = (state: string): never => {
    throw failedPrecondition(`Cannot use subnet "${text}": ${state}`);
  };
  if (!isLargeEnough(prefix)) refuse("it has no room for a gateway and a container");
  const odd = special.find((other) => overlaps(other, prefix));
  if (odd !== undefined) refuse(`${formatPrefix(odd)} has a meaning of its own`);
  // Other drivers' containers are on the host's link, and so in its subnet.
  const other = used.find(
    (candidate) => (driver === "bridge" || candidate.isNetwork === true) && overlaps(candidate.prefix, prefix),
  );
  if (other !== undefined) refuse(`it overlaps with ${formatPrefix(other.prefix)} of ${other.by}`);
  return prefix;
}

function withGateway(prefix: Prefix, gateways: readonly string[], ranges: readonly Prefix[]): Subnet {
  const gateway = gateways.find((address) => familyOf(address) === prefix.family) ?? firstAddress(prefix);
  if (!contains(prefix, ipToNumber(gateway)))
    throw invalidArgument(`Cannot use gateway "${gateway}": it is not in ${formatPrefix(prefix)}`);
  if (ipToNumber(gateway) === prefix.base)
    throw invalidArgument(`Cannot use gateway "${gateway}": it stands for the whole subnet`);
  const range = ranges.find((candidate) => candidate.family === prefix.family);
  return { prefix: formatPrefix(prefix), gateway, ...(range === undefined ? {} : { range: formatPrefix(range) }) };
}

/** @returns the ranges, each of which is in a subnet */
function checkRanges(texts: readonly string[], subnets: readonly Prefix[]): Prefix[] {
  const ranges = texts.map((text) => parsePrefix(text));
  for (const [index, range] of ranges.entries()) {
    const refuse = (state: string): never => {
      throw invalidArgument(`Cannot use --ip-range "${texts[index]}": ${state}`);
    };
    const subnet = subnets.find((prefix) => prefix.family === range.family);
    if (subnet === undefined) return refuse("no subnet is of its family");
    if (range.length < subnet.length || !contains(subnet, range.base)) refuse(`it is not in ${formatPrefix(subnet)}`);
    if (ranges.findIndex((other) => other.family === range.family) !== index) refuse("two ranges are of one family");
  }
  return ranges;
}

function chooseSubnets(options: CreateNetworkOptions, driver: Driver, { used, random }: CreateContext): Prefix[] {
  const given = (options.subnets ?? []).map((text) => checkSubnet(text, used, driver));
  const families = new Set(given.map((prefix) => prefix.family));
  if (families.size !== given.length)
    throw invalidArgument(`Cannot create network "${options.name}": two subnets are of one family`);
  const v4 = families.size > 0 ? [] : [freeSubnet(options.name, used)];
  const v6 = options.ipv6 === true && !families.has(6) ? [localSubnet(random)] : [];
  return [...given, ...v4, ...v6].sort((a, b) => a.family - b.family);
}

/** Indices of bridges are chosen by us from a range that the kernel does not reach by counting. */
const firstIndex = 1 << 24;

/**
 * The record of a new network.
 *
 * @throws SampanError `invalid-argument`, and `failed-precondition` for a subnet that overlaps with one in use
 */
export function completeNetwork(options: CreateNetworkOptions, context: CreateContext): NetworkRecord {
  const { name, gateways = [], ipRanges = [], labels = {} } = options;
  checkNetworkName(name);
  const driver = drivers.find((known) => known === (options.driver ?? "bridge"));
  if (driver === undefined)
    throw invalidArgument(`Cannot use driver "${options.driver}": it is none of ${drivers.join(", ")}`, {
      remedy: "For the host's network, or none, run containers with --network host or none",
    });
  const traits = networkTraits({ driver, options: options.options ?? {} });
  const subnets = chooseSubnets(options, driver, context);
  for (const gateway of gateways)
    if (!subnets.some((prefix) => prefix.family === familyOf(gateway)))
      throw invalidArgument(`Cannot use gateway "${gateway}": no subnet is of its family`);
  const ranges = checkRanges(ipRanges, subnets);
  const smallest = subnets.some((prefix) => prefix.family === 6) ? 1280 : 68;
  const mtu = options.mtu ?? traits.mtu ?? Math.max(context.mtu, smallest);
  if (!Number.isInteger(mtu) || mtu < smallest || mtu > 65_535)
    throw invalidArgument(`Cannot use MTU ${mtu}: it is not from ${smallest} to 65535`);
  const [a = 0, b = 0, c = 0] = context.random(3);
  return {
    name,
    driver,
    bridge: traits.parent ?? bridgeName(name),
    index: firstIndex + ((a << 16) | (b << 8) | c),
    subnets: subnets.map((prefix) => withGateway(prefix, gateways, ranges)),
    mtu,
    internal: options.internal === true || (driver !== "bridge" && traits.parent === undefined),
    ...(options.options === undefined || Object.keys(options.options).length === 0 ? {} : { options: options.options }),
    labels,
    createdAt: context.now,
  };
}
