/** Requests to rtnetlink as plain data, to bytes; and what it answers, back (rtnetlink(7)). */
import { contentOf, encodeMessages, flags, type RawMessage } from "../message.ts";
import { linkPayload, type Link } from "./link.ts";
import { qdiscPayload, type Qdisc } from "./qdisc.ts";
import {
  addressPayload,
  namespacePayload,
  neighbourPayload,
  routePayload,
  rulePayload,
  type Address,
  type NamespaceId,
  type Neighbour,
  type Route,
  type Rule,
} from "./objects.ts";

interface Kinds {
  readonly link: Link;
  readonly address: Address;
  readonly route: Route;
  readonly neighbour: Neighbour;
  readonly rule: Rule;
  readonly qdisc: Qdisc;
  readonly namespace: NamespaceId;
}

type Kind = keyof Kinds;

interface Entry {
  /** Number of RTM_NEW*; RTM_DEL* and RTM_GET* follow it. */
  readonly type: number;
  readonly encode: (value: never) => Uint8Array;
  readonly decode: (payload: Uint8Array) => Kinds[Kind];
}

const entries: Readonly<Record<Kind, Entry>> = {
  link: { type: 16, ...linkPayload },
  address: { type: 20, ...addressPayload },
  route: { type: 24, ...routePayload },
  neighbour: { type: 28, ...neighbourPayload },
  rule: { type: 32, ...rulePayload },
  qdisc: { type: 36, ...qdiscPayload },
  namespace: { type: 88, ...namespacePayload },
};

/**
 * `add` fails when it is there, `ensure` makes or changes it, `replace` is `ensure` for what is replaced as a whole (routes,
 * addresses, neighbours), `change` fails when it is missing.
 */
const actions = {
  add: [0, flags.create | flags.exclusive],
  ensure: [0, flags.create],
  replace: [0, flags.create | flags.replace],
  append: [0, flags.create | flags.append],
  change: [0, 0],
  delete: [1, 0],
  get: [2, 0],
  dump: [2, flags.dump],
} as const;

export type RouteAction = keyof typeof actions;

export type RouteRequest = {
  readonly [K in Kind]: { readonly kind: K; readonly action: RouteAction; readonly value: Partial<Kinds[K]> };
}[Kind];

export type RouteReply = {
  readonly [K in Kind]: { readonly kind: K; readonly deleted: boolean; readonly value: Kinds[K] };
}[Kind];

/** Messages with the sequence numbers 1, 2, 3 …, each of which asks to be acknowledged. */
export function encodeRouteRequests(requests: readonly RouteRequest[]): Uint8Array<ArrayBuffer> {
  return encodeMessages(
    requests.map((request, index) => {
      const entry = entries[request.kind];
      const [offset, extra] = actions[request.action];
      return {
        type: entry.type + offset,
        flags: flags.request | flags.ack | extra,
        sequence: index + 1,
        payload: entry.encode(request.value as never),
      };
    }),
  );
}

/** Acknowledgements, and kinds that are not known here, are left out. */
export function decodeRouteReplies(messages: readonly RawMessage[]): RouteReply[] {
  return contentOf(messages).flatMap(({ type, payload }) => {
    const found = Object.entries(entries).find(([, entry]) => type === entry.type || type === entry.type + 1);
    if (found === undefined) return [];
    const [kind, entry] = found;
    return [{ kind, deleted: type !== entry.type, value: entry.decode(payload) } as RouteReply];
  });
}
