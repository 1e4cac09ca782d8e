/** SPDY's frames as bytes (SPDY draft 3.1, 2.2): eight bytes of head, then the body that the head's length tells. */
import { invalidArgument } from "#errdefs";

export const frameType = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

export const resetStatus = { protocolError: 1, invalidStream: 2, refusedStream: 3, cancel: 5 } as const;

/** Identifier of the setting that tells how much a stream may send at first. */
export const initialWindowSetting = 7;

export const flagFin = 1;

export const headSize = 8;

/** Bytes of a control frame's body: they are buffered whole, unlike data. */
const maxControl = 64 * 1024;

export type FrameHead =
  | { readonly control: true; readonly type: number; readonly flags: number; readonly length: number }
  | { readonly control: false; readonly stream: number; readonly flags: number; readonly length: number };

/** @throws SampanError `invalid-argument` for another version, and for a control frame that is too long */
export function decodeHead(bytes: Buffer): FrameHead {
  const first = bytes.readUInt32BE(0);
  const flags = bytes[4] ?? 0;
  const length = bytes.readUIntBE(5, 3);
  if (first < 0x8000_0000) return { control: false, stream: first, flags, length };
  const version = (first >>> 16) & 0x7fff;
  if (version !== 3) throw invalidArgument(`Cannot read a SPDY frame: its version is ${version} and not 3`);
  if (length > maxControl)
    throw invalidArgument(`Cannot read a SPDY frame: a control frame of ${length} bytes is longer than ${maxControl}`);
  return { control: true, type: first & 0xffff, flags, length };
}

export function encodeControl(type: number, flags: number, body: Uint8Array): Buffer {
  const frame = Buffer.alloc(headSize + body.length);
  frame.writeUInt32BE((0x8003_0000 | type) >>> 0, 0);
  frame[4] = flags;
  frame.writeUIntBE(body.length, 5, 3);
  frame.set(body, headSize);
  return frame;
}

/** Only the head: the data itself is not copied. */
export function encodeDataHead(stream: number, flags: number, length: number): Buffer {
  const head = Buffer.alloc(headSize);
  head.writeUInt32BE(stream, 0);
  head[4] = flags;
  head.writeUIntBE(length, 5, 3);
  return head;
}

/** A body of 32-bit numbers. */
export function words(...values: readonly number[]): Buffer {
  const body = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) body.writeUInt32BE(value, index * 4);
  return body;
}

/** The `index`th 32-bit number of a body; the highest bit of ids and increments means nothing. */
export function word(body: Buffer, index: number): number {
  if (body.length < index * 4 + 4) throw invalidArgument("Cannot read a SPDY frame: it is too short");
  return body.readUInt32BE(index * 4);
}
