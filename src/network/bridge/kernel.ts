/** Brings the kernel to what the store says, from whatever state it is in. */
import { constants } from "node:os";
import { isSampanError, notFound } from "#errdefs";
import type { Executor } from "#keel";
import type { Operation } from "#plan";
import { familyOf } from "../address/text.ts";
import { networkElements, portElements } from "../firewall/elements.ts";
import { policyExceptions, withdrawExceptions } from "../firewall/policy.ts";
import { makeTable, removeTable, tableName } from "../firewall/table.ts";
import { askNftables, askRoute, generationOf, nftablesOperation, routeOperation } from "../netlink/operation.ts";
import type { NetworkRecord } from "../records.ts";
import { inUse, type LiveStore } from "../live.ts";
import { keepRouterAdvertisements, ownInterfaces } from "./host-state.ts";
import { networkTraits } from "../traits.ts";
import { makeParent, removeParent, vlanOf } from "./lan.ts";
import { bridgeOperations, forwardingOperations, removeBridge } from "./operations.ts";

const { errno } = constants;
/** Not in Node's table: another program has changed the packet filter since. */
const restart = 85;

const failedWith = (error: unknown, ...numbers: readonly number[]): boolean =>
  isSampanError(error) && error.fields.errno !== undefined && numbers.includes(error.fields.errno);

/** Runs operations, all of them; what they were to remove may be gone. */
export async function removeQuietly(executor: Executor, operations: readonly Operation[]): Promise<void> {
  for (let rest = operations; rest.length > 0;) {
    try {
      await executor.execute(rest);
      return;
    } catch (error) {
      // A port's element with another address is somebody else's by now.
      if (!failedWith(error, errno.ENOENT, errno.ENODEV, errno.EEXIST)) throw error;
      rest = rest.slice(Math.max(stepOf(error), 1));
    }
  }
}

const removeLink = (name: string): Operation =>
  routeOperation(`remove the interface "${name}"`, [{ kind: "link", action: "delete", value: { name } }]);

/** Index of an interface, undefined when there is none of the name. */
async function indexOf(executor: Executor, name: string): Promise<number | undefined> {
  try {
    const [link] = await askRoute(executor, [{ kind: "link", action: "get", value: { name } }]);
    return link?.kind === "link" ? link.value.index : undefined;
  } catch (error) {
    if (failedWith(error, errno.ENODEV)) return undefined;
    throw error;
  }
}

async function isTableThere(executor: Executor): Promise<boolean> {
  try {
    await askNftables(executor, [{ kind: "table", action: "get", family: "inet", value: { name: tableName } }]);
    return true;
  } catch (error) {
    if (failedWith(error, errno.ENOENT)) return false;
    throw error;
  }
}

/** Makes the bridge, or brings it to what the record says. One of its name with another index is a removed network's. */
async function ensureBridge(executor: Executor, network: NetworkRecord): Promise<void> {
  const index = await indexOf(executor, network.bridge);
  if (index !== undefined && index !== network.index) await removeQuietly(executor, [removeLink(network.bridge)]);
  const hasV6 = network.subnets.some(({ prefix }) => familyOf(prefix) === 6);
  const forwarding = network.internal
    ? []
    : [...(hasV6 ? keepRouterAdvertisements() : []), ...forwardingOperations(hasV6)];
  try {
    await executor.execute([...bridgeOperations(network, index === network.index), ...forwarding]);
  } catch (error) {
    // Another process was faster.
    if (!failedWith(error, errno.EEXIST)) throw error;
    await executor.execute([...bridgeOperations(network, true), ...forwarding]);
  }
  if (!network.internal) await changePolicy(executor, await policyExceptions(executor));
}

/** Another program may change the same chain at the same time: whatever it did to our rules is as it wanted. */
async function changePolicy(executor: Executor, operations: readonly Operation[]): Promise<void> {
  await removeQuietly(executor, operations);
}

