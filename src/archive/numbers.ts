/** Numbers in tar headers. Each function returns undefined for what is no number, or one that is not exact here. */

/** Octal digits between spaces and NULs (POSIX ustar), or base 256 when the first bit is set (GNU and star). */
export function headerNumber(block: Uint8Array, start: number, size: number): number | undefined {
  const end = start + size;
  if (((block[start] ?? 0) & 0x80) !== 0) return base256(block, start, end);
  let at = start;
  while (at < end && (block[at] === 0x20 || block[at] === 0)) at += 1;
  let value = 0;
  for (; at < end; at += 1) {
    const digit = (block[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  while (at < end && block[at] === 0x20) at += 1;
  return at < end && block[at] !== 0 ? undefined : safe(value);
}

/** Two's complement, big endian; the first bit only says that it is one. */
function base256(block: Uint8Array, start: number, end: number): number | undefined {
  const first = block[start] ?? 0;
  const negative = (first & 0x40) !== 0;
  // -1 - x has the inverted digits: so a negative number is read like a positive one.
  const flip = negative ? 0xff : 0;
  let value = (first ^ flip) & 0x3f;
  for (let at = start + 1; at < end; at += 1) {
    value = value * 256 + ((block[at] ?? 0) ^ flip);
    if (value > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return safe(negative ? -1 - value : value);
}

const safe = (value: number): number | undefined => (Number.isSafeInteger(value) ? value : undefined);

/** A decimal number of at most 20 digits, as PAX records have them. */
export function decimal(text: string): number | undefined {
  return /^[0-9]{1,20}$/.test(text) ? safe(Number(text)) : undefined;
}

export interface Time {
  readonly seconds: bigint;
  /** 0 to 999,999,999. */
  readonly nanoseconds: number;
}

/** A PAX time: decimal seconds since the epoch, with a fraction of any length, which may be negative as a whole. */
export function paxTime(text: string): Time | undefined {
  const match = /^(-?)([0-9]{1,16})(?:\.([0-9]*))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign = "", whole = "", fraction = ""] = match;
  const seconds = BigInt(whole);
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, "0"));
  if (sign === "") return { seconds, nanoseconds };
  return nanoseconds === 0
    ? { seconds: -seconds, nanoseconds: 0 }
    : { seconds: -seconds - 1n, nanoseconds: 1_000_000_000 - nanoseconds };
}
