/** Tables, chains, rules, sets and their elements (include/uapi/linux/netfilter/nf_tables.h). */
import { attributes, list, type AttributeTable } from "../attribute.ts";
import { header, payload } from "../message.ts";
import { be32, be64, beI32, raw, text } from "../values.ts";
import { data, elementCounter, expression } from "./expression.ts";

/** NFPROTO_*: which packets a table sees. */
export const families = { inet: 1, ip: 2, arp: 3, netdev: 5, bridge: 7, ip6: 10 } as const;
export type TableFamily = keyof typeof families;

export const hooks = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const;
/** Priorities by nft's names for them. */
export const priorities = { raw: -300, mangle: -150, destinationNat: -100, filter: 0, sourceNat: 100 } as const;

export const setFlags = {
  anonymous: 0x1,
  constant: 0x2,
  interval: 0x4,
  map: 0x8,
  timeout: 0x10,
  /** Rules add to it. */
  dynamic: 0x20,
  concatenation: 0x80,
} as const;
export const elementFlags = { intervalEnd: 0x1, catchAll: 0x2 } as const;

/** struct nfgenmsg. `resource` is the subsystem's number in the messages around a batch. */
export const generalHeader = header([
  ["family", "u8"],
  ["version", "u8"],
  ["resource", "be16"],
]);

export const tablePayload = payload(
  generalHeader,
  attributes({
    name: [1, text],
    /** 1 is dormant, 2 owned by the socket that made it. */
    flags: [2, be32],
    use: [3, be32],
    handle: [4, be64],
    userData: [6, raw],
  } as const satisfies AttributeTable),
);

export const chainPayload = payload(
  generalHeader,
  attributes({
    table: [1, text],
    handle: [2, be64],
    name: [3, text],
    /** Of a base chain. */
    hook: [4, attributes({ number: [1, be32], priority: [2, beI32], device: [3, text] })],
    /** Verdict at a base chain's end. */
    policy: [5, be32],
    use: [6, be32],
    type: [7, text],
    flags: [10, be32],
    id: [11, be32],
  } as const satisfies AttributeTable),
);

export const rulePayload = payload(
  generalHeader,
  attributes({
    table: [1, text],
    chain: [2, text],
    handle: [3, be64],
    expressions: [4, list(expression)],
    /** Handle of the rule that it stands before (or after, when appended). */
    position: [6, be64],
    userData: [7, raw],
    id: [9, be32],
  } as const satisfies AttributeTable),
);

export const setPayload = payload(
  generalHeader,
  attributes({
    table: [1, text],
    name: [2, text],
    flags: [3, be32],
    /** Not used by the kernel: tells nft how to show keys (see `types.ts`). */
    keyType: [4, be32],
    keyLength: [5, be32],
    dataType: [6, be32],
    dataLength: [7, be32],
    /** 0 performance, 1 memory. */
    policy: [8, be32],
    description: [9, attributes({ size: [1, be32], concatenation: [2, list(attributes({ length: [1, be32] }))] })],
    id: [10, be32],
    /** Milliseconds. */
    timeout: [11, be64],
    collectInterval: [12, be32],
    userData: [13, raw],
    handle: [16, be64],
  } as const satisfies AttributeTable),
);

const element = attributes({
  key: [1, data],
  data: [2, data],
  flags: [3, be32],
  /** Milliseconds. */
  timeout: [4, be64],
  expiration: [5, be64],
  userData: [6, raw],
  counter: [7, elementCounter],
  /** Last key of an interval of concatenations. */
  keyEnd: [10, data],
});

export const elementsPayload = payload(
  generalHeader,
  attributes({
    table: [1, text],
    set: [2, text],
    elements: [3, list(element)],
    setId: [4, be32],
  } as const satisfies AttributeTable),
);

export type Table = ReturnType<typeof tablePayload.decode>;
export type Chain = ReturnType<typeof chainPayload.decode>;
export type Rule = ReturnType<typeof rulePayload.decode>;
export type NftSet = ReturnType<typeof setPayload.decode>;
export type Elements = ReturnType<typeof elementsPayload.decode>;
export type Element = ReturnType<typeof element.read>;
