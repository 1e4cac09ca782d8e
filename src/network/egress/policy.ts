/**
 * What a container may reach outside, `--egress`:
 *
 *     all                         anything, as without the option
 *     none                        nothing
 *     allow=ITEM,ITEM…            these, and nothing else; may be given several times
 *
 *     example.com[:443[/tcp]]     the addresses that our name server has answered for this name
 *     *.example.com, *            … for any name below it, for any name at all
 *     192.0.2.0/24[:443[/tcp]]    addresses; IPv6 with a port is [2001:db8::/32]:443
 *     443[/tcp]                   a port of any public address; then any name may be looked up too
 *
 * A port without a protocol is one of TCP and UDP. Ports of addresses may be ranges, `8000-8010`.
 */
import { invalidArgument } from "#errdefs";
import { formatPrefix, ipToNumber, parsePrefix } from "../address/prefix.ts";
import { familyOf, parseIp } from "../address/text.ts";
import type { TransportProtocol } from "../firewall/keys.ts";

interface Ports {
  readonly first: number;
  readonly last: number;
}

interface Service {
  /** All when missing. */
  readonly ports?: Ports;
  readonly protocol?: TransportProtocol;
}

/** One item. Without a name and a prefix it is any public address. */
export interface EgressRule extends Service {
  /** In small letters; `*` and `*.` before it stand for any name, and for any below it. */
  readonly name?: string;
  readonly prefix?: string;
}

/** An empty list is `none`. */
export interface EgressPolicy {
  readonly rules: readonly EgressRule[];
}

/** An element of a set for each rule, address of a name and family: it should stay small. */
const mostRules = 256;

function refuse(text: string, state: string): never {
  throw invalidArgument(`Cannot parse --egress "${text}": ${state}`, {
    remedy: "Write none, all, or allow=DOMAIN,CIDR,PORT, e.g. allow=*.example.com:443,192.0.2.0/24,8080/tcp",
  });
}

const largestPort = 65_535;
const servicePattern = /^(?:(\d{1,5})(?:-(\d{1,5}))?)?(?:\/(tcp|udp|sctp))?$/;

function parseService(text: string, item: string): Service {
  const [whole, first, last = first, protocol] = servicePattern.exec(text) ?? [];
  if (whole === undefined) return refuse(item, `"${text}" is no PORT[-LAST][/tcp|udp|sctp]`);
  const service = protocol === undefined ? {} : { protocol: protocol as TransportProtocol };
  if (first === undefined) return service;
  const ports = { first: Number(first), last: Number(last) };
  if (ports.first < 1 || ports.last > largestPort || ports.last < ports.first)
    refuse(item, `${first === last ? first : `${first}-${last}`} is not from 1 to 65535`);
  return { ...service, ports };
}

/** `192.0.2.1` is `192.0.2.1/32`. */
function prefixText(address: string, length: string | undefined, item: string): string {
  const full = familyOf(address) === 4 ? 32 : 128;
  if (parseIp(address) === undefined) refuse(item, `"${address}" is no address`);
  return formatPrefix(parsePrefix(`${address}/${length ?? full}`));
}

const labelPattern = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

function parseName(text: string, item: string): string {
  const name = text.toLowerCase().replace(/\.$/, "");
  if (name === "*") return name;
  const labels = name.replace(/^\*\./, "").split(".");
  if (name.length > 253 || !labels.every((label) => labelPattern.test(label)))
    refuse(item, `"${text}" is no name of a host`);
  return name;
}

/** @throws SampanError `invalid-argument` */
function parseItem(item: string): EgressRule {
  if (/^\d{1,5}(-\d{1,5})?(\/|$)/.test(item)) return parseService(item, item);
  const [, bracketed, bracketedLength, afterBracket] = /^\[([^\]/]*)(?:\/(\d{1,3}))?\](.*)$/.exec(item) ?? [];
  if (bracketed !== undefined)
    return {
      prefix: prefixText(bracketed, bracketedLength, item),
      ...parseService(afterColon(afterBracket ?? "", item), item),
    };
  // A protocol is a word, a length is digits.
  const [, v6, v6Length, v6Protocol = ""] =
    /^([0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)(?:\/(\d{1,3}))?(\/[a-z]+)?$/.exec(item) ?? [];
  if (v6 !== undefined) return { prefix: prefixText(v6, v6Length, item), ...parseService(v6Protocol, item) };
  const [, v4, v4Length, v4Rest = ""] = /^([\d.]+)(?:\/(\d{1,2}))?([:/].*)?$/.exec(item) ?? [];
  if (v4 !== undefined && v4.includes("."))
    return { prefix: prefixText(v4, v4Length, item), ...parseService(afterColon(v4Rest, item), item) };
  const [, name = "", rest = ""] = /^([^:/]*)(.*)$/.exec(item) ?? [];
  const rule = { name: parseName(name, item), ...parseService(afterColon(rest, item), item) };
  if (rule.ports !== undefined && rule.ports.first !== rule.ports.last) refuse(item, "a name has no range of ports");
  if (rule.ports === undefined && rule.protocol !== undefined) refuse(item, "a protocol of a name needs a port");
  return rule;
}

