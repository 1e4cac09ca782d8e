/** Who listens on this host's ports, from /proc/net (proc(5)): less is told than by sock_diag(7), and no process is needed for it. */
import { readFileSync } from "node:fs";
import { bytesToIp } from "../address/text.ts";

interface Listening {
  readonly address: string;
  readonly port: number;
  /** Whether an IPv6 socket takes IPv4 too is not told: it may. */
  readonly both: boolean;
}

/** Sockets up to which these files, which list all of them, are short. */
const few = 4096;

/** TCP_LISTEN, and TCP_CLOSE, which a UDP socket without a peer is in. */
const states = { tcp: "0A", udp: "07" } as const;
type Listed = keyof typeof states;

export const isListed = (protocol: string): protocol is Listed => Object.hasOwn(states, protocol);

/** Words of four bytes, each in the processor's order. */
function addressOf(hex: string): string {
  const words = Uint32Array.from(hex.match(/.{8}/g) ?? [], (word) => Number.parseInt(word, 16));
  return bytesToIp(new Uint8Array(words.buffer)) ?? "";
}

/** Of one file: a line of headings, then a line for each socket. */
export function parseListening(text: string, protocol: Listed): Listening[] {
  const found: Listening[] = [];
  for (const [, hex = "", port = "", state] of text.matchAll(
    /^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ ([0-9A-F]{2}) /gm,
  )) {
    if (state !== states[protocol]) continue;
    const address = addressOf(hex);
    found.push({ address, port: Number.parseInt(port, 16), both: address === "::" });
  }
  return found;
}

/** Undefined where there are many sockets, or the files are not to be had. */
export function listening(protocol: Listed): Listening[] | undefined {
  const read = (name: string): string => readFileSync(`/proc/net/${name}`, "latin1");
  try {
    const counts = [...`${read("sockstat")}${read("sockstat6")}`.matchAll(/\b(?:inuse|tw) (\d+)/g)];
    if (counts.reduce((sum, [, count]) => sum + Number(count), 0) > few) return undefined;
    return [protocol, `${protocol}6`].flatMap((name) => parseListening(read(name), protocol));
  } catch {
    return undefined;
  }
}
