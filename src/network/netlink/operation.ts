/** Requests as keel's operations, and its results as replies. */
import { constants } from "node:os";
import { isSampanError, SampanError } from "#errdefs";
import type { Executor } from "#keel";
import type { Operation } from "#plan";
import { encodeConnectionQuery, encodeConnectionRemoval } from "./conntrack.ts";
import { decodeMessages } from "./message.ts";
import {
  decodeGeneration,
  decodeNftablesReplies,
  encodeBatch,
  encodeQueries,
  generationQuery,
  type NftablesQuery,
  type NftablesReply,
  type NftablesRequest,
} from "./nftables/request.ts";
import { decodeRouteReplies, encodeRouteRequests, type RouteReply, type RouteRequest } from "./route/request.ts";

/** The first of an operation's `descriptors`, in messages; the next is one more. */
export const firstDescriptor = 200;

const protocols = { route: 0, sockDiag: 4, netfilter: 12 } as const;

export interface Where {
  /** File of the network namespace, that of keel when missing. */
  readonly namespace?: string | undefined;
  /** Files of the namespaces that messages name by `firstDescriptor` and the numbers after it. */
  readonly descriptors?: readonly string[];
}

type NetlinkOperation = Extract<Operation, { op: "netlink" }>;

export function netlinkOperation(
  protocol: keyof typeof protocols,
  purpose: string,
  messages: Uint8Array,
  { namespace = "", descriptors = [] }: Where = {},
): NetlinkOperation {
  return { op: "netlink", protocol: protocols[protocol], messages, networkNamespace: namespace, descriptors, purpose };
}

/** @param purpose in words that continue `Cannot`, e.g. `make the bridge "sampan0"` */
export const routeOperation = (purpose: string, requests: readonly RouteRequest[], where?: Where): NetlinkOperation =>
  netlinkOperation("route", purpose, encodeRouteRequests(requests), where);

/**
 * All of the requests take effect, or none.
 *
 * @param generation of {@link generationOf}: it fails with ERESTART when the packet filter has changed since
 */
export const nftablesOperation = (
  purpose: string,
  requests: readonly NftablesRequest[],
  where?: Where,
  generation?: number,
): NetlinkOperation => netlinkOperation("netfilter", purpose, encodeBatch(requests, generation), where);

/** A dump is asked for again when what it lists changed meanwhile. */
const attempts = 20;

/** The messages that answer each of the operations. */
export async function ask(executor: Executor, operations: readonly NetlinkOperation[]): Promise<Uint8Array[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const results = await executor.execute(operations);
      return operations.map((_, index) => results.get(index) ?? new Uint8Array());
    } catch (error) {
      const changed = isSampanError(error) && error.fields.errno === constants.errno.EINTR;
      if (!changed || attempt === attempts) throw error;
    }
  }
}

export async function askRoute(
  executor: Executor,
  requests: readonly RouteRequest[],
  where?: Where,
): Promise<RouteReply[]> {
  const answers = await ask(executor, [routeOperation("read the network's state", requests, where)]);
  return answers.flatMap((bytes) => decodeRouteReplies(decodeMessages(bytes)));
}

export async function askNftables(
  executor: Executor,
  queries: readonly NftablesQuery[],
  where?: Where,
): Promise<NftablesReply[]> {
  const operation = netlinkOperation("netfilter", "read the packet filter", encodeQueries(queries), where);
  const answers = await ask(executor, [operation]);
  return answers.flatMap((bytes) => decodeNftablesReplies(decodeMessages(bytes)));
}

/** Number of the packet filter's state: every change of any program makes it another. */
export async function generationOf(executor: Executor, where?: Where): Promise<number> {
  const operation = netlinkOperation("netfilter", "read the packet filter", generationQuery, where);
  const [bytes = new Uint8Array()] = await ask(executor, [operation]);
  return decodeGeneration(decodeMessages(bytes));
}

/** What an operation of this layer failed on. */
export interface Refusal {
  readonly error: SampanError;
  /** Position of the request that was refused, from 0; undefined when it was none in particular. */
  readonly request: number | undefined;
  /** What the kernel said of it, empty where it had no words. */
  readonly reason: string;
}

/** The refusal that an error of `Executor.execute` is, undefined for any other error. Keel's detail is `message N: words`. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!isSampanError(error) || error.fields.syscall !== "netlink") return undefined;
  const [, sequence, reason = ""] = /^message (\d+)(?:: (.*))?$/s.exec(error.fields.path ?? "") ?? [];
  const number = Number(sequence ?? 0);
  return { error, request: number > 0 ? number - 1 : undefined, reason };
}

/**
 * Forgets connections by a port of the host: UDP has no end, and a client that goes on would be led to where the port led
 * before.
 */
export async function forgetConnections(
  executor: Executor,
  ports: readonly { readonly family: number; readonly protocol: number; readonly port: number }[],
): Promise<void> {
  const purpose = "forget connections by published ports";
  for (const { family, protocol, port } of ports) {
    const query = netlinkOperation("netfilter", purpose, encodeConnectionQuery(family, protocol, port));
    const [bytes = new Uint8Array()] = await ask(executor, [query]);
    const removal = encodeConnectionRemoval(decodeMessages(bytes), protocol, port);
    if (removal === undefined) continue;
    try {
      await executor.execute([netlinkOperation("netfilter", purpose, removal)]);
    } catch (error) {
      // One of them has ended meanwhile; the rest are asked for again.
      if (!isSampanError(error) || error.fields.errno !== constants.errno.ENOENT) throw error;
      await forgetConnections(executor, [{ family, protocol, port }]);
    }
  }
}
