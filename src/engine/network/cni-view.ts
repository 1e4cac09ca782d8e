/** What `ps` and `inspect` show of containers on CNI networks. Reads the book, and loads nothing that works on networks. */
import type { CniAttachment, PublishedPort } from "#network";

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
