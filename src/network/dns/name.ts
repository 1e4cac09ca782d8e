/**
 * Domain names: in messages as labels with lengths, here as text. A name is its labels joined by dots, without one at the
 * end; the root is empty. What could be misread is escaped as in zone files (RFC 1035, section 5.1): `\.`, `\\`, and `\DDD`
 * for bytes that are no visible ASCII. Case is kept; {@link lowerCase} makes names comparable.
 */
import { malformed } from "./malformed.ts";
import type { MessageWriter } from "./writer.ts";

/** RFC 1035, section 2.3.4; the former with the lengths and the final zero. */
const maximumName = 255;
const maximumLabel = 63;

const dot = 0x2e;
const backslash = 0x5c;

function labelText(bytes: Uint8Array, from: number, to: number): string {
  let text = "";
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === dot || byte === backslash) text += `\\${String.fromCharCode(byte)}`;
    else if (byte > 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\${String(byte).padStart(3, "0")}`;
  }
  return text;
}

export interface ReadName {
  readonly name: string;
  /** Where what follows it begins. */
  readonly end: number;
}

/**
 * Reads a name, compressed or not. A pointer leads to before the part that it ends, so that no name is endless (and none may
 * lead forwards: RFC 1035, section 4.1.4, "a prior occurrence").
 *
 * @throws SampanError `invalid-argument`
 */
export function readName(bytes: Uint8Array, start: number): ReadName {
  let name = "";
  let at = start;
  let partStart = start;
  let end = -1;
  let size = 1;
  for (;;) {
    const length = bytes[at];
    if (length === undefined) throw malformed("a name goes beyond its end");
    if (length === 0) return { name, end: end < 0 ? at + 1 : end };
    if (length >= 0xc0) {
      const low = bytes[at + 1];
      if (low === undefined) throw malformed("a name goes beyond its end");
      const target = ((length & 0x3f) << 8) | low;
      if (target >= partStart) throw malformed("a name points forwards");
      if (end < 0) end = at + 2;
      at = target;
      partStart = target;
      continue;
    }
    if (length > maximumLabel) throw malformed("a label has an unknown type");
    size += length + 1;
    if (size > maximumName) throw malformed("a name is longer than 255 bytes");
    const next = at + 1 + length;
    if (next > bytes.length) throw malformed("a name goes beyond its end");
    const text = labelText(bytes, at + 1, next);
    name = name === "" ? text : `${name}.${text}`;
    at = next;
  }
}

/** ASCII only: other bytes are escaped, and have no case (RFC 4343). */
export const lowerCase = (name: string): string => name.toLowerCase();

/** Labels as they are written, `a\.b.c` has two. */
export function labelsOf(name: string): string[] {
  return name === "" ? [] : (name.match(/(?:[^.\\]|\\\d{3}|\\[^\d])+/g) ?? []);
}

/** The bytes of a label. */
function labelBytes(label: string): number[] {
  const bytes: number[] = [];
  for (let at = 0; at < label.length; at += 1) {
    const code = label.charCodeAt(at);
    if (code !== backslash) {
      if (code <= 0x20 || code >= 0x7f) throw malformed(`a name has the character ${JSON.stringify(label[at])}`);
      bytes.push(code);
      continue;
    }
    const [digits] = /^\d{3}/.exec(label.slice(at + 1)) ?? [];
    if (digits !== undefined && Number(digits) > 255) throw malformed(`a name has the escape "\\${digits}"`);
    bytes.push(digits === undefined ? label.charCodeAt(at + 1) : Number(digits));
    at += digits === undefined ? 1 : 3;
  }
  return bytes;
}

/** @throws SampanError `invalid-argument` for text that is no name */
export function writeName(out: MessageWriter, name: string, compress: boolean): void {
  const labels = labelsOf(name);
  if (labels.join(".") !== name) throw malformed(`${JSON.stringify(name)} is no name`);
  let rest = name;
  let size = 1;
  for (const label of labels) {
    const known = compress ? out.offsetOf(rest) : undefined;
    if (known !== undefined) {
      out.u16(0xc000 | known);
      return;
    }
    out.remember(rest);
    const bytes = labelBytes(label);
    size += bytes.length + 1;
    if (bytes.length > maximumLabel || size > maximumName) throw malformed(`${JSON.stringify(name)} is too long`);
    out.u8(bytes.length);
    for (const byte of bytes) out.u8(byte);
    rest = rest.slice(label.length + 1);
  }
  out.u8(0);
}
