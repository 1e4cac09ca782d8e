/**
 * Netlink attributes (struct nlattr: u16 length with its own four bytes, u16 type, the value, padding to four bytes), each
 * set declared once as a table from which encoder, decoder and type follow:
 *
 *     const neighbour = attributes({ address: [1, ip], linkAddress: [2, mac] });
 *     neighbour.decode(neighbour.encode({ address: "10.88.0.2" }))
 */
import { malformed, viewOf, type ByteWriter } from "./buffer.ts";

/** How one attribute's value is written and read. Methods, so that a table may hold codecs of different types. */
export interface Codec<T> {
  /** The value is made of attributes: marked with NLA_F_NESTED. */
  readonly nested?: boolean;
  write(out: ByteWriter, value: T): void;
  /** @throws SampanError `data-loss` for bytes that are no such value */
  read(data: Uint8Array): T;
}

const nestedFlag = 0x8000;
/** Without NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
const typeMask = 0x3fff;
const headerSize = 4;
const largestAttribute = 0xffff;

export type AttributeTable = Readonly<Record<string, readonly [type: number, codec: Codec<unknown>]>>;

type Value<C> = C extends Codec<infer V> ? V : never;

/** The plain data of a table: every attribute is optional. */
export type Attributes<T extends AttributeTable> = { readonly [K in keyof T]?: Value<T[K][1]> };

export function writeAttribute<T>(out: ByteWriter, type: number, codec: Codec<T>, value: T): void {
  const at = out.skip(headerSize);
  codec.write(out, value);
  const size = out.size - at;
  if (size > largestAttribute) throw malformed(`attribute ${type} has ${size} bytes, more than fit`);
  out.patchU16(at, size);
  out.patchU16(at + 2, codec.nested === true ? type | nestedFlag : type);
  out.pad();
}

/** The attributes of `data` in order. Padding after the last one may be missing, as the kernel leaves it out at times. */
export function* eachAttribute(data: Uint8Array): Generator<readonly [type: number, value: Uint8Array]> {
  const view = viewOf(data);
  for (let at = 0; at + headerSize <= data.length;) {
    const size = view.getUint16(at, true);
    if (size < headerSize || at + size > data.length) throw malformed(`an attribute of ${size} bytes`);
    yield [view.getUint16(at + 2, true) & typeMask, data.subarray(at + headerSize, at + size)];
    at += (size + 3) & ~3;
  }
}

export interface TableCodec<T extends AttributeTable> extends Codec<Attributes<T>> {
  readonly table: T;
}

/** Attributes of a table, in the table's order. Those that it does not name are skipped when read. */
export function attributes<const T extends AttributeTable>(table: T): TableCodec<T> {
  const byType = new Map(Object.entries(table).map(([name, [type, codec]]) => [type, { name, codec }]));
  return {
    table,
    nested: true,
    write(out, value) {
      for (const [name, [type, codec]] of Object.entries(table)) {
        const item = (value as Readonly<Record<string, unknown>>)[name];
        if (item !== undefined) writeAttribute(out, type, codec, item);
      }
    },
    read(data) {
      const result: Record<string, unknown> = {};
      for (const [type, value] of eachAttribute(data)) {
        const known = byType.get(type);
        if (known !== undefined) result[known.name] = known.codec.read(value);
      }
      return result as Attributes<T>;
    },
  };
}

export interface ListCodec<T> extends Codec<readonly T[]> {
  readonly item: Codec<T>;
}

/** A list whose items all have one attribute type (NFTA_LIST_ELEM and the like). */
export function list<T>(item: Codec<T>, type = 1): ListCodec<T> {
  return {
    item,
    nested: true,
    write(out, values) {
      for (const value of values) writeAttribute(out, type, item, value);
    },
    read: (data) => [...eachAttribute(data)].map(([, value]) => item.read(value)),
  };
}
