import { describe, expect, it } from "vitest";
import { afterProbe, healthCheck, newHealth, nextProbe, type Health } from "./health.ts";
import { parseRestart, restartDelay } from "./restart-policy.ts";

describe("parseRestart()", () => {
  it.each([
    [undefined, "no", 0],
    ["", "no", 0],
    ["always", "always", 0],
    ["unless-stopped", "unless-stopped", 0],
    ["on-failure", "on-failure", 0],
    ["on-failure:5", "on-failure", 5],
  ])("reads %s", (text, name, most) => {
    expect(parseRestart(text)).toStrictEqual({ name, most });
  });

  it.each(["never", "always:3", "on-failure:", "on-failure:-1", "on-failure:x"])("refuses %s", (text) => {
    expect(() => parseRestart(text)).toThrow(`Cannot parse --restart "${text}": there is no such policy`);
  });
});

describe("restartDelay()", () => {
  const ended = { status: 1, ranFor: 0, restarts: 0, delay: 0 };
  it("doubles from 100 ms to a minute", () => {
    const delays: number[] = [];
    for (let delay = 0, n = 0; n < 12; n += 1) {
      delay = restartDelay(parseRestart("always"), { ...ended, delay }) ?? 0;
      delays.push(delay);
    }
    expect(delays).toStrictEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000]);
  });

  it("begins anew after ten seconds of running", () => {
    expect(restartDelay(parseRestart("always"), { ...ended, delay: 60_000, ranFor: 10_000 })).toBe(100);
    expect(restartDelay(parseRestart("always"), { ...ended, delay: 6400, ranFor: 9999 })).toBe(12_800);
  });

  it.each([
    ["no", 1, 0, false],
    ["always", 0, 99, true],
    ["unless-stopped", 0, 99, true],
    ["on-failure", 0, 0, false],
    ["on-failure", 1, 99, true],
    ["on-failure:3", 1, 2, true],
    ["on-failure:3", 1, 3, false],
  ])("%s after exit code %i and %i restarts: %s", (policy, status, restarts, again) => {
    expect(restartDelay(parseRestart(policy), { ...ended, status, restarts }) !== undefined).toBe(again);
  });
});

describe("healthCheck()", () => {
  const image = { test: ["CMD", "check"], interval: 5000, timeout: 0, retries: 0, startPeriod: 0, startInterval: 0 };
  it("puts options in place of the image's, and defaults for what neither says", () => {
    expect(healthCheck(undefined, undefined)).toBeUndefined();
    expect(healthCheck({ test: ["NONE"] }, image)).toBeUndefined();
    expect(healthCheck({ retries: 7 }, image)).toStrictEqual({
      test: ["CMD", "check"],
      interval: 5000,
      timeout: 30_000,
      retries: 7,
      startPeriod: 0,
      startInterval: 5000,
    });
  });

  it.each([
    [{ retries: 3 }, undefined, "neither the image nor the options say how"],
    [{ test: ["SHELL", "x"] }, undefined, "it is not CMD or CMD-SHELL with a command"],
    [{ test: ["CMD-SHELL", "a", "b"] }, undefined, "it is not CMD or CMD-SHELL with a command"],
    [{ interval: 0.5 }, image, "with interval 0.5: it must be at least a millisecond"],
  ])("refuses %j", (options, of, problem) => {
    expect(() => healthCheck(options, of)).toThrow(problem);
  });
});

describe("afterProbe() and nextProbe()", () => {
  const check = { test: ["CMD", "x"], interval: 1000, timeout: 500, retries: 2, startPeriod: 3000, startInterval: 100 };
  const probe = (end: number, exitCode: number): { start: number; end: number; exitCode: number; output: string } => ({
    start: end - 10,
    end,
    exitCode,
    output: "",
  });
  const after = (...results: readonly (readonly [number, number])[]): Health =>
    results.reduce((health, [end, code]) => afterProbe(check, health, probe(end, code), 0), newHealth);

  it("does not count failures of the start period, until it was healthy once", () => {
    expect(after([1000, 1], [2000, 1], [2999, 1])).toMatchObject({ status: "starting", failingStreak: 0 });
    expect(after([1000, 1], [3000, 1])).toMatchObject({ status: "starting", failingStreak: 1 });
    expect(after([500, 0], [1000, 1], [1500, 1])).toMatchObject({ status: "unhealthy", failingStreak: 2 });
  });

  it("is healthy after one success, and keeps the last five results", () => {
    const health = after([3000, 1], [3100, 1], [3200, 1], [3300, 1], [3400, 1], [3500, 0]);
    expect(health).toMatchObject({ status: "healthy", failingStreak: 0 });
    expect(health.log.map((r) => r.end)).toStrictEqual([3100, 3200, 3300, 3400, 3500]);
    expect(after([3000, 0], [4000, 1])).toMatchObject({ status: "healthy", failingStreak: 1 });
  });

  it("probes more often while it starts", () => {
    expect(nextProbe(check, newHealth, 50)).toBe(150);
    expect(nextProbe(check, after([500, 1]), 0)).toBe(600);
    expect(nextProbe(check, after([500, 0]), 0)).toBe(1500);
    expect(nextProbe(check, after([3500, 1]), 0)).toBe(4500);
  });
});
