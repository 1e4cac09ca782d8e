/**
 * Resource records. What a record holds is a list of names (text) and of anything else (bytes), in order: so names are
 * written anew, compressed or not, and types that are not known here pass as they are (RFC 3597).
 */
import { malformed } from "./malformed.ts";
import { readName, writeName } from "./name.ts";
import type { MessageWriter } from "./writer.ts";

/** Numbers of the IANA registry "Resource Record (RR) TYPEs". */
export const types = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  MB: 7,
  MG: 8,
  MR: 9,
  PTR: 12,
  MINFO: 14,
  MX: 15,
  TXT: 16,
  RP: 17,
  AFSDB: 18,
  RT: 21,
  PX: 26,
  AAAA: 28,
  SRV: 33,
  NAPTR: 35,
  KX: 36,
  DNAME: 39,
  OPT: 41,
  DS: 43,
  RRSIG: 46,
  DNSKEY: 48,
  SVCB: 64,
  HTTPS: 65,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
} as const;

export const classes = { IN: 1, ANY: 255 } as const;

export interface DnsRecord {
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** Seconds. */
  readonly ttl: number;
  readonly data: readonly (string | Uint8Array)[];
}

/** A number is so many bytes, `text` bytes with their length before them. */
type Part = "name" | "text" | number;

/** Those of RFC 1035: readers expect compressed names in them. */
const old: ReadonlyMap<number, readonly Part[]> = new Map<number, readonly Part[]>([
  ...[types.NS, types.CNAME, types.MB, types.MG, types.MR, types.PTR].map((type): [number, Part[]] => [type, ["name"]]),
  [types.SOA, ["name", "name", 20]],
  [types.MINFO, ["name", "name"]],
  [types.MX, [2, "name"]],
]);

/** Later ones: their names are not compressed (RFC 3597, section 4), but are read when they are. */
const later: ReadonlyMap<number, readonly Part[]> = new Map<number, readonly Part[]>([
  [types.A, [4]],
  [types.AAAA, [16]],
  [types.RP, ["name", "name"]],
  [types.AFSDB, [2, "name"]],
  [types.RT, [2, "name"]],
  [types.PX, [2, "name", "name"]],
  [types.SRV, [6, "name"]],
  [types.NAPTR, [4, "text", "text", "text", "name"]],
  [types.KX, [2, "name"]],
  [types.DNAME, ["name"]],
]);

/** A copy: `slice` of a Buffer is none. */
const copy = (bytes: Uint8Array, start: number, end: number): Uint8Array => new Uint8Array(bytes.subarray(start, end));

/** Consecutive bytes are one part. */
function readData(bytes: Uint8Array, start: number, end: number, type: number): (string | Uint8Array)[] {
  const shape = old.get(type) ?? later.get(type);
  // Of an update, or of a class that means something else.
  if (shape === undefined || start === end) return start === end ? [] : [copy(bytes, start, end)];
  const data: (string | Uint8Array)[] = [];
  let at = start;
  let plain = start;
  const flush = (): void => {
    if (at > plain) data.push(copy(bytes, plain, at));
  };
  for (const part of shape) {
    if (part !== "name") {
      at += part === "text" ? (bytes[at] ?? 0) + 1 : part;
      if (at > end) break;
      continue;
    }
    flush();
    const read = readName(bytes, at);
    data.push(read.name);
    at = read.end;
    plain = at;
  }
  if (at !== end) throw malformed(`a record of type ${type} has a wrong length`);
  flush();
  return data;
}

/** @throws SampanError `invalid-argument` */
export function readRecord(
  bytes: Uint8Array,
  view: DataView,
  start: number,
): { readonly record: DnsRecord; readonly end: number } {
  const { name, end: at } = readName(bytes, start);
  if (at + 10 > bytes.length) throw malformed("a record goes beyond its end");
  const type = view.getUint16(at);
  const dataStart = at + 10;
  const end = dataStart + view.getUint16(at + 8);
  if (end > bytes.length) throw malformed("a record goes beyond its end");
  const data = readData(bytes, dataStart, end, type);
  return { record: { name, type, class: view.getUint16(at + 2), ttl: view.getUint32(at + 4), data }, end };
}

/** @returns where its TTL stands */
export function writeRecord(out: MessageWriter, record: DnsRecord): number {
  writeName(out, record.name, true);
  out.u16(record.type);
  out.u16(record.class);
  const ttlAt = out.length;
  out.u32(record.ttl);
  const lengthAt = out.length;
  out.u16(0);
  const start = out.length;
  const compress = old.has(record.type);
  for (const part of record.data)
    if (typeof part === "string") writeName(out, part, compress);
    else out.bytes(part);
  out.patch(lengthAt, out.length - start);
  return ttlAt;
}
