import { isIP } from "node:net";
import { Protocol, type PortMapping } from "../gen/runtime/v1/pods_pb.ts";
import { refuse } from "../refuse.ts";

const protocols: ReadonlyMap<Protocol, string> = new Map([
  [Protocol.TCP, "tcp"],
  [Protocol.UDP, "udp"],
  [Protocol.SCTP, "sctp"],
]);

/** Ports of the host that lead to the pod, as the engine writes them; a mapping without a port of the host is none. */
export function published(mappings: readonly PortMapping[]): string[] {
  return mappings.flatMap(({ protocol, containerPort, hostPort, hostIp }, index) => {
    const fail = (field: string, state: string): never =>
      refuse("make a pod sandbox", `config.port_mappings[${index}].${field}`, state);
    const name = protocols.get(protocol) ?? fail("protocol", `${protocol} is not known`);
    if (hostPort < 0 || hostPort > 65_535) fail("host_port", `${hostPort} is no port`);
    if (hostPort === 0) return [];
    if (containerPort < 1 || containerPort > 65_535) fail("container_port", `${containerPort} is no port`);
    const family = isIP(hostIp);
    if (hostIp !== "" && family === 0) fail("host_ip", `${JSON.stringify(hostIp)} is no address`);
    const address = hostIp === "" ? "" : family === 6 ? `[${hostIp}]:` : `${hostIp}:`;
    return [`${address}${hostPort}:${containerPort}/${name}`];
  });
}
