/** Containers on a link of the host by an interface of their own, without a bridge: macvlan and ipvlan. */
import type { Operation } from "#plan";
import { firstDescriptor, routeOperation } from "../netlink/operation.ts";
import { ipvlanModes, linkFlags, macvlanModes, type LinkInfo } from "../netlink/route/link.ts";
import type { EndpointRecord, NetworkRecord } from "../records.ts";
import { networkTraits } from "../traits.ts";
import { insideRequests } from "./operations.ts";
import { shapeRequests } from "./shape.ts";

function linkInfo(network: NetworkRecord): LinkInfo {
  const { mode } = networkTraits(network);
  if (network.driver === "ipvlan")
    return { kind: "ipvlan", mode: ipvlanModes[(mode ?? "l2") as keyof typeof ipvlanModes] };
  return { kind: "macvlan", mode: macvlanModes[(mode ?? "bridge") as keyof typeof macvlanModes] };
}

/**
 * @param parent index of the interface of the host that it is on
 * @param namespace file of the container's network namespace
 */
export function lanAttachOperations(
  network: NetworkRecord,
  endpoint: EndpointRecord,
  namespace: string,
  parent: number,
): Operation[] {
  const purpose = `connect container "${endpoint.container.slice(0, 12)}" to network "${network.name}"`;
  const { mtu, ...traits } = networkTraits(network);
  const { index, interface: name } = endpoint;
  const value = {
    name,
    index,
    link: parent,
    namespaceFd: firstDescriptor,
    info: linkInfo(network),
    ...(mtu === undefined ? {} : { mtu }),
    // All on one ipvlan have the parent's address.
    ...(network.driver === "ipvlan" ? {} : { address: endpoint.mac }),
  };
  return [
    routeOperation(purpose, [{ kind: "link", action: "add", value }], { descriptors: [namespace] }),
    routeOperation(purpose, [...insideRequests(network, endpoint), ...shapeRequests(index, network.mtu, traits)], {
      namespace,
    }),
  ];
}

/** Takes the interface from a running container; it goes with its namespace else. */
export const lanDetachOperation = ({ network, container, index }: EndpointRecord, namespace: string): Operation =>
  routeOperation(
    `disconnect container "${container.slice(0, 12)}" from network "${network}"`,
    [{ kind: "link", action: "delete", value: { index } }],
    { namespace },
  );

/** `eth0.5` is VLAN 5 of eth0. */
export function vlanOf(name: string): { readonly below: string; readonly id: number } | undefined {
  const [, below, digits = ""] = /^(.+)\.(\d{1,4})$/.exec(name) ?? [];
  const id = Number(digits);
  return below === undefined || id < 1 || id > 4094 ? undefined : { below, id };
}

/**
 * Makes the interface below, where the host has none of its name: a VLAN, or for a network without a parent one that leads
 * nowhere.
 *
 * @param below index of the interface that a VLAN is of
 */
export function makeParent({ bridge: name, index }: NetworkRecord, below: number | undefined): Operation {
  const vlan = vlanOf(name);
  const value =
    below === undefined || vlan === undefined
      ? ({ name, index, info: { kind: "bridge", stpState: 0 } } as const)
      : ({ name, index, link: below, info: { kind: "vlan", id: vlan.id } } as const);
  return routeOperation(`make the interface "${name}"`, [{ kind: "link", action: "add", value }, upRequest(index)]);
}

const upRequest = (index: number) =>
  ({ kind: "link", action: "change", value: { index, flags: linkFlags.up, change: linkFlags.up } }) as const;

/** An interface that has this index is one that {@link makeParent} made. */
export const removeParent = ({ bridge, index }: NetworkRecord): Operation =>
  routeOperation(`remove the interface "${bridge}"`, [{ kind: "link", action: "delete", value: { index } }]);
