/** What containers with a policy add to the sets of `sets.ts`. */
import { numberToBytes } from "../address/prefix.ts";
import { familyOf, ipToBytes, type Family } from "../address/text.ts";
import { keyBytes, protocols } from "../firewall/keys.ts";
import type { Element } from "../netlink/nftables/objects.ts";
import type { NftablesRequest } from "../netlink/nftables/request.ts";
import type { EndpointRecord, NetworkRecord } from "../records.ts";
import { boxesOf } from "./boxes.ts";
import { egressSets, egressTable, type EgressFamily, type EgressSet } from "./sets.ts";

type Change = "add" | "delete";
const families = ["inet", "bridge"] as const;

/** An attribute has at most 64 KiB, and an element of ranges takes less than 200 bytes. */
const chunk = 300;

function requests(
  action: Change,
  family: EgressFamily,
  set: EgressSet<"inet"> | EgressSet<"bridge">,
  elements: readonly Element[],
): NftablesRequest[] {
  const list: NftablesRequest[] = [];
  for (let at = 0; at < elements.length; at += chunk)
    list.push({
      kind: "elements",
      action,
      family,
      value: { table: egressTable, set, elements: elements.slice(at, at + chunk) },
    });
  return list;
}

const plain = (address: string): string => address.replace(/\/\d+$/, "");

/** from . to . protocol . port; a concatenation's fields are padded to four bytes. */
function flowKey(from: Uint8Array, to: Uint8Array, protocol: number, port: number): Uint8Array {
  const bytes = new Uint8Array(from.length * 2 + 8);
  bytes.set(from);
  bytes.set(to, from.length);
  bytes[from.length * 2] = protocol;
  new DataView(bytes.buffer).setUint16(from.length * 2 + 4, port);
  return bytes;
}

/** What the policy of a container opens by itself, and whose packets it is about. */
export function egressElements(
  action: Change,
  network: NetworkRecord | undefined,
  endpoint: EndpointRecord,
): NftablesRequest[] {
  const { egress, addresses, hostInterface } = endpoint;
  if (egress === undefined) return [];
  const list: NftablesRequest[] = [
    ...requests(action, "bridge", "interfaces", [{ key: { value: keyBytes(["ifname"], [hostInterface]) } }]),
  ];
  for (const address of addresses.map(plain)) {
    const family = familyOf(address);
    const type = family === 4 ? ("ipv4_addr" as const) : ("ipv6_addr" as const);
    const from = ipToBytes(address);
    const open: Element[] = boxesOf(egress, family).map(([to, protocol, port]) => ({
      key: { value: flowKey(from, numberToBytes(family, to[0]), Number(protocol[0]), Number(port[0])) },
      keyEnd: { value: flowKey(from, numberToBytes(family, to[1]), Number(protocol[1]), Number(port[1])) },
    }));
    list.push(
      ...requests(action, "bridge", `sources${family}`, [
        { key: { value: keyBytes(["ifname", type], [hostInterface, address]) } },
      ]),
      ...families.flatMap((table) => requests(action, table, `open${family}`, open)),
      ...requests(action, "inet", `restricted${family}`, [{ key: { value: from } }]),
    );
  }
  // Others may be on the network, so that they stay when this one goes.
  if (action === "add" && network !== undefined) list.push(...resolverElements(network));
  return list;
}

function resolverElements({ subnets }: NetworkRecord): NftablesRequest[] {
  return subnets.flatMap(({ gateway }) => {
    const set = `resolvers${familyOf(gateway)}` as const;
    const elements = (["tcp", "udp"] as const).map((protocol) => ({
      key: { value: keyBytes(egressSets.inet[set].key, [gateway, protocol, 53]) },
    }));
    return requests("add", "inet", set, elements);
  });
}

/** An address that a name has, for one container's address. */
export interface OpenedAddress {
  readonly from: string;
  readonly to: string;
  /** All protocols and ports when missing. */
  readonly service?: { readonly protocol: number; readonly port: number };
}

const setOf = ({ to, service }: OpenedAddress): `named${Family}` | `ports${Family}` =>
  `${service === undefined ? "named" : "ports"}${familyOf(to)}`;

function keyOf({ from, to, service }: OpenedAddress): Uint8Array {
  const [source, target] = [ipToBytes(from), ipToBytes(to)];
  if (service !== undefined) return flowKey(source, target, service.protocol, service.port);
  return Uint8Array.of(...source, ...target);
}

/**
 * Opens addresses for some time, or for longer when they are open: kernels differ in what adding an element does that is
 * there, but after being removed it is not there.
 *
 * @param timeout milliseconds
 */
export function openElements(
  opened: readonly { readonly what: OpenedAddress; readonly timeout: number }[],
): NftablesRequest[] {
  return families.flatMap((family) =>
    opened.flatMap(({ what, timeout }) => {
      const element: Element = { key: { value: keyOf(what) }, timeout: BigInt(Math.ceil(timeout)) };
      const set = setOf(what);
      return [
        ...requests("add", family, set, [element]),
        ...requests("delete", family, set, [{ key: element.key ?? {} }]),
        ...requests("add", family, set, [element]),
      ];
    }),
  );
}

/** As it stands in a set. */
export function elementRequest(
  action: Change,
  family: EgressFamily,
  set: string,
  elements: readonly Element[],
): NftablesRequest[] {
  return requests(action, family, set as EgressSet, elements);
}

const numbers = new Map<number, string>(Object.entries(protocols).map(([name, number]) => [number, name]));
numbers.set(1, "icmp").set(58, "icmp");

/** What was refused to a container's address. */
export interface RefusedPackets {
  readonly from: string;
  readonly to: string;
  /** Name, or number. */
  readonly protocol: string;
  /** Undefined where the protocol has none. */
  readonly port?: number;
  readonly packets: number;
  readonly bytes: number;
  /** Milliseconds since the last one. */
  readonly age: number;
}

/** @param keep milliseconds for which the set keeps an element */
export function readRefused(
  family: Family,
  { key, counter, expiration }: Element,
  keep: number,
  toText: (bytes: Uint8Array) => string,
): RefusedPackets | undefined {
  const bytes = key?.value;
  const width = family === 4 ? 4 : 16;
  if (bytes === undefined || bytes.length < width * 2 + 8) return undefined;
  const number = bytes[width * 2] ?? 0;
  const protocol = numbers.get(number) ?? String(number);
  const port = ((bytes[width * 2 + 4] ?? 0) << 8) | (bytes[width * 2 + 5] ?? 0);
  return {
    from: toText(bytes.subarray(0, width)),
    to: toText(bytes.subarray(width, width * 2)),
    protocol,
    ...(protocol in protocols ? { port } : {}),
    packets: Number(counter?.packets ?? 0n),
    bytes: Number(counter?.bytes ?? 0n),
    age: Math.max(0, keep - Number(expiration ?? 0n)),
  };
}
