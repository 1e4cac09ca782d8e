/** Addresses as text and as bytes. */
import { invalidArgument } from "#errdefs";

export type Family = 4 | 6;

/** 4 or 6 by an address' notation; it need not be valid. */
export const familyOf = (address: string): Family => (address.includes(":") ? 6 : 4);

function readV4(text: string): number[] | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  // Leading zeros are octal to some and decimal to others, so nobody's.
  if (!parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return undefined;
  return parts.map(Number);
}

function readV6(text: string): number[] | undefined {
  const embedded = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  let groups = text;
  if (embedded !== null) {
    const v4 = readV4(embedded[2] ?? "");
    if (v4 === undefined) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = v4;
    groups = `${embedded[1]}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  }
  const halves = groups.split("::");
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...head, ...Array.from({ length: missing }, () => "0"), ...tail];
  if (!all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]);
}

/** Four or sixteen bytes, or undefined for text that is no address. */
export function parseIp(text: string): Uint8Array | undefined {
  const bytes = familyOf(text) === 6 ? readV6(text) : readV4(text);
  return bytes === undefined ? undefined : Uint8Array.from(bytes);
}

/** @throws SampanError `invalid-argument` for text that is no address */
export function ipToBytes(text: string): Uint8Array {
  const bytes = parseIp(text);
  if (bytes === undefined) throw invalidArgument(`Cannot use address "${text}": it is neither IPv4 nor IPv6`);
  return bytes;
}

/** In IPv6's canonical form (RFC 5952). Undefined for any other number of bytes than four or sixteen. */
export function bytesToIp(bytes: Uint8Array): string | undefined {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.length !== 16) return undefined;
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[i * 2] ?? 0) << 8) | (bytes[i * 2 + 1] ?? 0));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
    return `::ffff:${bytes.subarray(12).join(".")}`;
  const [start, size] = longestZeros(groups);
  const words = groups.map((group) => group.toString(16));
  if (size < 2) return words.join(":");
  return `${words.slice(0, start).join(":")}::${words.slice(start + size).join(":")}`;
}

/** The first of the longest runs of zeros. */
function longestZeros(groups: readonly number[]): readonly [start: number, size: number] {
  let best: readonly [number, number] = [0, 0];
  for (let start = 0; start < groups.length; start += 1) {
    let end = start;
    while (groups[end] === 0) end += 1;
    if (end - start > best[1]) best = [start, end - start];
  }
  return best;
}

const macPattern = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;

/** @throws SampanError `invalid-argument` for text that is no MAC address */
export function macToBytes(text: string): Uint8Array {
  if (!macPattern.test(text))
    throw invalidArgument(`Cannot use MAC address "${text}": it is not six bytes such as 02:42:0a:58:00:02`);
  return Uint8Array.from(text.split(":"), (part) => Number.parseInt(part, 16));
}

export const bytesToMac = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":");
