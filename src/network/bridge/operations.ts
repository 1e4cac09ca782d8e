/** What a network and a container on it are to the kernel, as keel's operations. */
import type { Operation } from "#plan";
import { familyOf, type Family } from "../address/text.ts";
import { networkElements, portElements } from "../firewall/elements.ts";
import { releaseEgress } from "../egress/kernel.ts";
import { firstDescriptor, nftablesOperation, routeOperation } from "../netlink/operation.ts";
import { addressGeneration, linkFlags } from "../netlink/route/link.ts";
import {
  addressFlags,
  family,
  routeProtocols,
  routeScopes,
  routeTables,
  routeTypes,
} from "../netlink/route/objects.ts";
import type { RouteRequest } from "../netlink/route/request.ts";
import type { EndpointRecord, NetworkRecord, PublishedPort } from "../records.ts";
import { networkTraits } from "../traits.ts";
import { shapeRequests } from "./shape.ts";
import { bridgeMac, hostInterfaceIndex } from "./names.ts";

const familyNumber: Readonly<Record<Family, number>> = { 4: family.inet, 6: family.inet6 };
/** The namespace of keel, which is the host's. */
const ownNamespace = "/proc/self/ns/net";

/** Of an interface: nobody else has it, as the store says, so that IPv6 need not ask around first. */
function addressRequest(index: number, address: string): RouteRequest {
  const [ip = "", length] = address.split("/");
  const v6 = familyOf(ip) === 6;
  return {
    kind: "address",
    action: "replace",
    value: {
      family: familyNumber[familyOf(ip)],
      prefixLength: Number(length),
      headerFlags: v6 ? addressFlags.noDuplicateDetection : 0,
      scope: routeScopes.universe,
      index,
      local: ip,
      address: ip,
    },
  };
}

const up = (value: { readonly index: number } | { readonly name: string }): RouteRequest => ({
  kind: "link",
  action: "change",
  value: { ...value, flags: linkFlags.up, change: linkFlags.up },
});

const noLinkLocal = { inet6: { addressGeneration: addressGeneration.none } };

const gatewayAddress = (prefix: string, gateway: string): string => `${gateway}${prefix.slice(prefix.indexOf("/"))}`;

/**
 * A link-local address that holds at once. The kernel's own would be looked for on the link first, and until that is over the
 * host asks for no neighbour on behalf of others: what comes from outside would be lost for the first second or two.
 */
function ownLinkLocal(index: number): RouteRequest[] {
  const address = addressRequest(index, "fe80::1/64");
  if (address.kind !== "address") return [];
  return [
    { kind: "link", action: "change", value: { index, perFamily: noLinkLocal } },
    { ...address, value: { ...address.value, scope: routeScopes.link } },
  ];
}

/** Gives a bridge that is there its addresses, and brings it up. */
function configureBridge(network: NetworkRecord): RouteRequest[] {
  const { index, subnets, mtu } = network;
  const hasV6 = subnets.some(({ gateway }) => familyOf(gateway) === 6);
  return [
    { kind: "link", action: "change", value: { index, mtu } },
    ...(hasV6
      ? ownLinkLocal(index)
      : [{ kind: "link", action: "change", value: { index, perFamily: noLinkLocal } } as const]),
    ...subnets.map(({ prefix, gateway }) => addressRequest(index, gatewayAddress(prefix, gateway))),
    up({ index }),
  ];
}

const sysctl = (key: string, value: string): Operation => ({ op: "sysctl", key, value });

/** Makes the bridge, or with `exists` sets it up again. */
export function bridgeOperations(network: NetworkRecord, exists: boolean): Operation[] {
  const { bridge: name, index } = network;
  const make: RouteRequest = {
    kind: "link",
    action: "add",
    value: { name, index, address: bridgeMac(name), info: { kind: "bridge", stpState: 0, forwardDelay: 0 } },
  };
  return [
    routeOperation(`make the bridge "${name}"`, [...(exists ? [] : [make]), ...configureBridge(network)]),
    // What is published has to be reachable from the host's loopback; the packet filter's chain `guard` belongs to it.
    ...(network.internal ? [] : [sysctl(`net/ipv4/conf/${name}/route_localnet`, "1")]),
  ];
}

/** Lets the host pass packets on between its interfaces. */
export const forwardingOperations = (v6: boolean): Operation[] => [
  sysctl("net/ipv4/ip_forward", "1"),
  ...(v6 ? [sysctl("net/ipv6/conf/all/forwarding", "1")] : []),
];

/** The way out, through the bridge. */
function defaultRoute(index: number, gateway: string | undefined, of: Family = familyOf(gateway ?? "")): RouteRequest {
  return {
    kind: "route",
    action: "add",
    value: {
      family: familyNumber[of],
      headerTable: routeTables.main,
      protocol: routeProtocols.static,
      scope: gateway === undefined && of === 4 ? routeScopes.link : routeScopes.universe,
      routeType: routeTypes.unicast,
      ...(gateway === undefined ? {} : { gateway }),
      output: index,
    },
  };
}

