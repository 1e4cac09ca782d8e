/** What `ps` and `inspect` show of containers' networks. Reads the store, and loads nothing that works on networks. */
import type { CniAttachment, EndpointRecord, PublishedPort, Subnet } from "#network";
import type { RuntimeState } from "#runtime";
import type { EngineCore } from "../core.ts";
import type { ContainerRecord } from "../records.ts";
import { cniNetworkId, networkId } from "./id.ts";
import { cniPorts } from "./cni-view.ts";
import { cniNetworkName, networkMode } from "./mode.ts";

interface ContainerNetworks {
  readonly networks: readonly string[];
  readonly ports: readonly PublishedPort[];
  readonly exposed: readonly string[];
}

const byIndex = (a: EndpointRecord, b: EndpointRecord): number => a.index - b.index;

/** Reads all endpoints at once, for a list of containers. */
export function containerNetworks(core: EngineCore): (record: ContainerRecord, running: boolean) => ContainerNetworks {
  const byContainer = Map.groupBy(core.networkStore.endpoints(), ({ container }) => container);
  return ({ id, options, resolved }, running) => {
    const mode = networkMode(options);
    const endpoints = [...(byContainer.get(id) ?? [])].sort(byIndex);
    if (mode.kind === "cni") {
      const attachments = core.cniBook.of(id);
      return {
        networks: mode.networks.map(({ name }, index) => cniNetworkName(attachments[index]?.list.name ?? name)),
        ports: running ? cniPorts(attachments) : [],
        exposed: resolved.exposed ?? [],
      };
    }
    const named = mode.kind === "networks" ? mode.networks.map(({ name }) => name) : [mode.kind];
    return {
      networks: endpoints.length > 0 ? endpoints.map(({ network }) => network) : named,
      ports: running ? endpoints.flatMap(({ ports }) => ports) : [],
      exposed: resolved.exposed ?? [],
    };
  };
}

/** Addresses of a pod with a network of its own, without prefix lengths. */
export function ownAddresses(
  core: EngineCore,
  id: string,
  options: Parameters<typeof networkMode>[0],
): readonly string[] {
  const { kind } = networkMode(options);
  const all =
    kind === "cni"
      ? core.cniBook.of(id).flatMap(({ summary }) => summary?.addresses ?? [])
      : kind === "networks"
        ? [...core.networkStore.endpoints({ container: id })].sort(byIndex).flatMap(({ addresses }) => addresses)
        : [];
  return all.map((address) => address.replace(/\/\d+$/, ""));
}

const familyIs6 = (text: string): boolean => text.includes(":");

function addressOf(addresses: readonly string[], v6: boolean): readonly [address: string, length: number] {
  const [address = "", length = "0"] = (addresses.find((text) => familyIs6(text) === v6) ?? "").split("/");
  return [address, Number(length)];
}

const gatewayOf = (subnets: readonly Subnet[], v6: boolean): string =>
  subnets.find(({ prefix }) => familyIs6(prefix) === v6)?.gateway ?? "";

/** By port of the container, as Docker shows them; an exposed port that is not published has null. */
function portMap(exposed: readonly string[], ports: readonly PublishedPort[]): Record<string, unknown> {
  const map: Record<string, { HostIp: string; HostPort: string }[] | null> = {};
  for (const port of exposed) map[port] = null;
  for (const { protocol, port, hostAddress, hostPort } of ports)
    (map[`${port}/${protocol}`] ??= []).push({ HostIp: hostAddress, HostPort: String(hostPort) });
  return map;
}

/** A container's place on a CNI network, by its name. */
function cniEntry({ list, interface: name, summary, container }: CniAttachment, running: boolean) {
  const shown = running ? summary : undefined;
  const [ip, length] = addressOf(shown?.addresses ?? [], false);
  const [ip6, length6] = addressOf(shown?.addresses ?? [], true);
  const gateways = shown?.gateways ?? [];
  return [
    cniNetworkName(list.name),
    {
      NetworkID: cniNetworkId(list.name),
      EndpointID: running ? `${container.slice(0, 12)}-${name}` : "",
      Gateway: gateways.find((gateway) => !familyIs6(gateway)) ?? "",
      IPAddress: ip,
      IPPrefixLen: length,
      IPv6Gateway: gateways.find(familyIs6) ?? "",
      GlobalIPv6Address: ip6,
      GlobalIPv6PrefixLen: length6,
      MacAddress: shown?.mac ?? "",
      DNSNames: [] as readonly string[],
    },
  ] as const;
}

/** `NetworkSettings` of `inspect`. */
export function networkSettings(
  record: ContainerRecord,
  state: RuntimeState,
  core: EngineCore,
): Readonly<Record<string, unknown>> {
  const running = state.status === "running" || state.status === "created";
  const endpoints = [...core.networkStore.endpoints({ container: record.id })].sort(byIndex);
  const mode = networkMode(record.options);
  const attachments = mode.kind === "cni" ? core.cniBook.of(record.id) : [];
  const onCni = attachments.map((attachment) => cniEntry(attachment, running));
  const onBridges = endpoints.map((endpoint) => {
    const network = core.networkStore.network(endpoint.network);
    const subnets = network?.subnets ?? [];
    const [ip, ipLength] = running ? addressOf(endpoint.addresses, false) : ["", 0];
    const [ip6, ip6Length] = running ? addressOf(endpoint.addresses, true) : ["", 0];
    return [
      endpoint.network,
      {
        NetworkID: network === undefined ? "" : networkId(network),
        EndpointID: running ? endpoint.hostInterface : "",
        Gateway: running ? gatewayOf(subnets, false) : "",
        IPAddress: ip,
        IPPrefixLen: ipLength,
        IPv6Gateway: running ? gatewayOf(subnets, true) : "",
        GlobalIPv6Address: ip6,
        GlobalIPv6PrefixLen: ip6Length,
        MacAddress: running ? endpoint.mac : "",
        DNSNames: endpoint.aliases,
      },
    ] as const;
  });
  const networks = [...onCni, ...onBridges];
  const [first] = networks;
  return {
    SandboxKey: running && mode.kind !== "host" ? `/proc/${state.pid}/ns/net` : "",
    Ports: running
      ? portMap(record.resolved.exposed ?? [], [...endpoints.flatMap(({ ports }) => ports), ...cniPorts(attachments)])
      : {},
    Gateway: first?.[1].Gateway ?? "",
    IPAddress: first?.[1].IPAddress ?? "",
    IPPrefixLen: first?.[1].IPPrefixLen ?? 0,
    MacAddress: first?.[1].MacAddress ?? "",
    Networks: Object.fromEntries(networks),
    // What Docker has not: `all`, or what it may reach.
    Egress: record.options.egress ?? ["all"],
  };
}
