/** Codecs of single values. */
import { bytesToIp, bytesToMac, ipToBytes, macToBytes } from "../address/text.ts";
import type { Codec } from "./attribute.ts";
import { malformed, viewOf, type ByteWriter } from "./buffer.ts";

function fixed<T>(size: number, write: (out: ByteWriter, value: T) => void, read: (view: DataView) => T): Codec<T> {
  return {
    write,
    read(data) {
      if (data.length < size) throw malformed(`${data.length} bytes where ${size} are needed`);
      return read(viewOf(data));
    },
  };
}

export const u8 = fixed<number>(
  1,
  (out, value) => out.u8(value),
  (view) => view.getUint8(0),
);
export const u16 = fixed<number>(
  2,
  (out, value) => out.u16(value),
  (view) => view.getUint16(0, true),
);
export const u32 = fixed<number>(
  4,
  (out, value) => out.u32(value),
  (view) => view.getUint32(0, true),
);
export const i32 = fixed<number>(
  4,
  (out, value) => out.u32(value >>> 0),
  (view) => view.getInt32(0, true),
);
export const u64 = fixed<bigint>(
  8,
  (out, value) => out.u64(value),
  (view) => view.getBigUint64(0, true),
);
export const be16 = fixed<number>(
  2,
  (out, value) => out.be16(value),
  (view) => view.getUint16(0),
);
export const be32 = fixed<number>(
  4,
  (out, value) => out.be32(value),
  (view) => view.getUint32(0),
);
export const beI32 = fixed<number>(
  4,
  (out, value) => out.be32(value >>> 0),
  (view) => view.getInt32(0),
);
export const be64 = fixed<bigint>(
  8,
  (out, value) => out.be64(value),
  (view) => view.getBigUint64(0),
);

/** A u8 that is 0 or 1. */
export const bool8: Codec<boolean> = {
  write: (out, value) => out.u8(value ? 1 : 0),
  read: (data) => u8.read(data) !== 0,
};

/** Present or not (NLA_FLAG). */
export const flag: Codec<true> = { write: () => {}, read: () => true };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Text with a NUL at its end. */
export const text: Codec<string> = {
  write(out, value) {
    if (value.includes("\0")) throw malformed(`${JSON.stringify(value)} contains a NUL character`);
    out.bytes(encoder.encode(value));
    out.u8(0);
  },
  read(data) {
    const end = data.indexOf(0);
    return decoder.decode(end < 0 ? data : data.subarray(0, end));
  },
};

export const raw: Codec<Uint8Array> = {
  write: (out, value) => out.bytes(value),
  read: (data) => data.slice(),
};

/** An IPv4 or IPv6 address in its usual notation, four or sixteen bytes. */
export const ip: Codec<string> = {
  write: (out, value) => out.bytes(ipToBytes(value)),
  read(data) {
    const address = bytesToIp(data);
    if (address === undefined) throw malformed(`an address of ${data.length} bytes`);
    return address;
  },
};

/** A link layer address, e.g. `02:42:0a:58:00:02`. */
export const mac: Codec<string> = { write: (out, value) => out.bytes(macToBytes(value)), read: bytesToMac };
