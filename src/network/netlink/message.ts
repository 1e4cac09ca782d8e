/**
 * Netlink messages: struct nlmsghdr (u32 length, u16 type, u16 flags, u32 sequence, u32 port), then the payload.
 * Acknowledgements are keel's business (`native/keel/netlink.c`). Source: include/uapi/linux/netlink.h, netlink(7).
 */
import type { Attributes, AttributeTable, TableCodec } from "./attribute.ts";
import { align, ByteWriter, malformed, viewOf } from "./buffer.ts";

export const flags = {
  request: 0x1,
  multi: 0x2,
  ack: 0x4,
  dumpInterrupted: 0x10,
  /** Of a request that makes something: change what is there. */
  replace: 0x100,
  /** Fail when it is there. */
  exclusive: 0x200,
  create: 0x400,
  append: 0x800,
  /** Of a request that asks for something: all there are. */
  dump: 0x300,
} as const;

/** Types below are of netlink itself (NLMSG_MIN_TYPE). */
const firstOwnType = 16;

const headerSize = 16;

/** One message without its framing. */
export interface RawMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** A fixed structure at the start of a payload, e.g. struct ifinfomsg. Its size is a multiple of four. */
export interface HeaderCodec<H> {
  /** Names and kinds of its fields in order; padding has no name. */
  readonly fields: readonly (readonly [name: string, kind: FieldKind])[];
  readonly size: number;
  write(out: ByteWriter, value: Partial<H>): void;
  read(view: DataView): H;
}

const fieldSizes = { u8: 1, u16: 2, be16: 2, u32: 4, i32: 4, pad8: 1, pad16: 2 } as const;
type FieldKind = keyof typeof fieldSizes;

/** A structure of whole numbers by its fields in order; `pad` fields have no value. A missing number is 0. */
export function header<N extends string>(
  fields: readonly (readonly [name: N, kind: Exclude<FieldKind, "pad8" | "pad16">] | readonly ["", "pad8" | "pad16"])[],
): HeaderCodec<Readonly<Record<N, number>>> {
  const size = fields.reduce((sum, [, kind]) => sum + fieldSizes[kind], 0);
  return {
    fields,
    size,
    write(out, value) {
      for (const [name, kind] of fields) {
        const number = name === "" ? 0 : ((value as Readonly<Record<string, number | undefined>>)[name] ?? 0);
        if (kind === "be16") out.be16(number);
        else if (fieldSizes[kind] === 1) out.u8(number);
        else if (fieldSizes[kind] === 2) out.u16(number);
        else out.u32(number >>> 0);
      }
    },
    read(view) {
      const result: Record<string, number> = {};
      let at = 0;
      for (const [name, kind] of fields) {
        if (name !== "") {
          if (kind === "u8") result[name] = view.getUint8(at);
          else if (kind === "i32") result[name] = view.getInt32(at, true);
          else if (kind === "u32") result[name] = view.getUint32(at, true);
          else result[name] = view.getUint16(at, kind !== "be16");
        }
        at += fieldSizes[kind];
      }
      return result as Record<N, number>;
    },
  };
}

/** Payloads of one kind: a structure and attributes, flat in one object. */
export interface PayloadCodec<H, T extends AttributeTable> {
  readonly head: HeaderCodec<H>;
  readonly body: TableCodec<T>;
  encode(value: Partial<H> & Attributes<T>): Uint8Array<ArrayBuffer>;
  /** @throws SampanError `data-loss` */
  decode(payload: Uint8Array): H & Attributes<T>;
}

export function payload<H, T extends AttributeTable>(head: HeaderCodec<H>, body: TableCodec<T>): PayloadCodec<H, T> {
  return {
    head,
    body,
    encode(value) {
      const out = new ByteWriter();
      head.write(out, value);
      body.write(out, value);
      return out.finish();
    },
    decode(data) {
      if (data.length < head.size) throw malformed(`a payload of ${data.length} bytes`);
      return { ...head.read(viewOf(data)), ...body.read(data.subarray(head.size)) };
    },
  };
}

export function encodeMessages(messages: readonly RawMessage[]): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  for (const message of messages) {
    out.u32(headerSize + message.payload.length);
    out.u16(message.type);
    out.u16(message.flags);
    out.u32(message.sequence);
    out.u32(0);
    out.bytes(message.payload);
    out.pad();
  }
  return out.finish();
}

/** @throws SampanError `data-loss` for bytes that are no messages */
export function decodeMessages(data: Uint8Array): RawMessage[] {
  const view = viewOf(data);
  const messages: RawMessage[] = [];
  for (let at = 0; at < data.length;) {
    if (at + headerSize > data.length) throw malformed("it ends within a header");
    const size = view.getUint32(at, true);
    if (size < headerSize || at + size > data.length) throw malformed(`a message of ${size} bytes`);
    messages.push({
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      payload: data.slice(at + headerSize, at + size),
    });
    at += align(size);
  }
  return messages;
}

/** The messages that carry something: no acknowledgement, no end of a dump. */
export const contentOf = (messages: readonly RawMessage[]): RawMessage[] =>
  messages.filter((message) => message.type >= firstOwnType);