/**
 * Puts the table, with all that is on networks, in place of what there is. Others may add to it and to the store at the same
 * time: the kernel refuses when the packet filter has changed since the store was read; and it is done again when somebody
 * has left meanwhile. Whoever has come adds to the new table, or to the old one, which is such a change.
 */
export async function replaceTable(executor: Executor, live: LiveStore): Promise<void> {
  for (;;) {
    const generation = await generationOf(executor);
    const [networks, endpoints] = inUse(live);
    const elements = [
      ...networks.flatMap((network) => networkElements("add", network)),
      ...endpoints.flatMap(({ ports }) => portElements("add", ports)),
    ];
    const isNeeded = networks.some(({ driver }) => driver === "bridge");
    const requests = !isNeeded ? removeTable : [...makeTable(), ...elements];
    try {
      await executor.execute([nftablesOperation("set up the packet filter", requests, {}, generation)]);
    } catch (error) {
      if (failedWith(error, restart)) continue;
      throw error;
    }
    const now = new Set(
      inUse(live)
        .flat()
        .map((record) => JSON.stringify(record)),
    );
    if (![...networks, ...endpoints].every((record) => now.has(JSON.stringify(record)))) continue;
    if (!isNeeded) await changePolicy(executor, await withdrawExceptions(executor));
    return;
  }
}

/**
 * Index of the interface of the host that a network without a bridge is on; it is made where it is missing, and can be.
 *
 * @throws SampanError `not-found` for an interface that only the host can have
 */
export async function ensureParent(executor: Executor, network: NetworkRecord): Promise<number> {
  const there = await indexOf(executor, network.bridge);
  if (there !== undefined) return there;
  const vlan = vlanOf(network.bridge);
  const below = vlan === undefined ? undefined : await indexOf(executor, vlan.below);
  if (networkTraits(network).parent !== undefined && below === undefined)
    throw notFound(
      `Cannot use network "${network.name}": the host has no interface "${vlan?.below ?? network.bridge}"`,
    );
  try {
    await executor.execute([makeParent(network, below)]);
  } catch (error) {
    // Another process was faster.
    if (!failedWith(error, errno.EEXIST)) throw error;
  }
  return (await indexOf(executor, network.bridge)) ?? network.index;
}

/** Removes what was made for a network in the host; it may be gone. */
export async function removeHostSide(executor: Executor, network: NetworkRecord): Promise<void> {
  await removeQuietly(executor, [network.driver === "bridge" ? removeBridge(network) : removeParent(network)]);
}

/** Makes what a network needs and is not there: its bridge, and the table. */
export async function repair(
  executor: Executor,
  live: LiveStore,
  network: NetworkRecord,
  cause: unknown,
): Promise<void> {
  if ((await indexOf(executor, network.bridge)) !== network.index) await ensureBridge(executor, network);
  // An element with the same key is of a container that has gone without its monitor.
  const isStale = failedWith(cause, errno.EEXIST) && stepOf(cause) > 2;
  if (isStale || !(await isTableThere(executor))) await replaceTable(executor, live);
}

const stepOf = (error: unknown): number => (isSampanError(error) ? (error.fields.step ?? 0) : 0);

/**
 * Whether a program of `attachOperations` failed on the host's side, where `repair` may help; or because the kernel has not
 * removed yet what the container had before.
 */
export const mayBeRepaired = (error: unknown): boolean =>
  isSampanError(error) &&
  error.fields.syscall === "netlink" &&
  (stepOf(error) > 1 || error.fields.errno === errno.EEXIST);

/** Everything anew: bridges, and the table; and what belongs to no network and no container any more is removed. */
export async function restore(executor: Executor, live: LiveStore): Promise<void> {
  const [networks, endpoints] = inUse(live);
  const wanted = new Set([...networks.map((n) => n.bridge), ...endpoints.map((e) => e.hostInterface)]);
  await removeQuietly(
    executor,
    ownInterfaces()
      .filter((name) => !wanted.has(name))
      .map(removeLink),
  );
  for (const network of networks)
    if (network.driver === "bridge") await ensureBridge(executor, network);
    else await ensureParent(executor, network);
  await replaceTable(executor, live);
}
