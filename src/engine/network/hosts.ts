/** What stands in a container's /etc/hosts, /etc/hostname and /etc/resolv.conf. */
import { isIP } from "node:net";
import { invalidArgument } from "#errdefs";
import type { ContainerOptions } from "../options.ts";

export interface HostsLine {
  readonly address: string;
  readonly names: readonly string[];
}

const localhost: readonly HostsLine[] = [
  { address: "127.0.0.1", names: ["localhost"] },
  { address: "::1", names: ["localhost", "ip6-localhost", "ip6-loopback"] },
  { address: "fe00::", names: ["ip6-localnet"] },
  { address: "ff00::", names: ["ip6-mcastprefix"] },
  { address: "ff02::1", names: ["ip6-allnodes"] },
  { address: "ff02::2", names: ["ip6-allrouters"] },
];

const lineText = ({ address, names }: HostsLine): string => `${address}\t${names.join(" ")}\n`;

/** Its own host name on an address: `web.example.com` is `web` too. */
export function ownLine(address: string, hostname: string, domainname: string | undefined): HostsLine {
  const full = domainname === undefined || domainname === "" ? hostname : `${hostname}.${domainname}`;
  const [short = hostname] = full.split(".");
  return { address, names: short === full ? [full] : [full, short] };
}

export const hostsFile = (lines: readonly HostsLine[]): string => [...localhost, ...lines].map(lineText).join("");

/** `NAME:ADDRESS` or `NAME=ADDRESS`; an IPv6 address may stand in brackets. */
export function parseAddHost(text: string): readonly [name: string, address: string] {
  const refuse = (state: string): never => {
    throw invalidArgument(`Cannot parse --add-host "${text}": ${state}`, {
      remedy: "Write NAME:ADDRESS, with host-gateway for the host's address",
    });
  };
  const at = text.search(/[:=]/);
  if (at < 1) return refuse("it is not NAME:ADDRESS");
  const name = text.slice(0, at);
  if (!/^[a-zA-Z0-9_.-]{1,253}$/.test(name)) return refuse(`"${name}" is no host name`);
  const address = text.slice(at + 1).replace(/^\[(.*)\]$/, "$1");
  if (address !== hostGateway && isIP(address) === 0) return refuse(`"${address}" is no address`);
  return [name, address];
}

const hostGateway = "host-gateway";

/** Lines of `addHosts`, `gateway` standing in for `host-gateway`. */
export function addedLines(options: Pick<ContainerOptions, "addHosts">, gateway: string | undefined): HostsLine[] {
  return (options.addHosts ?? []).map((text) => {
    const [name, address] = parseAddHost(text);
    if (address !== hostGateway) return { address, names: [name] };
    if (gateway === undefined)
      throw invalidArgument(`Cannot use --add-host "${text}": the container has no network with a way to the host`);
    return { address: gateway, names: [name] };
  });
}

type DnsOptions = Pick<ContainerOptions, "dns" | "dnsSearch" | "dnsOptions">;

/** @throws SampanError `invalid-argument` for what would be another line of the file, or no address */
export function checkDns(options: DnsOptions): void {
  for (const address of options.dns ?? [])
    if (isIP(address) === 0) throw invalidArgument(`Cannot use --dns "${address}": it is no address`);
  for (const domain of options.dnsSearch ?? [])
    if (!/^(\.|[a-zA-Z0-9_-][a-zA-Z0-9_.-]{0,252})$/.test(domain))
      throw invalidArgument(`Cannot use --dns-search "${domain}": it is no domain`);
  for (const option of options.dnsOptions ?? [])
    if (!/^[a-zA-Z0-9:_-]{1,64}$/.test(option))
      throw invalidArgument(`Cannot use --dns-option "${option}": it is no option of resolv.conf(5)`);
}

interface Resolver {
  nameservers: string[];
  search: string[];
  options: string[];
}

/** What resolv.conf(5) says; the last `search` or `domain` counts. */
function parseResolver(text: string): Resolver {
  const resolver: Resolver = { nameservers: [], search: [], options: [] };
  for (const line of text.split("\n")) {
    const [keyword, ...values] = line
      .replace(/[#;].*/, "")
      .trim()
      .split(/\s+/);
    if (keyword === "nameserver" && values[0] !== undefined) resolver.nameservers.push(values[0]);
    else if (keyword === "search" || keyword === "domain") resolver.search = values;
    else if (keyword === "options") resolver.options.push(...values);
  }
  return resolver;
}

const isLoopback = (address: string): boolean => /^127\.|^::1$/.test(address);

/** Addresses of the host's name servers that a container may ask. */
export const usableServers = (host: string): string[] =>
  parseResolver(host).nameservers.filter((address) => !isLoopback(address.replace(/%.*/, "")));

/**
 * The container's file: the options' values, and the host's for those that are not given.
 *
 * @param host the host's file
 * @param served name servers that know the names of networks; they take the place of all others
 */
export function resolvConf(host: string, options: DnsOptions, served: readonly string[]): string {
  const own = parseResolver(host);
  const given = options.dns ?? [];
  const nameservers = served.length > 0 ? served : given.length > 0 ? given : usableServers(host);
  const asked = options.dnsSearch ?? [];
  // A lone dot stands for no search at all.
  const search = asked.length === 0 ? own.search : asked.filter((domain) => domain !== ".");
  const words = options.dnsOptions ?? [];
  const flags = words.length === 0 ? own.options : words;
  return [
    ...nameservers.map((address) => `nameserver ${address}\n`),
    ...(search.length === 0 ? [] : [`search ${search.join(" ")}\n`]),
    ...(flags.length === 0 ? [] : [`options ${flags.join(" ")}\n`]),
  ].join("");
}
