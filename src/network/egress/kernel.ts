/** Containers with a policy in the kernel: made so before they can send anything, kept so, and what became of it. */
import { constants } from "node:os";
import { isSampanError } from "#errdefs";
import type { Executor } from "#keel";
import { bytesToIp, familyOf, ipToBytes } from "../address/text.ts";
import type { Element } from "../netlink/nftables/objects.ts";
import type { NftablesRequest } from "../netlink/nftables/request.ts";
import { askNftables, generationOf, nftablesOperation } from "../netlink/operation.ts";
import type { EndpointRecord } from "../records.ts";
import type { NetworkStore } from "../store.ts";
import { egressElements, elementRequest, readRefused as readElement, type RefusedPackets } from "./elements.ts";
import { egressTable, type EgressFamily } from "./sets.ts";
import { makeEgressTables, removeEgressTables } from "./table.ts";

const { ENOENT } = constants.errno;
/** Not in Node's table: another program has changed the packet filter since. */
const ERESTART = 85;
const failedWith = (error: unknown, errno: number): boolean => isSampanError(error) && error.fields.errno === errno;

const change = async (
  executor: Executor,
  what: string,
  requests: readonly NftablesRequest[],
  generation?: number,
): Promise<void> => {
  if (requests.length > 0) await executor.execute([nftablesOperation(what, requests, {}, generation)]);
};

const families = ["inet", "bridge"] as const;
/** Sets that the process which answers names fills. */
const openedSets = ["named4", "named6", "ports4", "ports6"] as const;

/** Elements of a set; none where there is no such set. */
async function elementsOf(executor: Executor, family: EgressFamily, set: string): Promise<Element[]> {
  try {
    const query = { kind: "elements", action: "dump", family, value: { table: egressTable, set } } as const;
    const replies = await askNftables(executor, [query]);
    return replies.flatMap((reply) => (reply.kind === "elements" ? (reply.value.elements ?? []) : []));
  } catch (error) {
    if (failedWith(error, ENOENT)) return [];
    throw error;
  }
}

/** Only what is not over: it may be given again as it is. */
const stillOpen = ({ key, expiration }: Element): Element[] =>
  key === undefined || expiration === undefined || expiration === 0n ? [] : [{ key, timeout: expiration }];

/** Handle of the table of routed packets, which another one has not; undefined when there is none. */
export async function egressHandle(executor: Executor): Promise<bigint | undefined> {
  try {
    const query = { kind: "table", action: "get", family: "inet", value: { name: egressTable } } as const;
    const [table] = await askNftables(executor, [query]);
    return table?.kind === "table" ? table.value.handle : undefined;
  } catch (error) {
    if (failedWith(error, ENOENT)) return undefined;
    throw error;
  }
}

const restricted = (store: Pick<NetworkStore, "endpoints">): EndpointRecord[] =>
  store.endpoints().filter(({ egress }) => egress !== undefined);

/**
 * Puts the tables, with all containers that are written down with a policy, in place of what there is; what names have opened
 * stays open. None without such a container. Takes effect as a whole, and only on what was looked at.
 */
export async function restoreEgress(
  executor: Executor,
  store: Pick<NetworkStore, "endpoints" | "networks">,
): Promise<void> {
  for (;;) {
    const generation = await generationOf(executor);
    const endpoints = restricted(store);
    const networks = new Map(store.networks().map((network) => [network.name, network]));
    const requests: NftablesRequest[] = endpoints.length === 0 ? [...removeEgressTables] : makeEgressTables();
    for (const endpoint of endpoints) requests.push(...egressElements("add", networks.get(endpoint.network), endpoint));
    if (endpoints.length > 0)
      for (const family of families)
        for (const set of openedSets) {
          const opened = (await elementsOf(executor, family, set)).flatMap(stillOpen);
          requests.push(...elementRequest("add", family, set, opened));
        }
    try {
      await change(executor, "set up what containers may reach", requests, generation);
    } catch (error) {
      if (failedWith(error, ERESTART)) continue;
      throw error;
    }
    if (JSON.stringify(restricted(store)) === JSON.stringify(endpoints)) return;
  }
}

