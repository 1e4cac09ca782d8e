/** Connections that the kernel keeps track of (include/uapi/linux/netfilter/nfnetlink_conntrack.h). */
import { attributes, eachAttribute, writeAttribute } from "./attribute.ts";
import { ByteWriter } from "./buffer.ts";
import { contentOf, encodeMessages, flags, type RawMessage } from "./message.ts";
import { be16, raw, u32, u8 } from "./values.ts";

const subsystem = 1;
const get = 1;
const remove = 2;
/** struct nfgenmsg: the family, then three bytes. */
const headerSize = 4;

const originalTuple = 1;
const filterAttribute = 25;
const tuple = attributes({ protocol: [2, attributes({ number: [1, u8], destinationPort: [3, be16] })] });
/** CTA_FILTER_F_CTA_PROTO_NUM and _DST_PORT: which parts of the tuple an entry must have too. */
const filter = attributes({ original: [1, u32] });
const byProtocolAndPort = (1 << 3) | (1 << 5);

/** Asks for the entries whose first packet was for a port, of one family (2 IPv4, 10 IPv6). */
export function encodeConnectionQuery(
  family: number,
  protocol: number,
  destinationPort: number,
): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  out.u8(family);
  out.skip(headerSize - 1);
  writeAttribute(out, originalTuple, tuple, { protocol: { number: protocol, destinationPort } });
  writeAttribute(out, filterAttribute, filter, { original: byProtocolAndPort });
  return encodeMessages([
    { type: (subsystem << 8) | get, flags: flags.request | flags.ack | flags.dump, sequence: 1, payload: out.finish() },
  ]);
}

/**
 * Forgets the entries that {@link encodeConnectionQuery} was answered with, and which are for the port indeed: kernels before
 * 5.8 do not know the filter. Undefined when there are none.
 */
export function encodeConnectionRemoval(
  replies: readonly RawMessage[],
  protocol: number,
  destinationPort: number,
): Uint8Array<ArrayBuffer> | undefined {
  const messages = contentOf(replies).flatMap(({ payload }, index): RawMessage[] => {
    const original = new Map(eachAttribute(payload.subarray(headerSize))).get(originalTuple);
    if (original === undefined) return [];
    const found = tuple.read(original).protocol;
    if (found?.number !== protocol || found.destinationPort !== destinationPort) return [];
    const out = new ByteWriter();
    out.bytes(payload.subarray(0, headerSize));
    writeAttribute(out, originalTuple, { ...raw, nested: true }, original);
    return [
      { type: (subsystem << 8) | remove, flags: flags.request | flags.ack, sequence: index + 1, payload: out.finish() },
    ];
  });
  return messages.length === 0 ? undefined : encodeMessages(messages);
}
