/** The expressions of an nf_tables rule: small instructions over registers (include/uapi/linux/netfilter/nf_tables.h). */
import {
  attributes,
  eachAttribute,
  writeAttribute,
  type Attributes,
  type AttributeTable,
  type Codec,
} from "../attribute.ts";
import { be16, be32, be64, beI32, raw, text, u8 } from "../values.ts";

/** Verdicts: NF_* and NFT_*. */
export const verdicts = { drop: 0, accept: 1, continue: -1, break: -2, jump: -3, goto: -4, return: -5 } as const;

export const comparisons = { equal: 0, notEqual: 1, less: 2, lessOrEqual: 3, greater: 4, greaterOrEqual: 5 } as const;
export const payloadBases = { link: 0, network: 1, transport: 2 } as const;
export const metaKeys = {
  length: 0,
  etherType: 1,
  mark: 3,
  inputName: 6,
  outputName: 7,
  family: 15,
  protocol: 16,
} as const;
export const ctKeys = { state: 0, direction: 1, status: 2, mark: 3 } as const;
/** NF_CT_STATE_BIT of the states. */
export const ctStates = { invalid: 1, established: 2, related: 4, new: 8 } as const;
/** IPS_*: what was done to a connection. */
export const ctStatus = { sourceNat: 0x10, destinationNat: 0x20 } as const;
export const natTypes = { source: 0, destination: 1 } as const;
export const lookupFlags = { inverted: 1 } as const;
export const fibResults = { output: 1, outputName: 2, addressType: 3 } as const;
export const fibFlags = { source: 1, destination: 2, mark: 4, input: 8, output: 16, present: 32 } as const;
/** RTN_LOCAL: what a look-up of an address type gives for the host's own. */
export const localAddress = 2;
export const rejectTypes = { icmp: 0, tcpReset: 1, icmpInet: 2 } as const;

const verdict = attributes({ code: [1, beI32], chain: [2, text] });
/** What a register or a set's element holds. */
export const data = attributes({ value: [1, raw], verdict: [2, verdict] });
export type Data = Attributes<typeof data.table>;

const counter = attributes({ bytes: [1, be64], packets: [2, be64] });

/** Part of an element: the counter that it has of its own. */
export const elementCounter: Codec<Attributes<typeof counter.table>> = {
  nested: true,
  write(out, value) {
    writeAttribute(out, 1, text, "counter");
    writeAttribute(out, 2, counter, value);
  },
  read(bytes) {
    const parts = new Map(eachAttribute(bytes));
    const isCounter = text.read(parts.get(1) ?? new Uint8Array()) === "counter";
    return isCounter ? counter.read(parts.get(2) ?? new Uint8Array()) : {};
  },
};

/** What a rule does to a set's element. */
export const setActions = { add: 0, update: 1, delete: 2 } as const;

const tables = {
  immediate: attributes({ destination: [1, be32], data: [2, data] }),
  bitwise: attributes({
    source: [1, be32],
    destination: [2, be32],
    length: [3, be32],
    mask: [4, data],
    xor: [5, data],
  }),
  cmp: attributes({ source: [1, be32], operator: [2, be32], data: [3, data] }),
  lookup: attributes({ set: [1, text], source: [2, be32], destination: [3, be32], setId: [4, be32], flags: [5, be32] }),
  payload: attributes({ destination: [1, be32], base: [2, be32], offset: [3, be32], length: [4, be32] }),
  meta: attributes({ destination: [1, be32], key: [2, be32], source: [3, be32] }),
  ct: attributes({ destination: [1, be32], key: [2, be32], direction: [3, u8], source: [4, be32] }),
  /** `rate` in `unit` seconds. Type 0 counts packets, 1 bytes; flag 1 matches what is over the limit. */
  limit: attributes({ rate: [1, be64], unit: [2, be64], burst: [3, be32], type: [4, be32], flags: [5, be32] }),
  counter,
  log: attributes({ group: [1, be16], prefix: [2, text], snapLength: [3, be32], level: [5, be32], flags: [6, be32] }),
  nat: attributes({
    type: [1, be32],
    /** NFPROTO_*: 2 IPv4, 10 IPv6. */
    family: [2, be32],
    addressMin: [3, be32],
    addressMax: [4, be32],
    portMin: [5, be32],
    portMax: [6, be32],
    flags: [7, be32],
  }),
  masq: attributes({ flags: [1, be32], portMin: [2, be32], portMax: [3, be32] }),
  redir: attributes({ portMin: [1, be32], portMax: [2, be32], flags: [3, be32] }),
  reject: attributes({ type: [1, be32], code: [2, u8] }),
  dynset: attributes({
    set: [1, text],
    setId: [2, be32],
    action: [3, be32],
    sourceKey: [4, be32],
    sourceData: [5, be32],
    /** Milliseconds. */
    timeout: [6, be64],
    expression: [7, elementCounter],
  }),
  fib: attributes({ destination: [1, be32], result: [2, be32], flags: [3, be32] }),
} as const;

type Tables = typeof tables;
type Values<C> = C extends Codec<infer V> ? V : never;

export type Expression =
  | { readonly [N in keyof Tables]: { readonly name: N } & Values<Tables[N]> }[keyof Tables]
  /** One that is not known here. */
  | { readonly name: "other"; readonly of: string; readonly bytes: Uint8Array };

const codecs: ReadonlyMap<string, Codec<unknown>> = new Map<string, Codec<unknown>>(Object.entries(tables));

export const expression: Codec<Expression> = {
  nested: true,
  write(out, value) {
    const known = codecs.get(value.name);
    writeAttribute(out, 1, text, value.name === "other" ? value.of : value.name);
    if (known !== undefined) writeAttribute(out, 2, known, value);
    else if (value.name === "other") writeAttribute(out, 2, raw, value.bytes);
  },
  read(bytes) {
    const parts = new Map(eachAttribute(bytes));
    const name = text.read(parts.get(1) ?? new Uint8Array());
    const body = parts.get(2) ?? new Uint8Array();
    const known = codecs.get(name);
    if (known === undefined) return { name: "other", of: name, bytes: body.slice() };
    return { name, ...(known.read(body) as object) } as Expression;
  },
};

/** For tests of the codec: every known expression's attributes. */
export const expressionTables: Readonly<Record<string, { readonly table: AttributeTable }>> = tables;