const sourceOf = (element: Element, width: number): string =>
  Buffer.from(element.key?.value?.subarray(0, width) ?? []).toString("hex");

/** Removes what names have opened for whoever had these addresses before. */
async function closeOpened(executor: Executor, { addresses }: Pick<EndpointRecord, "addresses">): Promise<void> {
  const requests: NftablesRequest[] = [];
  for (const version of [4, 6] as const) {
    const own = addresses
      .filter((address) => familyOf(address) === version)
      .map((address) => address.replace(/\/\d+$/, ""));
    if (own.length === 0) continue;
    const sources = new Set(own.map((address) => Buffer.from(ipToBytes(address)).toString("hex")));
    for (const family of families)
      for (const set of [`named${version}`, `ports${version}`]) {
        const elements = (await elementsOf(executor, family, set)).filter((element) =>
          sources.has(sourceOf(element, version === 4 ? 4 : 16)),
        );
        requests.push(
          ...elementRequest(
            "delete",
            family,
            set,
            elements.map(({ key }) => ({ key: key ?? {} })),
          ),
        );
      }
  }
  try {
    await change(executor, "close what a name has opened", requests);
  } catch (error) {
    // Some of it is over meanwhile: what is left is looked up again.
    if (!failedWith(error, ENOENT)) throw error;
    await closeOpened(executor, { addresses });
  }
}

/**
 * Restricts a container that is written down and not connected yet. Idempotent.
 *
 * @throws SampanError when it can't be: the container must not be connected then
 */
export async function restrict(executor: Executor, store: NetworkStore, endpoint: EndpointRecord): Promise<void> {
  if (endpoint.egress === undefined) return;
  const network = store.network(endpoint.network);
  await closeOpened(executor, endpoint);
  try {
    await change(executor, "restrict what a container may reach", egressElements("add", network, endpoint));
  } catch (error) {
    // No tables; or one that had the address before has left something.
    if (!isSampanError(error) || error.fields.syscall !== "netlink") throw error;
    await restoreEgress(executor, store);
  }
}

/** What {@link unrestrict} does, for whoever sees the container's end, without what names have opened: that is over soon. */
export function releaseEgress(endpoints: readonly EndpointRecord[]): NftablesRequest[] {
  return endpoints.flatMap((endpoint) => [
    ...egressElements("add", undefined, endpoint),
    ...egressElements("delete", undefined, endpoint),
  ]);
}

/** Undoes {@link restrict}. Idempotent. {@link restoreEgress} removes the tables after the last one. */
export async function unrestrict(executor: Executor, endpoint: EndpointRecord): Promise<void> {
  if (endpoint.egress === undefined) return;
  await closeOpened(executor, endpoint);
  try {
    await change(executor, "let a container's address go", releaseEgress([endpoint]));
  } catch (error) {
    if (!failedWith(error, ENOENT)) throw error;
  }
}

/** Milliseconds for which a set keeps what was refused. */
const kept = 3_600_000;

/** What was refused to a container in the last hour, the latest first. */
export async function readRefused(
  executor: Executor,
  endpoints: readonly EndpointRecord[],
): Promise<readonly RefusedPackets[]> {
  const own = new Set(endpoints.flatMap(({ addresses }) => addresses.map((address) => address.replace(/\/\d+$/, ""))));
  const refused: RefusedPackets[] = [];
  for (const version of [4, 6] as const)
    for (const family of families) {
      const set = `refused${version}` as const;
      for (const element of await elementsOf(executor, family, set)) {
        const read = readElement(version, element, kept, (bytes) => bytesToIp(bytes) ?? "");
        if (read !== undefined && own.has(read.from)) refused.push(read);
      }
    }
  return refused.sort((a, b) => a.age - b.age);
}
