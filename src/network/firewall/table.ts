/**
 * Sampan's own table of the packet filter, `inet sampan`. Its rules never change: what networks and containers there are is
 * in sets and maps, so that one more is a few elements. What another table drops (a host's firewall) stays dropped, and
 * nothing here touches another table.
 *
 *     bridges    names of all networks' bridges
 *     internal   those whose network has no way out
 *     open       those that are not isolated from each other
 *     metadata   those whose containers may reach link-local addresses
 *     allowed    pairs of bridges between which packets pass: each with itself
 *     own4/6     each bridge with its network's addresses
 *     subnets4/6 addresses that are hidden behind the host's when they leave it
 *     any4/6     published on every address of the host: protocol . port → address . port of the container
 *     bound4/6   published on one address of the host
 */
import type { NftablesRequest } from "../netlink/nftables/request.ts";
import type { Expression } from "../netlink/nftables/expression.ts";
import { ctStates, ctStatus, verdicts } from "../netlink/nftables/expression.ts";
import { hooks, priorities, setFlags } from "../netlink/nftables/objects.ts";
import { fieldLengths, keyLength, typeNumber, type FieldType } from "./keys.ts";
import * as m from "./match.ts";

export const tableName = "sampan";
const family = "inet";

interface SetShape {
  readonly key: readonly FieldType[];
  /** Of a map. */
  readonly data?: readonly FieldType[];
  readonly interval?: true;
}

export const sets = {
  bridges: { key: ["ifname"] },
  internal: { key: ["ifname"] },
  open: { key: ["ifname"] },
  metadata: { key: ["ifname"] },
  allowed: { key: ["ifname", "ifname"] },
  own4: { key: ["ifname", "ipv4_addr"], interval: true },
  own6: { key: ["ifname", "ipv6_addr"], interval: true },
  subnets4: { key: ["ipv4_addr"], interval: true },
  subnets6: { key: ["ipv6_addr"], interval: true },
  any4: { key: ["inet_proto", "inet_service"], data: ["ipv4_addr", "inet_service"] },
  any6: { key: ["inet_proto", "inet_service"], data: ["ipv6_addr", "inet_service"] },
  bound4: { key: ["ipv4_addr", "inet_proto", "inet_service"], data: ["ipv4_addr", "inet_service"] },
  bound6: { key: ["ipv6_addr", "inet_proto", "inet_service"], data: ["ipv6_addr", "inet_service"] },
} as const satisfies Readonly<Record<string, SetShape>>;

export type SetName = keyof typeof sets;

/** For nft only, which else shows names of interfaces backwards: NFTNL_UDATA_SET_KEYBYTEORDER, 4 bytes, host order. */
const hostByteOrder = Uint8Array.of(0, 4, 1, 0, 0, 0);

function setRequest(name: string, { key, data, interval }: SetShape, id: number): NftablesRequest {
  // The kernel is told a key's fields only where it has to compare each by itself.
  const ranges = interval === true && key.length > 1;
  const flags =
    (data === undefined ? 0 : setFlags.map) |
    (interval === undefined ? 0 : setFlags.interval) |
    (ranges ? setFlags.concatenation : 0);
  const description = { concatenation: fieldLengths(key).map((length) => ({ length })) };
  return {
    kind: "set",
    action: "add",
    family,
    value: {
      table: tableName,
      name,
      id,
      flags,
      keyType: typeNumber(key),
      keyLength: keyLength(key),
      ...(key.length === 1 && key[0] === "ifname" ? { userData: hostByteOrder } : {}),
      ...(ranges ? { description } : {}),
      ...(data === undefined ? {} : { dataType: typeNumber(data), dataLength: keyLength(data) }),
    },
  };
}

interface ChainShape {
  /** Of a base chain. */
  readonly hook?: readonly [type: "filter" | "nat", hook: keyof typeof hooks, priority: number];
  readonly rules: readonly (readonly Expression[])[];
}

const loopback = (side: "source" | "destination"): readonly Expression[] => m.addressWithin(4, side, "127.0.0.0", 8);

const guarded: readonly Expression[] = [...m.inputIn("bridges"), ...m.inputNotIn("metadata")];

