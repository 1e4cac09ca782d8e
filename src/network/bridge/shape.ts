/** Limits what an interface sends: a token bucket. Both ends of a veth have one, so that both directions are limited. */
import { ByteWriter } from "../netlink/buffer.ts";
import { qdiscRoot, tokenBucket } from "../netlink/route/qdisc.ts";
import type { RouteRequest } from "../netlink/route/request.ts";
import type { NetworkTraits } from "../traits.ts";

/** Packets wait for this long at most, in seconds; what comes then is dropped. */
const longestWait = 0.05;
/** A bucket must hold what a program writes at once, or it never gets its rate. */
const shortestBurst = 0.02;
const packetsAtOnce = 10;

/** Nothing without a `rate`. */
export function shapeRequests(
  index: number,
  mtu: number,
  { rate, burst }: Pick<NetworkTraits, "rate" | "burst">,
): RouteRequest[] {
  if (rate === undefined) return [];
  const bucket = burst ?? Math.max(Math.floor(rate * shortestBurst), packetsAtOnce * mtu);
  const options = new ByteWriter();
  tokenBucket.write(options, {
    parameters: { limit: Math.min(bucket + Math.floor(rate * longestWait), 2 ** 31) },
    rate: BigInt(rate),
    burst: bucket,
  });
  const value = { index, parent: qdiscRoot, kind: "tbf", options: options.finish() };
  return [{ kind: "qdisc", action: "replace", value }];
}
