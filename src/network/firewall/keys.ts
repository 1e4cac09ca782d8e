/**
 * Keys and values of sets, and how nft is told what they are. A concatenation is its fields one after another, each padded
 * to four bytes; its type number is its fields' numbers, six bits each (nftables, include/datatype.h).
 */
import { ipToBytes, macToBytes } from "../address/text.ts";

/** Number and size in bytes of nft's data types. */
const types = {
  ipv4_addr: [7, 4],
  ipv6_addr: [8, 16],
  ether_addr: [9, 6],
  inet_proto: [12, 1],
  inet_service: [13, 2],
  ifname: [41, 16],
} as const;

export type FieldType = keyof typeof types;

const padded = (size: number): number => (size + 3) & ~3;

/** Bytes that a key of these fields takes. */
export function keyLength(fields: readonly FieldType[]): number {
  const [only] = fields;
  if (fields.length === 1 && only !== undefined) return types[only][1];
  return fields.reduce((sum, field) => sum + padded(types[field][1]), 0);
}

export const typeNumber = (fields: readonly FieldType[]): number =>
  fields.reduce((number, field) => (number << 6) | types[field][0], 0);

export const fieldLengths = (fields: readonly FieldType[]): readonly number[] => fields.map((field) => types[field][1]);

export const protocols = { tcp: 6, udp: 17, sctp: 132 } as const;
export type TransportProtocol = keyof typeof protocols;

const encoder = new TextEncoder();

function fieldBytes(type: FieldType, value: string | number): Uint8Array {
  const bytes = new Uint8Array(types[type][1]);
  if (type === "ipv4_addr" || type === "ipv6_addr") bytes.set(ipToBytes(String(value)));
  else if (type === "ether_addr") bytes.set(macToBytes(String(value)));
  else if (type === "ifname") encoder.encodeInto(String(value), bytes);
  else if (type === "inet_service") new DataView(bytes.buffer).setUint16(0, Number(value));
  else bytes[0] = typeof value === "number" ? value : protocols[value as TransportProtocol];
  return bytes;
}

/** The bytes of a key or value, e.g. `["inet_proto", "inet_service"]` and `["tcp", 80]`. */
export function keyBytes(fields: readonly FieldType[], values: readonly (string | number)[]): Uint8Array {
  const bytes = new Uint8Array(keyLength(fields));
  let at = 0;
  for (const [index, field] of fields.entries()) {
    bytes.set(fieldBytes(field, values[index] ?? 0), at);
    at += padded(types[field][1]);
  }
  return bytes;
}
