/**
 * One question to one server. Whoever wants to answer in the server's place has to guess the source port, the id, and which
 * letters of the name are capitals; and where somebody tries, TCP is used.
 */
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { randomFillSync } from "node:crypto";
import { unavailable } from "#errdefs";
import { familyOf } from "../address/text.ts";
import { bits, codes, decodeMessage, ednsOf, ednsRecord, headerSize, writeHeader, type Message } from "./message.ts";
import { safeSize } from "./query.ts";
import { writeRecord } from "./record.ts";
import { MessageWriter } from "./writer.ts";

/** A question as it is forwarded. */
export interface Outgoing {
  /** The question's bytes, their letters in any case. */
  readonly question: Uint8Array;
  readonly dnssec: boolean;
  readonly checkingDisabled: boolean;
}

export interface Reply {
  readonly message: Message;
  /** With the upper bits that EDNS adds. */
  readonly code: number;
}

export interface ExchangeOptions {
  readonly server: string;
  readonly port: number;
  /** Milliseconds. */
  readonly timeout: number;
}

/** Packets for somebody else's question, after which it is no accident. */
const strangers = 8;

const pool = new Uint8Array(4096);
let unused = 0;

function randomBytes(count: number): Uint8Array {
  if (unused < count) {
    randomFillSync(pool);
    unused = pool.length;
  }
  unused -= count;
  return pool.subarray(unused, unused + count);
}

const isLetter = (byte: number): boolean => (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;

/** The same question with capitals by chance. Bytes of lengths and of the type are no letters, or pass for none. */
function mixCase(question: Uint8Array): Uint8Array {
  const mixed = new Uint8Array(question);
  const nameEnd = question.length - 5;
  const random = randomBytes(Math.ceil(nameEnd / 8) + 1);
  for (let at = 0; at < nameEnd;) {
    const end = at + 1 + (mixed[at] ?? 0);
    for (at += 1; at < end; at += 1) {
      const byte = mixed[at] ?? 0;
      if (isLetter(byte)) mixed[at] = (byte & 0xdf) | ((((random[at >> 3] ?? 0) >> (at & 7)) & 1) << 5);
    }
  }
  return mixed;
}

interface Sent {
  readonly bytes: Uint8Array;
  readonly id: number;
  readonly question: Uint8Array;
}

function encode({ question, dnssec, checkingDisabled }: Outgoing, withEdns: boolean): Sent {
  const [high = 0, low = 0] = randomBytes(2);
  const id = (high << 8) | low;
  const mixed = mixCase(question);
  const out = new MessageWriter();
  const flags = bits.recursionDesired | bits.authentic | (checkingDisabled ? bits.checkingDisabled : 0);
  writeHeader(out, id, flags, [1, 0, 0, withEdns ? 1 : 0]);
  out.bytes(mixed);
  if (withEdns)
    writeRecord(out, ednsRecord({ size: safeSize, version: 0, dnssec, extendedCode: 0, options: new Uint8Array() }));
  return { bytes: out.finish(), id, question: mixed };
}

type Match = "ours" | "other case" | "not ours";

/** Whether a packet answers what was sent. */
function match(bytes: Uint8Array, { id, question }: Sent): Match {
  if (bytes.length < headerSize) return "not ours";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint16(2);
  if (view.getUint16(0) !== id || (flags & (bits.response | bits.opcode)) !== bits.response) return "not ours";
  // One that could not read the question says so without it.
  if (view.getUint16(4) === 0 && (flags & bits.code) !== codes.noError) return "ours";
  if (view.getUint16(4) !== 1 || bytes.length < headerSize + question.length) return "not ours";
  let same = true;
  for (const [index, byte] of question.entries()) {
    const other = bytes[headerSize + index] ?? 0;
    if (byte === other) continue;
    if (!isLetter(byte) || (byte ^ other) !== 0x20 || index >= question.length - 5) return "not ours";
    same = false;
  }
  return same ? "ours" : "other case";
}

function readReply(bytes: Uint8Array): Reply {
  const message = decodeMessage(bytes);
  return { message, code: (message.flags & bits.code) | ((ednsOf(message)?.extendedCode ?? 0) << 4) };
}

const unanswered = (server: string, why: string): Error => unavailable(`Cannot ask name server "${server}": ${why}`);

/** Calls `use` when the address has been looked up: it is none that needs to be. */
const asItIs = (address: string, _: unknown, use: (error: null, address: string, family: number) => void): void =>
  use(null, address, familyOf(address));

/** Undefined when TCP should be tried. */
async function byUdp(sent: Sent, { server, port, timeout }: ExchangeOptions): Promise<Uint8Array | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | undefined>();
  // A socket of its own: the kernel chooses a port by chance, and takes packets of this server only.
  const socket = createSocket({ type: familyOf(server) === 4 ? "udp4" : "udp6", lookup: asItIs });
  let others = 0;
  socket.on("message", (bytes: Buffer) => {
    const kind = match(bytes, sent);
    if (kind === "ours") resolve(((bytes[2] ?? 0) & (bits.truncated >> 8)) === 0 ? bytes : undefined);
    else if (kind === "other case" || (others += 1) === strangers) resolve(undefined);
  });
  socket.on("error", (error) => reject(unanswered(server, error.message)));
  const timer = setTimeout(() => reject(unanswered(server, "it does not answer")), timeout);
  const connected = (error?: Error): void => {
    if (error !== undefined) reject(unanswered(server, error.message));
    else if (!done) socket.send(sent.bytes);
  };
  let done = false;
  socket.connect(port, server, connected);
  try {
    return await promise;
  } finally {
    done = true;
    clearTimeout(timer);
    socket.close();
  }
}

async function byTcp(sent: Sent, { server, port, timeout }: ExchangeOptions): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const socket = connect({ host: server, port, lookup: asItIs });
  const timer = setTimeout(() => reject(unanswered(server, "it does not answer")), timeout);
  let heard: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    heard = Buffer.concat([heard, chunk]);
    if (heard.length < 2) return;
    const end = 2 + heard.readUInt16BE(0);
    if (heard.length < end) return;
    const message = heard.subarray(2, end);
    // Nobody else has this connection: a server may write the name as it likes.
    if (match(message, sent) === "not ours") reject(unanswered(server, "it answers something else"));
    else resolve(message);
  });
  socket.on("error", (error) => reject(unanswered(server, error.message)));
  socket.on("close", () => reject(unanswered(server, "it closed the connection")));
  const length = Buffer.alloc(2);
  length.writeUInt16BE(sent.bytes.length);
  socket.write(Buffer.concat([length, sent.bytes]));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/**
 * @returns what the server answered, whatever its code
 * @throws SampanError `unavailable` when it does not answer, `invalid-argument` when it answers what is no message
 */
export async function exchange(outgoing: Outgoing, options: ExchangeOptions): Promise<Reply> {
  const once = async (withEdns: boolean): Promise<Reply> => {
    const sent = encode(outgoing, withEdns);
    return readReply((await byUdp(sent, options)) ?? (await byTcp(sent, options)));
  };
  const first = await once(true);
  // One that does not know EDNS.
  const isOld = first.code === codes.formatError || first.code === codes.notImplemented;
  return isOld && ednsOf(first.message) === undefined ? await once(false) : first;
}
