/** DNS messages (RFC 1035, section 4), to bytes and back. */
import { malformed } from "./malformed.ts";
import { readName, writeName } from "./name.ts";
import { readRecord, types, writeRecord, type DnsRecord } from "./record.ts";
import { MessageWriter } from "./writer.ts";

/** Bits of a header's second word. */
export const bits = {
  response: 0x8000,
  opcode: 0x7800,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  authentic: 0x0020,
  checkingDisabled: 0x0010,
  code: 0x000f,
} as const;

/** RCODE. */
export const codes = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  noSuchName: 3,
  notImplemented: 4,
  refused: 5,
  badVersion: 16,
} as const;

interface Question {
  readonly name: string;
  readonly type: number;
  readonly class: number;
}

export interface Message {
  readonly id: number;
  /** {@link bits} */
  readonly flags: number;
  readonly questions: readonly Question[];
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}

export const headerSize = 12;
/** A record has a name, ten bytes, and what it holds. */
const leastRecord = 11;

/** @throws SampanError `invalid-argument` */
export function decodeMessage(bytes: Uint8Array): Message {
  if (bytes.length < headerSize) throw malformed("it is shorter than its header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const counts = [4, 6, 8, 10].map((at) => view.getUint16(at));
  const [questionCount = 0, ...recordCounts] = counts;
  let at = headerSize;
  const questions: Question[] = [];
  for (let n = 0; n < questionCount; n += 1) {
    const { name, end } = readName(bytes, at);
    if (end + 4 > bytes.length) throw malformed("a question goes beyond its end");
    questions.push({ name, type: view.getUint16(end), class: view.getUint16(end + 2) });
    at = end + 4;
  }
  const sections = recordCounts.map((count) => {
    if (count * leastRecord > bytes.length - at) throw malformed("it has fewer records than it says");
    return Array.from({ length: count }, () => {
      const { record, end } = readRecord(bytes, view, at);
      at = end;
      return record;
    });
  });
  if (at !== bytes.length) throw malformed("something follows its end");
  const [answers = [], authorities = [], additionals = []] = sections;
  return { id: view.getUint16(0), flags: view.getUint16(2), questions, answers, authorities, additionals };
}

export function writeHeader(out: MessageWriter, id: number, flags: number, counts: readonly number[]): void {
  out.u16(id);
  out.u16(flags);
  for (const count of counts) out.u16(count);
}

function writeQuestion(out: MessageWriter, question: Question): void {
  writeName(out, question.name, true);
  out.u16(question.type);
  out.u16(question.class);
}

/** @throws SampanError `invalid-argument` for text that is no name, and over 65535 bytes */
export function encodeMessage(message: Message): Uint8Array<ArrayBuffer> {
  const out = new MessageWriter();
  const sections = [message.answers, message.authorities, message.additionals];
  const counts = [message.questions, ...sections].map((section) => section.length);
  writeHeader(out, message.id, message.flags, counts);
  for (const question of message.questions) writeQuestion(out, question);
  for (const record of sections.flat()) writeRecord(out, record);
  return out.finish();
}

/** EDNS (RFC 6891): what the record of type OPT says. */
export interface Edns {
  /** Largest message by UDP, in bytes. */
  readonly size: number;
  readonly version: number;
  /** Signatures are wanted as well. */
  readonly dnssec: boolean;
  /** Upper eight bits of the code. */
  readonly extendedCode: number;
  /** Options as they are. */
  readonly options: Uint8Array;
}

const dnssecOk = 0x8000;

export function ednsOf(message: Message): Edns | undefined {
  const record = message.additionals.find((additional) => additional.type === types.OPT);
  if (record === undefined) return undefined;
  const [options = new Uint8Array()] = record.data;
  return {
    size: record.class,
    version: (record.ttl >>> 16) & 255,
    dnssec: (record.ttl & dnssecOk) !== 0,
    extendedCode: record.ttl >>> 24,
    options: typeof options === "string" ? new Uint8Array() : options,
  };
}

export const ednsRecord = ({ size, version, dnssec, extendedCode, options }: Edns): DnsRecord => ({
  name: "",
  type: types.OPT,
  class: size,
  ttl: ((extendedCode << 24) | (version << 16) | (dnssec ? dnssecOk : 0)) >>> 0,
  data: options.length === 0 ? [] : [options],
});
