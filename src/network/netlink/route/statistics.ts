/** What an interface has carried (struct rtnl_link_stats64, its first fields). */
import type { Codec } from "../attribute.ts";
import { malformed, viewOf } from "../buffer.ts";

const names = [
  "receivedPackets",
  "sentPackets",
  "receivedBytes",
  "sentBytes",
  "receiveErrors",
  "sendErrors",
  "receiveDropped",
  "sendDropped",
] as const;

export type LinkStatistics = Readonly<Record<(typeof names)[number], bigint>>;

export const statistics: Codec<LinkStatistics> = {
  write(out, value) {
    for (const name of names) out.u64(value[name]);
  },
  read(data) {
    if (data.length < names.length * 8) throw malformed(`statistics of ${data.length} bytes`);
    const view = viewOf(data);
    return Object.fromEntries(names.map((name, index) => [name, view.getBigUint64(index * 8, true)])) as Record<
      (typeof names)[number],
      bigint
    >;
  },
};
