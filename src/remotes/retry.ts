import { setTimeout as sleep } from "node:timers/promises";
import type { HttpResponse } from "./http.ts";
import type { RetryOptions } from "./options.ts";

const retriableStatuses: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

export function isRetriableStatus(status: number): boolean {
  return retriableStatuses.has(status);
}

/**
 * Waits before try number `attempt` (from 2 on).
 *
 * @param asked milliseconds that the registry asked for
 */
export async function backOff(
  attempt: number,
  options: RetryOptions,
  signal: AbortSignal | undefined,
  asked = 0,
): Promise<void> {
  const exponential = options.delay * 2 ** (attempt - 2) * (0.75 + Math.random() / 2);
  await sleep(Math.min(Math.max(exponential, asked), options.maxDelay), undefined, signal && { signal });
}

/** Milliseconds of a Retry-After header, in seconds or as a date (RFC 9110 section 10.2.3); 0 without one. */
export function retryAfter(response: HttpResponse, now: number): number {
  const value = response.headers["retry-after"];
  if (value === undefined) return 0;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? 0 : Math.max(0, date - now);
}
