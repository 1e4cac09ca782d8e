/** Conversions from the units of cgroup v1, which the runtime-spec speaks, to those of v2. */

/**
 * CPU shares (2 to 262144, 1024 as default) to cpu.weight (1 to 10000, 100 as default): a curve through those three
 * points, as runc 1.3 and crun 1.23 have it.
 */
export function sharesToWeight(shares: bigint): number {
  if (shares <= 2n) return 1;
  if (shares >= 262_144n) return 10_000;
  const log = Math.log2(Number(shares));
  // Rounded to nine digits first: 1024 must give 100 and not, by floating point, 101.
  const weight = 10 ** ((log * log + 125 * log) / 612 - 7 / 34);
  return Math.ceil(Number(weight.toFixed(9)));
}

/** Weight of block I/O (10 to 1000) to io.weight (1 to 10000). */
export const blkioToIoWeight = (weight: number): number => 1 + Math.trunc(((weight - 10) * 9999) / 990);

/** A limit in a v2 file: negative is `max`. */
export const maxOr = (value: bigint): string => (value < 0n ? "max" : String(value));
