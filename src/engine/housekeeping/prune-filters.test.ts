import { expect, test } from "vitest";
import { parseDuration, parsePruneFilters } from "./prune-filters.ts";

const now = Date.parse("2026-03-01T12:00:00Z");
const item = (createdAt: string, labels: Record<string, string> = {}) => ({
  createdAt: Date.parse(createdAt),
  labels: new Map(Object.entries(labels)),
});

test("parsePruneFilters() takes items that fit all filters", () => {
  const old = item("2026-02-01T00:00:00Z", { tier: "front" });
  const fresh = item("2026-03-01T11:00:00Z");
  const fit = (...filters: string[]): readonly boolean[] => [old, fresh].map(parsePruneFilters(filters, now));
  expect(fit()).toEqual([true, true]);
  expect(fit("until=24h")).toEqual([true, false]);
  expect(fit("until=2026-02-15")).toEqual([true, false]);
  expect(fit(`until=${now / 1000}`)).toEqual([true, true]);
  expect(fit("label=tier")).toEqual([true, false]);
  expect(fit("label=tier=back")).toEqual([false, false]);
  expect(fit("label!=tier")).toEqual([false, true]);
  expect(fit("label!=tier=back")).toEqual([true, true]);
  expect(fit("until=24h", "label!=tier")).toEqual([false, false]);
});

test("parsePruneFilters() refuses what is no filter", () => {
  for (const wrong of ["until", "until=soon", "until!=24h", "label=", "colour=red", "", "until=-5h", "label!"]) {
    expect(() => parsePruneFilters([wrong]), wrong).toThrow(
      expect.objectContaining({
        code: "invalid-argument",
        message: `Cannot parse --filter "${wrong}": filters are until, label and label!`,
      }),
    );
  }
});

test("parseDuration() adds up parts with units", () => {
  const texts = ["90s", "1h30m", "7d", "1.5h", "250ms", "", "5", "h", "1h-2m", "1 h"];
  expect(texts.map(parseDuration)).toEqual([
    ...[90_000, 5_400_000, 604_800_000, 5_400_000, 250],
    ...[undefined, undefined, undefined, undefined, undefined],
  ]);
});
