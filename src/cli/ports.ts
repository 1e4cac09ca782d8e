/** Published ports as Docker shows them. */
import type { PublishedPort } from "#engine";

/** `0.0.0.0:8080`, `[::]:8080`. */
export const hostPort = ({ hostAddress, hostPort: port }: PublishedPort): string =>
  hostAddress.includes(":") ? `[${hostAddress}]:${port}` : `${hostAddress}:${port}`;

/** `0.0.0.0:8080->80/tcp, 443/tcp`; ports that follow each other as ranges. */
export function describePorts(ports: readonly PublishedPort[], exposed: readonly string[]): string {
  const published = new Set(ports.map(({ port, protocol }) => `${port}/${protocol}`));
  const lines: string[] = [];
  const sorted = [...ports].sort(
    (a, b) =>
      a.hostAddress.localeCompare(b.hostAddress) || a.protocol.localeCompare(b.protocol) || a.hostPort - b.hostPort,
  );
  for (let at = 0; at < sorted.length;) {
    const first = sorted[at];
    if (first === undefined) break;
    let size = 1;
    const follows = (port: PublishedPort | undefined): boolean =>
      port !== undefined &&
      port.hostAddress === first.hostAddress &&
      port.protocol === first.protocol &&
      port.hostPort === first.hostPort + size &&
      port.port === first.port + size;
    while (follows(sorted[at + size])) size += 1;
    const last = (number: number): string => (size === 1 ? "" : `-${number + size - 1}`);
    lines.push(`${hostPort(first)}${last(first.hostPort)}->${first.port}${last(first.port)}/${first.protocol}`);
    at += size;
  }
  return [...lines, ...exposed.filter((port) => !published.has(port))].join(", ");
}
