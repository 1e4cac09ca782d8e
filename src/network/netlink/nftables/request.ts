/**
 * Requests to nf_tables as plain data, to bytes; and what it answers, back.
 *
 * Changes go in a batch that takes effect as a whole or not at all: NFNL_MSG_BATCH_BEGIN, the changes, NFNL_MSG_BATCH_END.
 * Their sequence numbers are 0 for the begin, 1, 2, 3 … for the changes. Only the last change asks to be acknowledged: the
 * kernel answers in order, and failures without being asked, so that its answer comes after those to all others.
 */
import { attributes } from "../attribute.ts";
import { contentOf, encodeMessages, flags, payload, type RawMessage } from "../message.ts";
import { be32 } from "../values.ts";
import {
  chainPayload,
  elementsPayload,
  families,
  generalHeader,
  rulePayload,
  setPayload,
  tablePayload,
  type Chain,
  type Elements,
  type NftSet,
  type Rule,
  type Table,
  type TableFamily,
} from "./objects.ts";

const subsystem = 10;
const batchBegin = 0x10;
const batchEnd = 0x11;
const batchPayload = payload(generalHeader, attributes({ generation: [1, be32] }));

interface Kinds {
  readonly table: Table;
  readonly chain: Chain;
  readonly rule: Rule;
  readonly set: NftSet;
  readonly elements: Elements;
}
type Kind = keyof Kinds;

interface Entry {
  /** NFT_MSG_NEW*, GET*, DEL* follow each other; NFT_MSG_DESTROY* are later. */
  readonly type: number;
  readonly destroy: number;
  readonly encode: (value: never) => Uint8Array;
  readonly decode: (payload: Uint8Array) => Kinds[Kind];
}

const entries: Readonly<Record<Kind, Entry>> = {
  table: { type: 0, destroy: 26, ...tablePayload },
  chain: { type: 3, destroy: 27, ...chainPayload },
  rule: { type: 6, destroy: 28, ...rulePayload },
  set: { type: 9, destroy: 29, ...setPayload },
  elements: { type: 12, destroy: 30, ...elementsPayload },
};

/**
 * `add` leaves what is there, `create` fails when it is, `append` puts a rule at its chain's end, `insert` at the beginning,
 * `destroy` (Linux 6.3) is `delete` that does not fail for what is missing.
 */
const actions = {
  add: flags.create,
  create: flags.create | flags.exclusive,
  append: flags.create | flags.append,
  insert: flags.create,
  replace: flags.replace,
  delete: 0,
  destroy: 0,
} as const;

export type NftablesAction = keyof typeof actions;

/** A value without its family. */
type Body<V> = Partial<Omit<V, "family" | "version" | "resource">>;

export type NftablesRequest = {
  readonly [K in Kind]: {
    readonly kind: K;
    readonly action: NftablesAction;
    readonly family: TableFamily;
    readonly value: Body<Kinds[K]>;
  };
}[Kind];

export type NftablesQuery = {
  readonly [K in Kind]: {
    readonly kind: K;
    readonly action: "get" | "dump";
    /** All families when it is missing. */
    readonly family?: TableFamily;
    readonly value: Body<Kinds[K]>;
  };
}[Kind];

export type NftablesReply = {
  readonly [K in Kind]: { readonly kind: K; readonly value: Kinds[K] };
}[Kind];

function typeOf(entry: Entry, action: NftablesAction): number {
  const number = action === "destroy" ? entry.destroy : entry.type + (action === "delete" ? 2 : 0);
  return (subsystem << 8) | number;
}

/**
 * @param generation of the ruleset that the changes suppose; they fail with ERESTART when it is another one now. Not
 *   checked when missing
 */
export function encodeBatch(requests: readonly NftablesRequest[], generation?: number): Uint8Array<ArrayBuffer> {
  const edge = { resource: subsystem, ...(generation === undefined ? {} : { generation }) };
  return encodeMessages([
    { type: batchBegin, flags: flags.request, sequence: 0, payload: batchPayload.encode(edge) },
    ...requests.map((request, index) => ({
      type: typeOf(entries[request.kind], request.action),
      flags: flags.request | actions[request.action] | (index + 1 === requests.length ? flags.ack : 0),
      sequence: index + 1,
      payload: entries[request.kind].encode({ ...request.value, family: families[request.family] } as never),
    })),
    {
      type: batchEnd,
      flags: flags.request,
      sequence: requests.length + 1,
      payload: batchPayload.encode({ resource: subsystem }),
    },
  ]);
}

/** Questions, outside of any batch. */
export function encodeQueries(queries: readonly NftablesQuery[]): Uint8Array<ArrayBuffer> {
  return encodeMessages(
    queries.map((query, index) => ({
      type: (subsystem << 8) | (entries[query.kind].type + 1),
      flags: flags.request | flags.ack | (query.action === "dump" ? flags.dump : 0),
      sequence: index + 1,
      payload: entries[query.kind].encode({
        ...query.value,
        family: query.family === undefined ? 0 : families[query.family],
      } as never),
    })),
  );
}

/** Acknowledgements, and kinds that are not known here, are left out. */
export function decodeNftablesReplies(messages: readonly RawMessage[]): NftablesReply[] {
  return contentOf(messages).flatMap(({ type, payload: bytes }) => {
    const found = Object.entries(entries).find(([, entry]) => type === ((subsystem << 8) | entry.type));
    if (found === undefined) return [];
    return [{ kind: found[0], value: found[1].decode(bytes) } as NftablesReply];
  });
}

const generationType = 15;
const generationPayload = payload(generalHeader, attributes({ generation: [1, be32] }));

/** Asks for the number of the packet filter's state (NFT_MSG_GETGEN). */
export const generationQuery: Uint8Array = encodeMessages([
  {
    type: (subsystem << 8) | (generationType + 1),
    flags: flags.request | flags.ack,
    sequence: 1,
    payload: generationPayload.encode({}),
  },
]);

export function decodeGeneration(messages: readonly RawMessage[]): number {
  const found = messages.find(({ type }) => type === ((subsystem << 8) | generationType));
  return found === undefined ? 0 : (generationPayload.decode(found.payload).generation ?? 0);
}
