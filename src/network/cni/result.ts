/** What plugins answer to ADD, in the forms of all versions of the specification (CNI 1.1, section 5). Pure. */
import { familyOf } from "../address/text.ts";
import { CniReader, isMissing, type JsonObject } from "./reader.ts";
import { cniVersions, isCniVersion, isSince, type CniVersion } from "./version.ts";

interface CniInterface {
  readonly name: string;
  readonly mac?: string;
  readonly mtu?: number;
  /** The network namespace's file; missing for one of the host. */
  readonly sandbox?: string;
  readonly socketPath?: string;
  readonly pciID?: string;
}

interface CniIp {
  /** With the prefix' length. */
  readonly address: string;
  readonly gateway?: string;
  /** Index in the result's interfaces. */
  readonly interface?: number;
}

interface CniRoute {
  readonly dst: string;
  readonly gw?: string;
  readonly mtu?: number;
  readonly advmss?: number;
  readonly priority?: number;
  readonly table?: number;
  readonly scope?: number;
}

export interface CniDns {
  readonly nameservers: readonly string[];
  readonly domain?: string;
  readonly search: readonly string[];
  readonly options: readonly string[];
}

export interface CniResult {
  readonly interfaces: readonly CniInterface[];
  readonly ips: readonly CniIp[];
  readonly routes: readonly CniRoute[];
  readonly dns: CniDns;
}

export const emptyResult: CniResult = {
  interfaces: [],
  ips: [],
  routes: [],
  dns: { nameservers: [], search: [], options: [] },
};

/** Most interfaces, addresses or routes of one result. */
const most = 1024;
const largest = 0xffff_ffff;

const withoutMissing = <T extends object>(object: { readonly [K in keyof T]: T[K] | undefined }): T =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;

function readInterface(reader: CniReader, value: unknown, at: string): CniInterface {
  const object = reader.object(value, at);
  const text = (name: string): string | undefined => reader.text(object[name], `${at}.${name}`);
  const name = reader.string(object["name"], `${at}.name`);
  if (name.length > 15 || name.includes("/")) throw reader.error(`${at}.name`, "must be an interface's name");
  const { mtu } = object;
  return withoutMissing<CniInterface>({
    name,
    mac: text("mac"),
    mtu: isMissing(mtu) || mtu === 0 ? undefined : reader.integer(mtu, `${at}.mtu`, 0, largest),
    sandbox: text("sandbox"),
    socketPath: text("socketPath"),
    pciID: text("pciID"),
  });
}

function readIp(reader: CniReader, value: unknown, at: string, interfaces: number): CniIp {
  const object = reader.object(value, at);
  const { gateway, interface: index } = object;
  return withoutMissing<CniIp>({
    address: reader.prefix(object["address"], `${at}.address`),
    gateway: isMissing(gateway) || gateway === "" ? undefined : reader.address(gateway, `${at}.gateway`),
    interface: isMissing(index) ? undefined : readIndex(reader, index, `${at}.interface`, interfaces),
  });
}

function readIndex(reader: CniReader, value: unknown, at: string, interfaces: number): number {
  if (interfaces === 0) throw reader.error(at, "names an interface, and the result has none");
  return reader.integer(value, at, 0, interfaces - 1);
}

function readRoute(reader: CniReader, value: unknown, at: string): CniRoute {
  const object = reader.object(value, at);
  const number = (name: string): number | undefined =>
    isMissing(object[name]) ? undefined : reader.integer(object[name], `${at}.${name}`, 0, largest);
  const { gw } = object;
  return withoutMissing<CniRoute>({
    dst: reader.prefix(object["dst"], `${at}.dst`),
    gw: isMissing(gw) || gw === "" ? undefined : reader.address(gw, `${at}.gw`),
    mtu: number("mtu"),
    advmss: number("advmss"),
    priority: number("priority"),
    table: number("table"),
    scope: number("scope"),
  });
}

/** Words of resolv.conf(5): none may begin another line, or another word. */
function readDns(reader: CniReader, value: unknown): CniDns {
  const object = isMissing(value) ? {} : reader.object(value, "dns");
  const word = (one: unknown, at: string): string => {
    const text = reader.string(one, at);
    if (!/^[^\s#;]{1,255}$/.test(text)) throw reader.error(at, "must be one word");
    return text;
  };
  const { domain } = object;
  return withoutMissing<CniDns>({
    nameservers: reader.list(object["nameservers"], "dns.nameservers", 64, (one, at) => reader.address(one, at)),
    domain: isMissing(domain) || domain === "" ? undefined : word(domain, "dns.domain"),
    search: reader.list(object["search"], "dns.search", 64, word),
    options: reader.list(object["options"], "dns.options", 64, word),
  });
}

/** A result, and the version that it is in. */
export interface ReadResult {
  readonly version: CniVersion;
  readonly result: CniResult;
}

/**
 * Reads what a plugin has printed.
 *
 * @param what words that follow `Cannot read`, e.g. `the answer of CNI plugin "bridge"`
 * @throws SampanError `failed-precondition`
 */
export function readResult(object: JsonObject, what: string): ReadResult {
  const reader = new CniReader(what);
  const version = reader.string(object["cniVersion"], "cniVersion");
  if (!isCniVersion(version))
    throw reader.error("cniVersion", `is "${version.slice(0, 40)}", must be one of ${cniVersions.join(", ")}`);
  const interfaces = reader.list(object["interfaces"], "interfaces", most, (one, at) => readInterface(reader, one, at));
  const result = {
    interfaces,
    ips: reader.list(object["ips"], "ips", most, (one, at) => readIp(reader, one, at, interfaces.length)),
    routes: reader.list(object["routes"], "routes", most, (one, at) => readRoute(reader, one, at)),
    dns: readDns(reader, object["dns"]),
  };
  return { version, result };
}

/**
 * A result as a version of the specification has it. What that version has no place for is left out: before 1.1.0 that is
 * more about interfaces and routes than their names, addresses and gateways. Before 1.0.0 each address tells its family.
 */
export function resultInVersion({ interfaces, ips, routes, dns }: CniResult, version: CniVersion): JsonObject {
  const isRich = isSince(version, "1.1.0");
  const hasFamily = !isSince(version, "1.0.0");
  return {
    cniVersion: version,
    interfaces: isRich
      ? interfaces
      : interfaces.map(({ name, mac, sandbox }) => withoutMissing<CniInterface>({ name, mac, sandbox })),
    ips: hasFamily ? ips.map((ip) => ({ version: String(familyOf(ip.address)), ...ip })) : ips,
    routes: isRich ? routes : routes.map(({ dst, gw }) => withoutMissing<CniRoute>({ dst, gw })),
    dns,
  };
}

/** Addresses of the network namespace with their prefix' lengths, those of one interface first. */
export function addressesOf({ interfaces, ips }: CniResult, first: string): readonly string[] {
  const place = (ip: CniIp): string | undefined => {
    const found = ip.interface === undefined ? undefined : interfaces[ip.interface];
    // Addresses of the host's interfaces are not the container's.
    if (found !== undefined && found.sandbox === undefined) return undefined;
    return found?.name ?? first;
  };
  const inside = ips.filter((ip) => place(ip) !== undefined);
  const ordered = [...inside.filter((ip) => place(ip) === first), ...inside.filter((ip) => place(ip) !== first)];
  return [...new Set(ordered.map(({ address }) => address))];
}
