/** A network in Docker's shape. */
import type { NetworkDetails } from "#engine";

const ofFamily = (addresses: readonly string[], v6: boolean): string =>
  addresses.find((address) => address.includes(":") === v6) ?? "";

export function inspectNetwork({ network, id, containers }: NetworkDetails): object {
  return {
    Name: network.name,
    Id: id,
    Created: new Date(network.createdAt).toISOString(),
    Scope: "local",
    Driver: network.driver,
    EnableIPv4: network.subnets.some(({ prefix }) => !prefix.includes(":")),
    EnableIPv6: network.subnets.some(({ prefix }) => prefix.includes(":")),
    IPAM: {
      Driver: "default",
      Options: {},
      Config: network.subnets.map(({ prefix, gateway, range }) => ({
        Subnet: prefix,
        ...(range === undefined ? {} : { IPRange: range }),
        Gateway: gateway,
      })),
    },
    Internal: network.internal,
    Attachable: false,
    Ingress: false,
    Containers: Object.fromEntries(
      containers.map((endpoint) => [
        endpoint.container,
        {
          Name: endpoint.name,
          EndpointID: endpoint.hostInterface,
          MacAddress: endpoint.mac,
          IPv4Address: ofFamily(endpoint.addresses, false),
          IPv6Address: ofFamily(endpoint.addresses, true),
          Aliases: endpoint.aliases,
        },
      ]),
    ),
    Interface: network.bridge,
    Mtu: network.mtu,
    Options: network.options ?? {},
    Labels: network.labels,
  };
}