/** `:443/tcp` and `/tcp` without the colon. */
function afterColon(text: string, item: string): string {
  if (text === ":" || (text !== "" && !/^[:/]/.test(text))) refuse(item, `"${text}" is no port`);
  return text.replace(/^:/, "");
}

/**
 * @param texts each value of the option
 * @returns undefined when everything is allowed
 * @throws SampanError `invalid-argument`
 */
export function parseEgress(texts: readonly string[]): EgressPolicy | undefined {
  if (texts.length === 0) return undefined;
  const [first = ""] = texts;
  if (texts.some((text) => text === "all" || text === "none")) {
    if (new Set(texts).size > 1) refuse(texts.join(" "), "all and none go with nothing else");
    return first === "all" ? undefined : { rules: [] };
  }
  const rules = texts.flatMap((text) => {
    const [, list] = /^allow=(.+)$/.exec(text) ?? [];
    if (list === undefined) return refuse(text, "it is none of none, all, and allow=…");
    return list.split(",").map((item) => (item === "" ? refuse(text, "an item is empty") : parseItem(item)));
  });
  if (rules.length > mostRules) refuse(`${first} …`, `it has more than ${mostRules} items`);
  return { rules };
}

/** As it may be given again. */
export function egressText({ rules }: EgressPolicy): string {
  if (rules.length === 0) return "none";
  return `allow=${rules.map(ruleText).join(",")}`;
}

function ruleText({ name, prefix, ports, protocol }: EgressRule): string {
  const range =
    ports === undefined ? "" : ports.first === ports.last ? `${ports.first}` : `${ports.first}-${ports.last}`;
  const after = protocol === undefined ? "" : `/${protocol}`;
  if (name === undefined && prefix === undefined) return `${range}${after}`;
  const isV6 = prefix !== undefined && familyOf(prefix) === 6;
  const what = name ?? (isV6 && range !== "" ? `[${prefix}]` : (prefix ?? ""));
  return `${what}${range === "" ? "" : `:${range}`}${after}`;
}

/** Whether a rule's name is, or stands for, this one (in small letters). */
function covers(pattern: string, name: string): boolean {
  if (pattern === "*") return true;
  return pattern.startsWith("*.") ? name.endsWith(pattern.slice(1)) : pattern === name;
}

/** The rules that open the addresses of a name. */
export const rulesForName = ({ rules }: EgressPolicy, name: string): EgressRule[] =>
  rules.filter((rule) => rule.name !== undefined && covers(rule.name, name));

/** Whether a name may be asked for outside: names can carry what should not leave. */
export const mayAskFor = (policy: EgressPolicy, name: string): boolean =>
  policy.rules.some((rule) => (rule.name === undefined ? rule.prefix === undefined : covers(rule.name, name)));

/** Addresses that are not the world's: what answers for public names say of them is not believed. */
const notPublic = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"],
  ...["192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3"],
].map(parsePrefix);
/** Of IPv6, only what has been given to anybody is public. */
const publicV6 = parsePrefix("2000::/3");

export function isPublic(address: string): boolean {
  const number = ipToNumber(address);
  const within = ({ base, length }: (typeof notPublic)[number], bits: bigint): boolean =>
    number >> (bits - BigInt(length)) === base >> (bits - BigInt(length));
  if (familyOf(address) === 6) return within(publicV6, 128n);
  return !notPublic.some((prefix) => within(prefix, 32n));
}

export const privatePrefixes: readonly (typeof notPublic)[number][] = notPublic;
export const publicPrefixV6: typeof publicV6 = publicV6;
