/** Networks by address and prefix length, e.g. `10.88.0.0/16`. */
import { invalidArgument } from "#errdefs";
import { bytesToIp, parseIp, type Family } from "./text.ts";

export interface Prefix {
  readonly family: Family;
  /** The first address as a number; bits after the prefix are 0. */
  readonly base: bigint;
  /** Bits that all its addresses share. */
  readonly length: number;
}

const bitsOf = (family: Family): number => (family === 4 ? 32 : 128);

function toNumber(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}

/** The bytes of the address that a number stands for. */
export function numberToBytes(family: Family, value: bigint): Uint8Array {
  const bytes = new Uint8Array(bitsOf(family) / 8);
  for (let at = bytes.length - 1, rest = value; at >= 0; at -= 1, rest >>= 8n) bytes[at] = Number(rest & 0xffn);
  return bytes;
}

export const numberToIp = (family: Family, value: bigint): string => bytesToIp(numberToBytes(family, value)) ?? "";

/** @throws SampanError `invalid-argument` for text that is no address */
export function ipToNumber(text: string): bigint {
  const bytes = parseIp(text);
  if (bytes === undefined) throw invalidArgument(`Cannot use address "${text}": it is neither IPv4 nor IPv6`);
  return toNumber(bytes);
}

/** How many addresses it has. */
export const sizeOf = ({ family, length }: Prefix): bigint => 1n << BigInt(bitsOf(family) - length);

/** @throws SampanError `invalid-argument` for text that is no prefix, or has bits after it */
export function parsePrefix(text: string): Prefix {
  const [, address = "", digits = ""] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const bytes = parseIp(address);
  if (bytes === undefined)
    throw invalidArgument(`Cannot use subnet "${text}": it is not an address, "/", and a length`);
  const family = bytes.length === 4 ? 4 : 6;
  const length = Number(digits);
  if (length > bitsOf(family))
    throw invalidArgument(`Cannot use subnet "${text}": its length is over ${bitsOf(family)}`);
  const prefix = prefixOf(family, toNumber(bytes), length);
  if (prefix.base !== toNumber(bytes))
    throw invalidArgument(`Cannot use subnet "${text}": it has bits after its prefix`, {
      remedy: `Write ${formatPrefix(prefix)}`,
    });
  return prefix;
}

/** The prefix of a length that an address is in. */
export function prefixOf(family: Family, address: bigint, length: number): Prefix {
  const rest = BigInt(bitsOf(family) - length);
  return { family, base: (address >> rest) << rest, length };
}

export const formatPrefix = ({ family, base, length }: Prefix): string => `${numberToIp(family, base)}/${length}`;

export const contains = (prefix: Prefix, address: bigint): boolean =>
  address >= prefix.base && address < prefix.base + sizeOf(prefix);

export const overlaps = (a: Prefix, b: Prefix): boolean =>
  a.family === b.family && (contains(a, b.base) || contains(b, a.base));
