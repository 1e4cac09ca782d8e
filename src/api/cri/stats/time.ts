/** Times as the CRI has them. */
export const nanosecondsNow = (): bigint => nanosecondsOf(Date.now());

/** @param milliseconds since the epoch */
const nanosecondsOf = (milliseconds: number): bigint => BigInt(Math.round(milliseconds * 1000)) * 1000n;
