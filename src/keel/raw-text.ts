/**
 * Names as the kernel has them are bytes; here they are strings. What is not UTF-8 becomes one lone surrogate a byte,
 * U+DC80 to U+DCFF (as Python does, PEP 383): nothing else gives these, so that the wire's encoder can turn them back.
 */

const escapeBase = 0xdc00;

function escaped(bytes: Uint8Array): string {
  let text = "";
  let at = 0;
  while (at < bytes.length) {
    const size = sequenceSize(bytes, at);
    if (size === 0) {
      text += String.fromCharCode(escapeBase + (bytes[at] ?? 0));
      at += 1;
    } else {
      text += Buffer.from(bytes.subarray(at, at + size)).toString("utf8");
      at += size;
    }
  }
  return text;
}

/** Bytes of the well-formed UTF-8 sequence at `at` (Unicode table 3-7), or 0. */
function sequenceSize(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  const second = bytes[at + 1] ?? 0;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = 2; i < size; i += 1) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 0;
  return size;
}

/** Decodes a name; never fails. */
export function decodeName(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  return text.includes("\ufffd") ? escaped(bytes) : text;
}
