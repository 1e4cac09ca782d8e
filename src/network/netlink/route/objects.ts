/**
 * Addresses, routes, neighbours, rules and namespace ids (include/uapi/linux/{if_addr,rtnetlink,neighbour,fib_rules,
 * net_namespace}.h).
 */
import { attributes, type AttributeTable } from "../attribute.ts";
import { header, payload } from "../message.ts";
import { i32, ip, mac, text, u16, u32, u8 } from "../values.ts";

export const family = { any: 0, inet: 2, bridge: 7, inet6: 10 } as const;

/** IFA_F_*: do not check by asking around whether somebody has the address; it stays when the interface goes down. */
export const addressFlags = { noDuplicateDetection: 0x2, permanent: 0x80 } as const;

export const addressPayload = payload(
  header([
    ["family", "u8"],
    ["prefixLength", "u8"],
    ["headerFlags", "u8"],
    ["scope", "u8"],
    ["index", "u32"],
  ]),
  attributes({
    /** The address, or that of the other end of a point-to-point link. */
    address: [1, ip],
    local: [2, ip],
    label: [3, text],
    broadcast: [4, ip],
    flags: [8, u32],
    priority: [9, u32],
  } as const satisfies AttributeTable),
);
export type Address = ReturnType<typeof addressPayload.decode>;

export const routeTables = { default: 253, main: 254, local: 255 } as const;
export const routeProtocols = { kernel: 2, boot: 3, static: 4 } as const;
export const routeScopes = { universe: 0, site: 200, link: 253, host: 254, nowhere: 255 } as const;
export const routeTypes = { unicast: 1, local: 2, broadcast: 3, blackhole: 6, unreachable: 7, prohibit: 8 } as const;

export const routePayload = payload(
  header([
    ["family", "u8"],
    ["destinationLength", "u8"],
    ["sourceLength", "u8"],
    ["typeOfService", "u8"],
    ["headerTable", "u8"],
    ["protocol", "u8"],
    ["scope", "u8"],
    ["routeType", "u8"],
    ["flags", "u32"],
  ]),
  attributes({
    destination: [1, ip],
    source: [2, ip],
    /** Index of the interface that packets come in by. */
    input: [3, u32],
    /** Index of the interface that they leave by. */
    output: [4, u32],
    gateway: [5, ip],
    priority: [6, u32],
    preferredSource: [7, ip],
    metrics: [8, attributes({ mtu: [2, u32], window: [3, u32], advertisedMss: [8, u32] })],
    table: [15, u32],
    mark: [16, u32],
    /** Router preference of RFC 4191. */
    preference: [20, u8],
  } as const satisfies AttributeTable),
);
export type Route = ReturnType<typeof routePayload.decode>;

export const neighbourStates = { reachable: 0x2, stale: 0x4, noArp: 0x40, permanent: 0x80 } as const;

export const neighbourPayload = payload(
  header([
    ["family", "u8"],
    ["", "pad8"],
    ["", "pad16"],
    ["index", "i32"],
    ["state", "u16"],
    ["flags", "u8"],
    ["neighbourType", "u8"],
  ]),
  attributes({
    /** Missing in a bridge's forwarding table. */
    destination: [1, ip],
    address: [2, mac],
    probes: [4, u32],
    vlan: [5, u16],
    /** Index of the bridge. */
    master: [9, u32],
  } as const satisfies AttributeTable),
);
export type Neighbour = ReturnType<typeof neighbourPayload.decode>;

export const ruleActions = { toTable: 1, goto: 2, nop: 3, blackhole: 6, unreachable: 7, prohibit: 8 } as const;

export const rulePayload = payload(
  header([
    ["family", "u8"],
    ["destinationLength", "u8"],
    ["sourceLength", "u8"],
    ["typeOfService", "u8"],
    ["headerTable", "u8"],
    ["", "pad8"],
    ["", "pad8"],
    ["action", "u8"],
    /** FIB_RULE_INVERT is 2. */
    ["flags", "u32"],
  ]),
  attributes({
    destination: [1, ip],
    source: [2, ip],
    inputName: [3, text],
    goto: [4, u32],
    priority: [6, u32],
    mark: [10, u32],
    suppressGroup: [13, i32],
    suppressPrefixLength: [14, i32],
    table: [15, u32],
    markMask: [16, u32],
    outputName: [17, text],
    protocol: [21, u8],
  } as const satisfies AttributeTable),
);
export type Rule = ReturnType<typeof rulePayload.decode>;

export const namespacePayload = payload(
  header([
    ["family", "u8"],
    ["", "pad8"],
    ["", "pad16"],
  ]),
  attributes({
    /** What the asker's namespace calls another one; -1 for none. */
    id: [1, i32],
    pid: [2, u32],
    /** A descriptor of the sender. */
    fd: [3, u32],
  } as const satisfies AttributeTable),
);
export type NamespaceId = ReturnType<typeof namespacePayload.decode>;
