/** The sockets that questions come by. They may have been bound by another process, which gave its descriptors. */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { createServer, type Server } from "node:net";
import { once } from "node:events";
import { familyOf } from "../address/text.ts";

export interface Listener {
  readonly address: string;
  readonly udp: UdpSocket;
  readonly tcp: Server;
}

/** Bytes that may wait in a socket: some thousand questions. */
const receiveBuffer = 1 << 20;
/** Connections that wait to be accepted. */
const backlog = 128;

const asItIs = (address: string, _: unknown, use: (error: null, address: string, family: number) => void): void =>
  use(null, address, familyOf(address));

function makeUdp(address: string): UdpSocket {
  return createSocket({
    type: familyOf(address) === 4 ? "udp4" : "udp6",
    lookup: asItIs,
    ipv6Only: familyOf(address) === 6,
  });
}

/** Errors of an address that this host does not have now. */
const isMissing = (error: unknown): boolean =>
  ["EADDRNOTAVAIL", "EINVAL"].includes((error as NodeJS.ErrnoException).code ?? "");
export const isTaken = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "EADDRINUSE";

/**
 * Binds both protocols' port of an address.
 *
 * @returns undefined when the host does not have the address
 * @throws the system's error when somebody has the port
 */
export async function listen(address: string, port: number): Promise<Listener | undefined> {
  const udp = makeUdp(address);
  const tcp = createServer({ noDelay: true });
  try {
    const bound = once(udp, "listening");
    udp.bind({ address, port, exclusive: true });
    await bound;
    const listening = once(tcp, "listening");
    tcp.listen({ host: address, port, backlog, exclusive: true });
    await listening;
  } catch (error) {
    udp.close();
    tcp.close();
    if (isMissing(error)) return undefined;
    throw error;
  }
  return { address, udp, tcp };
}

/** Takes sockets over by their descriptors. */
export async function inherit(address: string, udpFd: number, tcpFd: number): Promise<Listener> {
  const udp = makeUdp(address);
  const tcp = createServer({ noDelay: true });
  const ready = Promise.all([once(udp, "listening"), once(tcp, "listening")]);
  udp.bind({ fd: udpFd, exclusive: true });
  tcp.listen({ fd: tcpFd, backlog, exclusive: true });
  await ready;
  return { address, udp, tcp };
}

/** What may fail is only less. */
export function enlarge({ udp }: Listener): void {
  try {
    udp.setRecvBufferSize(receiveBuffer);
  } catch {
    // The host allows no more.
  }
}

export function close({ udp, tcp }: Listener): void {
  udp.close();
  tcp.close();
}

interface Handle {
  readonly fd?: number;
}

/**
 * A socket's number. Node tells it nowhere: it stands in what it keeps for itself, of UDP behind a symbol since Node 26.
 *
 * @returns undefined where this Node keeps it elsewhere
 */
export function descriptorOf(socket: UdpSocket | Server): number | undefined {
  const { _handle: handle } = socket as unknown as { readonly _handle?: Handle };
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === "state symbol");
  const kept = symbol === undefined ? {} : (socket as unknown as Record<symbol, { readonly handle?: Handle }>)[symbol];
  const fd = handle?.fd ?? kept?.handle?.fd;
  return fd === undefined || fd < 0 ? undefined : fd;
}
