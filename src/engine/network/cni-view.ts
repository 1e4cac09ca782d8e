/** What `ps` and `inspect` show of containers on CNI networks. Reads the book, and loads nothing that works on networks. */
import { statSync } from "node:fs";
import type { CniAttachment, CniList, EndpointRecord, PublishedPort } from "#network";
import type { EngineCore } from "../core.ts";
import type { NetworkDetails } from "./api.ts";
import { cniNetworkId } from "./id.ts";
import { cniNetworkName } from "./mode.ts";

const familyIs6 = (text: string): boolean => text.includes(":");

/** Ports of the host that plugins lead to a container. */
export function cniPorts(attachments: readonly CniAttachment[]): readonly PublishedPort[] {
  return attachments.flatMap(({ wishes, summary }) =>
    (wishes.portMappings ?? []).flatMap(({ hostIP, hostPort, containerPort, protocol }) => {
      const addresses = (summary?.addresses ?? []).map((address) => address.replace(/\/\d+$/, ""));
      const ofFamily = addresses.filter((address) => hostIP === undefined || familyIs6(address) === familyIs6(hostIP));
      return ofFamily.map((address) => ({
        protocol: protocol as PublishedPort["protocol"],
        hostAddress: hostIP ?? (familyIs6(address) ? "::" : "0.0.0.0"),
        hostPort,
        address,
        port: containerPort,
      }));
    }),
  );
}

function changedAt(path: string): number {
  try {
    return Math.floor(statSync(path).mtimeMs);
  } catch {
    return 0;
  }
}

function endpointOf(
  { container, list, interface: name, summary }: CniAttachment,
  ports: readonly PublishedPort[],
): EndpointRecord {
  return {
    network: cniNetworkName(list.name),
    container,
    interface: name,
    hostInterface: "",
    index: 0,
    mac: summary?.mac ?? "",
    addresses: summary?.addresses ?? [],
    isWayOut: true,
    aliases: [],
    ports,
  };
}

/** Subnets and such are known to plugins alone. */
export function cniDetails(core: EngineCore, list: CniList): NetworkDetails {
  const attachments = core.cniBook.all().filter((attachment) => attachment.list.name === list.name);
  const nameOf = (id: string): string | undefined =>
    core.records.has(id) ? core.records.find(id).name : core.pods.has(id) ? core.pods.find(id).name : undefined;
  return {
    id: cniNetworkId(list.name),
    network: {
      name: cniNetworkName(list.name),
      driver: "cni",
      bridge: "",
      index: 0,
      subnets: [],
      mtu: 0,
      internal: false,
      options: {
        file: list.path,
        cniVersion: list.version,
        plugins: list.plugins.map(({ type }) => type).join(","),
      },
      labels: {},
      createdAt: changedAt(list.path),
    },
    containers: attachments.flatMap((attachment) => {
      const name = nameOf(attachment.container);
      return name === undefined ? [] : [{ ...endpointOf(attachment, cniPorts([attachment])), name }];
    }),
  };
}