/** What an interface in a container gets once it is there. */
export function insideRequests(network: NetworkRecord, endpoint: EndpointRecord): RouteRequest[] {
  const { index, addresses } = endpoint;
  const hasV6 = addresses.some((address) => familyOf(address) === 6);
  return [
    ...(hasV6 ? [] : [{ kind: "link", action: "change", value: { index, perFamily: noLinkLocal } } as const]),
    up({ name: "lo" }),
    up({ index }),
    ...addresses.map((address) => addressRequest(index, address)),
    ...(endpoint.isWayOut ? wayOut(network, index) : []),
  ];
}

/** Where an interface answers for no neighbour (ipvlan's layer 3), all packets simply leave by it. */
const wayOut = (network: NetworkRecord, index: number): RouteRequest[] =>
  network.subnets.map(({ prefix, gateway }) =>
    isLayer3(network) ? defaultRoute(index, undefined, familyOf(prefix)) : defaultRoute(index, gateway),
  );

const isLayer3 = (network: NetworkRecord): boolean => (networkTraits(network).mode ?? "").startsWith("l3");

/**
 * Connects a container: one batch in its namespace, one on the host's side, one to the packet filter. Both ends of the veth
 * are made from inside, so that the index there can be chosen and all that follows goes along.
 *
 * @param namespace file of the container's network namespace
 */
export function attachOperations(network: NetworkRecord, endpoint: EndpointRecord, namespace: string): Operation[] {
  const { mtu } = network;
  const { icc, ...traits } = networkTraits(network);
  const { index } = endpoint;
  const purpose = `connect container "${endpoint.container.slice(0, 12)}" to network "${network.name}"`;
  const name = endpoint.hostInterface;
  // A queue is of an interface by index, so that one has to be known.
  const hostIndex = traits.rate === undefined ? {} : { index: hostInterfaceIndex(name) };
  const peer = { name, ...hostIndex, mtu, namespaceFd: firstDescriptor };
  const inside: RouteRequest[] = [
    {
      kind: "link",
      action: "add",
      value: { name: endpoint.interface, index, mtu, address: endpoint.mac, info: { kind: "veth", peer } },
    },
    ...insideRequests(network, endpoint),
    ...shapeRequests(index, mtu, traits),
  ];
  const port = { hairpin: true, ...(icc ? {} : { isolated: true }) };
  const outside: RouteRequest[] = [
    { kind: "link", action: "change", value: { name, perFamily: noLinkLocal } },
    { kind: "link", action: "change", value: { name, master: network.index } },
    // A container may reach itself by what it has published.
    { kind: "link", action: "change", value: { name, info: { kind: "veth", port } } },
    up({ name }),
    ...(hostIndex.index === undefined ? [] : shapeRequests(hostIndex.index, mtu, traits)),
  ];
  return [
    routeOperation(purpose, inside, { namespace, descriptors: [ownNamespace] }),
    routeOperation(purpose, outside),
    // The network's own too: without a change when they are there, and refused when the table is not.
    nftablesOperation(purpose, [...networkElements("add", network), ...portElements("add", endpoint.ports)]),
  ];
}

/** Gives a container that is on several networks another way out. */
export function wayOutOperation(network: NetworkRecord, endpoint: EndpointRecord, namespace: string): Operation {
  const purpose = `make network "${endpoint.network}" the way out of container "${endpoint.container.slice(0, 12)}"`;
  return routeOperation(purpose, wayOut(network, endpoint.index), { namespace });
}

/** `delete` finds nothing at times, and is not refused then. */
export function portOperation(action: "add" | "delete", ports: readonly PublishedPort[]): Operation {
  const requests = [...portElements("add", ports), ...(action === "add" ? [] : portElements("delete", ports))];
  return nftablesOperation(action === "add" ? "publish ports" : "take back published ports", requests);
}

/** What is left of a connection; each may find nothing, and is then refused. */
export function detachOperations(endpoint: EndpointRecord): Operation[] {
  const purpose = `disconnect container "${endpoint.container.slice(0, 12)}" from network "${endpoint.network}"`;
  const name = endpoint.hostInterface;
  const ports = [...portElements("add", endpoint.ports), ...portElements("delete", endpoint.ports)];
  return [
    ...(ports.length === 0 ? [] : [nftablesOperation(purpose, ports)]),
    routeOperation(purpose, [{ kind: "link", action: "delete", value: { name } }]),
  ];
}

/**
 * What a container that has ended leaves behind: its published ports, and what it may reach. Its interfaces go with its network namespace. No
 * operation fails for what is gone already.
 */
export function exitOperations(endpoints: readonly EndpointRecord[]): Operation[] {
  const ports = endpoints.flatMap((endpoint) => endpoint.ports);
  const egress = releaseEgress(endpoints);
  return [
    ...(ports.length === 0 ? [] : [portOperation("delete", ports)]),
    ...(egress.length === 0 ? [] : [nftablesOperation("let a container's address go", egress)]),
  ];
}

export const removeBridge = (network: NetworkRecord): Operation =>
  routeOperation(`remove the bridge "${network.bridge}"`, [
    { kind: "link", action: "delete", value: { name: network.bridge } },
  ]);
