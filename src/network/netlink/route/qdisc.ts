/** Queueing disciplines of interfaces (RTM_NEWQDISC; struct tcmsg and TCA_*, include/uapi/linux/{rtnetlink,pkt_sched}.h). */
import { attributes, type AttributeTable, type Codec } from "../attribute.ts";
import { malformed, viewOf } from "../buffer.ts";
import { header, payload } from "../message.ts";
import { raw, text, u32, u64 } from "../values.ts";

/** As a parent: the interface itself. */
export const qdiscRoot = 0xffff_ffff;

export const qdiscPayload = payload(
  header([
    ["family", "u8"],
    ["", "pad8"],
    ["", "pad16"],
    ["index", "i32"],
    ["handle", "u32"],
    ["parent", "u32"],
    ["info", "u32"],
  ]),
  attributes({
    kind: [1, text],
    /** Each kind has its own. */
    options: [2, raw],
  } as const satisfies AttributeTable),
);

export type Qdisc = ReturnType<typeof qdiscPayload.decode>;

interface BucketLimits {
  /** Bytes that may wait. */
  readonly limit: number;
}

/** TC_LINKLAYER_ETHERNET: the kernel computes times by itself, and needs no table of them. */
const linkLayer = 1;

/** struct tc_tbf_qopt: two struct tc_ratespec, limit, buffer and mtu. Rates and the bucket's size are attributes of their own. */
const parameters: Codec<BucketLimits> = {
  write(out, { limit }) {
    for (const layer of [linkLayer, 0]) {
      out.u8(0);
      out.u8(layer);
      out.skip(10);
    }
    out.u32(limit);
    out.u32(0);
    out.u32(0);
  },
  read(data) {
    if (data.length < 36) throw malformed(`parameters of ${data.length} bytes`);
    return { limit: viewOf(data).getUint32(24, true) };
  },
};

/** Options of a token bucket (`tbf`). */
export const tokenBucket = attributes({
  parameters: [1, parameters],
  /** Bytes a second. */
  rate: [4, u64],
  /** Bytes that may go at once. */
  burst: [6, u32],
});