/** In the order in which they must be made: a chain before one that jumps to it. */
const chains: Readonly<Record<string, ChainShape>> = {
  // Bridges accept addresses of 127/8 (route_localnet), so that what is published is reachable from the host's loopback. No
  // container may use that, neither to reach what listens there (CVE-2020-8558) nor to pass for it.
  guard: {
    hook: ["filter", "prerouting", priorities.raw],
    rules: [
      [...m.inputIn("bridges"), ...loopback("destination"), m.drop],
      [...m.inputIn("bridges"), ...loopback("source"), m.drop],
    ],
  },
  ports: {
    rules: [
      m.destinationNat(4, "bound4", true),
      m.destinationNat(4, "any4", false),
      m.destinationNat(6, "bound6", true),
      m.destinationNat(6, "any6", false),
    ],
  },
  // A packet from outside for 127/8 would be dropped later as impossible; here it would get a new destination before.
  prerouting: {
    hook: ["nat", "prerouting", priorities.destinationNat],
    rules: [
      [...loopback("destination"), m.leave],
      [...m.toThisHost, m.jump("ports")],
    ],
  },
  output: {
    hook: ["nat", "output", priorities.destinationNat],
    // IPv6's loopback can't be translated: processes listen there (ports/forward.ts).
    rules: [
      [...m.addressWithin(6, "destination", "::1", 128), m.leave],
      [...m.toThisHost, m.jump("ports")],
    ],
  },
  postrouting: {
    hook: ["nat", "postrouting", priorities.sourceNat],
    rules: [
      [...m.outputIn("bridges"), ...loopback("source"), m.masquerade],
      // A container that reaches its network by the host's address: the answer has to come back the same way.
      // Such a packet may be bridged and not routed (br_netfilter), and has no interface that it came in by then.
      [...m.leavingTo(4, "own4"), ...m.connection("status", ctStatus.destinationNat), m.masquerade],
      [...m.leavingTo(6, "own6"), ...m.connection("status", ctStatus.destinationNat), m.masquerade],
      [...m.addressIn(4, "source", "subnets4"), ...m.outputNotIn("bridges"), m.masquerade],
      [...m.addressIn(6, "source", "subnets6"), ...m.outputNotIn("bridges"), m.masquerade],
    ],
  },
  forward: {
    hook: ["filter", "forward", priorities.filter],
    rules: [
      [...m.interfacesIn("allowed"), m.accept],
      [...m.outputIn("internal"), m.drop],
      [...m.inputIn("internal"), m.drop],
      // Where clouds give credentials to whoever asks.
      [...guarded, ...m.addressWithin(4, "destination", "169.254.0.0", 16), m.drop],
      [...guarded, ...m.addressWithin(6, "destination", "fd00:ec2::254", 128), m.drop],
      [...m.inputIn("open"), ...m.outputIn("open"), m.accept],
      [...m.connection("state", ctStates.established | ctStates.related), m.accept],
      [...m.outputIn("bridges"), ...m.connection("status", ctStatus.destinationNat), m.accept],
      [...m.outputIn("bridges"), m.drop],
    ],
  },
};

const remove: NftablesRequest = { kind: "table", action: "delete", family, value: { name: tableName } };
const make: NftablesRequest = { kind: "table", action: "add", family, value: { name: tableName } };

/** Removes the table, whether it is there or not. */
export const removeTable: readonly NftablesRequest[] = [make, remove];

/** The table as it is without any network, in place of whatever table of this name there is. */
export function makeTable(): NftablesRequest[] {
  const requests: NftablesRequest[] = [...removeTable, make];
  for (const [index, [name, shape]] of Object.entries(sets).entries())
    requests.push(setRequest(name, shape, index + 1));
  for (const [name, { hook }] of Object.entries(chains)) {
    const base =
      hook === undefined
        ? {}
        : { type: hook[0], hook: { number: hooks[hook[1]], priority: hook[2] }, policy: verdicts.accept };
    requests.push({ kind: "chain", action: "add", family, value: { table: tableName, name, ...base } });
  }
  for (const [chain, { rules }] of Object.entries(chains))
    for (const expressions of rules)
      requests.push({ kind: "rule", action: "append", family, value: { table: tableName, chain, expressions } });
  return requests;
}
