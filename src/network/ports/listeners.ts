/** Ports of the host that its programs listen on (sock_diag(7), include/uapi/linux/inet_diag.h). */
import { isSampanError } from "#errdefs";
import type { Executor } from "#keel";
import { bytesToIp } from "../address/text.ts";
import { isListed, listening } from "./listening.ts";
import { protocols, type TransportProtocol } from "../firewall/keys.ts";
import { eachAttribute } from "../netlink/attribute.ts";
import { ByteWriter, malformed, viewOf } from "../netlink/buffer.ts";
import { contentOf, decodeMessages, encodeMessages, flags } from "../netlink/message.ts";
import { ask, netlinkOperation } from "../netlink/operation.ts";

/** By protocol; those of protocols that were not asked for are missing. */
export type Listeners = Readonly<Partial<Record<TransportProtocol, readonly Listener[]>>>;

export interface Listener {
  readonly address: string;
  readonly port: number;
  /** Of an IPv6 socket: it takes IPv4 too. */
  readonly both: boolean;
}

const byFamily = 20;
/** Bits of socket states: TCP_LISTEN, and TCP_CLOSE, which a UDP socket without a peer is in. */
const states = { tcp: 1 << 10, udp: 1 << 7, sctp: 1 << 10 } as const;
const families = [2, 10] as const;
/** struct inet_diag_sockid. */
const socketIdSize = 48;
/** struct inet_diag_msg; attributes follow. */
const messageSize = 72;
/** INET_DIAG_SKV6ONLY */
const onlyV6 = 11;

function request(family: number, protocol: TransportProtocol): Uint8Array {
  const out = new ByteWriter();
  out.u8(family);
  out.u8(protocols[protocol]);
  out.u16(0);
  out.u32(states[protocol]);
  out.skip(socketIdSize);
  return out.finish();
}

function decode(payload: Uint8Array): Listener {
  if (payload.length < messageSize) throw malformed(`a socket of ${payload.length} bytes`);
  const [family = 0] = payload;
  const address = bytesToIp(payload.subarray(8, family === 2 ? 12 : 24)) ?? "";
  const attributes = new Map(eachAttribute(payload.subarray(messageSize)));
  const both = family === 10 && attributes.get(onlyV6)?.[0] === 0 && address === "::";
  return { address, port: viewOf(payload).getUint16(4), both };
}

function operation(family: number, protocol: TransportProtocol): ReturnType<typeof netlinkOperation> {
  const message = {
    type: byFamily,
    flags: flags.request | flags.ack | flags.dump,
    sequence: 1,
    payload: request(family, protocol),
  };
  return netlinkOperation("sockDiag", "see who listens on the host's ports", encodeMessages([message]));
}

/** Empty for a protocol that the kernel does not have. */
async function listeners(executor: Executor, protocol: TransportProtocol): Promise<Listener[]> {
  const operations = families.map((family) => operation(family, protocol));
  try {
    const answers = await ask(executor, operations);
    return answers.flatMap((bytes) => contentOf(decodeMessages(bytes)).map(({ payload }) => decode(payload)));
  } catch (error) {
    if (!isSampanError(error, "not-found")) throw error;
    return [];
  }
}

/** Without a process of its own where nobody has one of the ports. What exactly is in the way is asked for otherwise. */
async function listenersFor(
  executor: Executor,
  protocol: TransportProtocol,
  wanted: readonly WantedPorts[],
): Promise<readonly Listener[]> {
  const seen = isListed(protocol) ? listening(protocol) : undefined;
  const isInTheWay = ({ port }: Listener): boolean =>
    wanted.some(({ hostPorts }) => hostPorts !== undefined && hostPorts[0] <= port && port <= hostPorts[1]);
  return seen === undefined || seen.some(isInTheWay) ? await listeners(executor, protocol) : seen;
}

interface WantedPorts {
  readonly protocol: TransportProtocol;
  readonly hostPorts?: readonly [first: number, last: number];
}

/** Who listens with the protocols of some ports. */
export async function hostListeners(executor: Executor, ports: readonly WantedPorts[]): Promise<Listeners> {
  const found: Partial<Record<TransportProtocol, readonly Listener[]>> = {};
  for (const protocol of new Set(ports.map((port) => port.protocol)))
    found[protocol] = await listenersFor(
      executor,
      protocol,
      ports.filter((port) => port.protocol === protocol),
    );
  return found;
}
