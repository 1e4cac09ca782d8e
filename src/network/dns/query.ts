/** Questions of clients as they come from the network: read fast, and answered with their question as it was written. */
import { isSampanError } from "#errdefs";
import { bits, codes, decodeMessage, ednsOf, ednsRecord, headerSize, writeHeader } from "./message.ts";
import { lowerCase, readName } from "./name.ts";
import { types, writeRecord, type DnsRecord } from "./record.ts";
import { MessageWriter } from "./writer.ts";

export interface Query {
  readonly id: number;
  readonly flags: number;
  /** As it was asked, and in small letters. */
  readonly asked: string;
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** The question's bytes. */
  readonly question: Uint8Array;
  /** Undefined for a client without EDNS. */
  readonly edns: { readonly size: number; readonly dnssec: boolean } | undefined;
}

/** A question that gets an answer without being looked at, by its code; undefined where none is given at all. */
export type ReadQuery = { readonly query: Query } | { readonly reply: Uint8Array } | undefined;

/** Largest message by UDP that passes a network without being cut (DNS flag day 2020). */
export const safeSize = 1232;
/** Without EDNS. */
const smallSize = 512;

function failed(bytes: Uint8Array, code: number): ReadQuery {
  const out = new MessageWriter();
  const flags = ((bytes[2] ?? 0) << 8) & (bits.opcode | bits.recursionDesired);
  writeHeader(out, ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0), bits.response | flags | code, [0, 0, 0, 0]);
  return { reply: out.finish() };
}

/** Extended codes: the lower four bits are in the header, the others in the OPT. */
function badVersion(query: Query): ReadQuery {
  const opt = ednsRecord({ size: safeSize, version: 0, dnssec: false, extendedCode: 1, options: new Uint8Array() });
  const out = new MessageWriter();
  writeHeader(out, query.id, bits.response | (codes.badVersion & 15), [1, 0, 0, 1]);
  out.bytes(query.question);
  writeRecord(out, opt);
  return { reply: out.finish() };
}

/** Never throws. */
export function readQuery(bytes: Uint8Array): ReadQuery {
  // Answering an answer could go on for ever.
  if (bytes.length < headerSize || ((bytes[2] ?? 0) & 0x80) !== 0) return undefined;
  try {
    return read(bytes);
  } catch (error) {
    if (isSampanError(error, "invalid-argument")) return failed(bytes, codes.formatError);
    throw error;
  }
}

function read(bytes: Uint8Array): ReadQuery {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint16(2);
  if ((flags & bits.opcode) !== 0) return failed(bytes, codes.notImplemented);
  if (view.getUint16(4) !== 1) return failed(bytes, codes.formatError);
  const { name: asked, end } = readName(bytes, headerSize);
  if (end + 4 > bytes.length) return failed(bytes, codes.formatError);
  const question = bytes.subarray(headerSize, end + 4);
  const query = {
    id: view.getUint16(0),
    flags,
    asked,
    name: lowerCase(asked),
    type: view.getUint16(end),
    class: view.getUint16(end + 2),
    question,
    edns: undefined,
  };
  if (end + 4 === bytes.length && view.getUint16(6) + view.getUint16(8) + view.getUint16(10) === 0) return { query };
  const edns = ednsOf(decodeMessage(bytes));
  if (edns === undefined) return { query };
  const complete = { ...query, edns: { size: Math.max(edns.size, smallSize), dnssec: edns.dnssec } };
  return edns.version === 0 ? { query: complete } : badVersion(complete);
}

/** The part of an answer that follows the question, in which names may lead back to the question's. */
export interface Body {
  /** {@link bits} that it sets, and its code. */
  readonly flags: number;
  /** Of answers, authorities and additionals. */
  readonly counts: readonly [number, number, number];
  readonly bytes: Uint8Array;
  /** Where its TTLs stand, in `bytes`. */
  readonly ttls: readonly number[];
}

export interface Sections {
  readonly answers?: readonly DnsRecord[];
  readonly authorities?: readonly DnsRecord[];
  readonly additionals?: readonly DnsRecord[];
}

