/** Ports on IPv6's loopback, whose address the kernel does not translate: processes of keel pass connections on. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { isSampanError, unsupported } from "#errdefs";
import type { Executor } from "#keel";
import type { Operation } from "#plan";
import { protocols } from "../firewall/keys.ts";
import type { PublishedPort } from "../records.ts";

/** Where a container's forwarders belong: they end with its process, and have a file each in a directory of its own. */
export interface ForwardingPlace {
  readonly pid: number;
  readonly directory: string;
}

const loopback = "::1";

/** Published there, or on all addresses, of which it is one. */
const isForwarded = ({ hostAddress, protocol }: PublishedPort): boolean =>
  (hostAddress === loopback || hostAddress === "::") && protocol !== "sctp";

/** Whether the packet filter leads to it. */
export const isTranslated = ({ hostAddress }: PublishedPort): boolean => hostAddress !== loopback;

const fileOf = ({ directory }: ForwardingPlace, { protocol, hostPort }: PublishedPort): string =>
  join(directory, `forward-${protocol}-${hostPort}`);

const operationOf = (place: ForwardingPlace, port: PublishedPort): Operation => ({
  op: "forward-port",
  protocol: protocols[port.protocol],
  address: loopback,
  port: port.hostPort,
  target: port.address,
  targetPort: port.port,
  pid: place.pid,
  file: fileOf(place, port),
});

/**
 * Starts what passes a container's ports on.
 *
 * @param place undefined for what is no container with a process
 */
export async function startForwarding(
  executor: Executor,
  place: ForwardingPlace | undefined,
  ports: readonly PublishedPort[],
): Promise<void> {
  for (const port of ports.filter(isForwarded)) {
    const isAskedFor = port.hostAddress === loopback;
    if (place === undefined) {
      if (!isAskedFor) continue;
      throw unsupported(`Cannot publish port ${port.port} on "${loopback}": there is no process to forward for`);
    }
    try {
      await executor.execute([operationOf(place, port)]);
    } catch (error) {
      // The loopback has no IPv6: nobody will look for it there either.
      if (isAskedFor || !isSampanError(error)) throw error;
    }
  }
}

export function stopForwarding(place: ForwardingPlace | undefined, ports: readonly PublishedPort[]): void {
  if (place === undefined) return;
  for (const port of ports.filter(isForwarded)) rmSync(fileOf(place, port), { force: true });
}
