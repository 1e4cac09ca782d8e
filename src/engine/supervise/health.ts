/** Health checks: what a container's is, and what its probes say of it. Docker's meaning, without a clock. */
import { invalidArgument } from "#errdefs";
import type { ImageHealthcheck } from "#spec";

/** Durations in milliseconds. What is not given comes from the image, or is Docker's default. */
export interface HealthOptions {
  /** `["CMD", program, …]`, `["CMD-SHELL", script]`, or `["NONE"]` for no check, whatever the image says. */
  readonly test?: readonly string[];
  readonly interval?: number;
  readonly timeout?: number;
  /** Failures one after another that make it unhealthy. */
  readonly retries?: number;
  /** Time to start up in, in which failures do not count. */
  readonly startPeriod?: number;
  /** Interval within the start period. */
  readonly startInterval?: number;
}

export type HealthCheck = Required<HealthOptions>;

export interface ProbeResult {
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly end: number;
  /** 0 is healthy; -1 when the probe did not end in time or could not be run. */
  readonly exitCode: number;
  /** What it printed, its beginning. */
  readonly output: string;
}

export interface Health {
  readonly status: "starting" | "healthy" | "unhealthy";
  readonly failingStreak: number;
  /** The last five, oldest first. */
  readonly log: readonly ProbeResult[];
}

const defaults = { interval: 30_000, timeout: 30_000, retries: 3, startPeriod: 0, startInterval: 5000 };

export const newHealth: Health = { status: "starting", failingStreak: 0, log: [] };

/**
 * The image's check with what the options say in its place.
 *
 * @returns undefined where there is none
 * @throws SampanError `invalid-argument`
 */
export function healthCheck(
  options: HealthOptions | undefined,
  image: ImageHealthcheck | undefined,
): HealthCheck | undefined {
  const test = options?.test ?? image?.test ?? [];
  const [kind, ...words] = test;
  if (kind === undefined) {
    if (options !== undefined)
      throw invalidArgument("Cannot check health: neither the image nor the options say how", {
        remedy: "Add --health-cmd",
      });
    return undefined;
  }
  if (kind === "NONE") return undefined;
  if ((kind !== "CMD" && kind !== "CMD-SHELL") || words.length === 0 || (kind === "CMD-SHELL" && words.length > 1))
    throw invalidArgument(`Cannot check health by ${JSON.stringify(test)}: it is not CMD or CMD-SHELL with a command`);
  const time = (name: keyof typeof defaults): number => {
    const value = options?.[name] || image?.[name] || defaults[name];
    if (!Number.isFinite(value) || value < 0 || (name !== "retries" && value > 0 && value < 1))
      throw invalidArgument(`Cannot check health with ${name} ${value}: it must be at least a millisecond`);
    return value;
  };
  return {
    test,
    interval: time("interval"),
    timeout: time("timeout"),
    retries: time("retries"),
    startPeriod: time("startPeriod"),
    startInterval: time("startInterval"),
  };
}

export function afterProbe(check: HealthCheck, health: Health, result: ProbeResult, startedAt: number): Health {
  const log = [...health.log, result].slice(-5);
  if (result.exitCode === 0) return { status: "healthy", failingStreak: 0, log };
  // Once it was healthy it has started, even within the period.
  if (health.status === "starting" && result.end - startedAt < check.startPeriod) return { ...health, log };
  const failingStreak = health.failingStreak + 1;
  return { status: failingStreak >= check.retries ? "unhealthy" : health.status, failingStreak, log };
}

/** When the next probe is due, in milliseconds since the epoch. */
export function nextProbe(check: HealthCheck, health: Health, startedAt: number): number {
  const last = health.log.at(-1)?.end ?? startedAt;
  const starting = health.status === "starting" && last - startedAt < check.startPeriod;
  return last + (starting ? Math.min(check.startInterval, check.interval) : check.interval);
}

/** What the probe runs. */
export function probeCommand({ test: [kind, ...words] }: HealthCheck): readonly string[] {
  return kind === "CMD-SHELL" ? ["/bin/sh", "-c", ...words] : words;
}