/** @param question its name, which records may have as well, and its bytes */
export function makeBody(
  question: { readonly asked: string; readonly question: Uint8Array },
  flags: number,
  { answers = [], authorities = [], additionals = [] }: Sections = {},
): Body {
  const out = new MessageWriter();
  writeHeader(out, 0, 0, [0, 0, 0, 0]);
  rememberName(out, question.asked, question.question);
  const start = out.length;
  const ttls = [...answers, ...authorities, ...additionals].map((record) => writeRecord(out, record) - start);
  const counts = [answers.length, authorities.length, additionals.length] as const;
  return { flags, counts, bytes: out.finish().slice(start), ttls };
}

/** The question's bytes are kept, its name and the ones that it ends with are known by where they stand. */
function rememberName(out: MessageWriter, name: string, question: Uint8Array): void {
  const end = out.length + question.length;
  let rest = name;
  for (let at = 0; at < question.length && rest !== "";) {
    out.remember(rest);
    const length = question[at] ?? 0;
    out.bytes(question.subarray(at, at + length + 1));
    at += length + 1;
    rest = readName(question, at).name;
  }
  out.bytes(question.subarray(question.length - (end - out.length)));
}

/** EDE, RFC 8914: why an answer is as it is. */
interface Reason {
  readonly code: number;
  readonly text: string;
}
/** What the resolver's owner has forbidden. */
export const prohibited = 18;

const optSize = 11;
const encoder = new TextEncoder();

function reasonOption({ code, text }: Reason): Uint8Array {
  const words = encoder.encode(text);
  return Uint8Array.of(0, 15, 0, words.length + 2, code >> 8, code & 255, ...words);
}

export interface ReplyOptions {
  /** Of the connection by which it goes; UDP's is the client's. */
  readonly stream: boolean;
  /** Seconds since the body was made, which its TTLs are less by. */
  readonly age?: number;
  readonly reason?: Reason | undefined;
}

/** A whole answer; one that is too large for the client's UDP is cut to nothing, and marked so that it asks by TCP. */
export function reply(query: Query, body: Body, { stream, age = 0, reason }: ReplyOptions): Uint8Array {
  const option = reason !== undefined && query.edns !== undefined ? reasonOption(reason) : undefined;
  const opt = query.edns === undefined ? 0 : optSize + (option?.length ?? 0);
  const before = headerSize + query.question.length;
  const limit = stream ? 65_535 : Math.min(query.edns?.size ?? smallSize, safeSize);
  const cut = before + body.bytes.length + opt > limit;
  const content = cut ? new Uint8Array() : body.bytes;
  const bytes = Buffer.allocUnsafe(before + content.length + opt);
  bytes.writeUInt16BE(query.id, 0);
  const kept = query.flags & (bits.recursionDesired | bits.checkingDisabled);
  const own = bits.response | bits.recursionAvailable | (cut ? bits.truncated : 0);
  bytes.writeUInt16BE(own | kept | body.flags, 2);
  bytes.writeUInt16BE(1, 4);
  for (const [index, count] of body.counts.entries())
    bytes.writeUInt16BE((cut ? 0 : count) + (index === 2 && opt > 0 ? 1 : 0), 6 + index * 2);
  bytes.set(query.question, headerSize);
  bytes.set(content, before);
  if (age > 0 && !cut)
    for (const at of body.ttls) bytes.writeUInt32BE(Math.max(0, bytes.readUInt32BE(before + at) - age), before + at);
  if (opt > 0) writeOpt(bytes, before + content.length, query, option);
  return bytes;
}

function writeOpt(bytes: Buffer, at: number, query: Query, option: Uint8Array | undefined): void {
  bytes.writeUInt8(0, at);
  bytes.writeUInt16BE(types.OPT, at + 1);
  bytes.writeUInt16BE(safeSize, at + 3);
  bytes.writeUInt32BE(query.edns?.dnssec === true ? 0x8000 : 0, at + 5);
  bytes.writeUInt16BE(option?.length ?? 0, at + 9);
  if (option !== undefined) bytes.set(option, at + optSize);
}
