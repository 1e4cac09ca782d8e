/** `--filter` of the prune commands: `until=TIME`, `label=KEY[=VALUE]`, `label!=KEY[=VALUE]`. All must fit. */
import { invalidArgument } from "#errdefs";

export interface Prunable {
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly labels: ReadonlyMap<string, string>;
}

const units: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** @throws SampanError `invalid-argument` */
export function parsePruneFilters(filters: readonly string[], now: number = Date.now()): (item: Prunable) => boolean {
  const tests = filters.map((filter) => {
    const [, key = "", not = "", value = ""] = /^([a-z]+)(!?)=(.*)$/s.exec(filter) ?? [];
    if (key === "until" && not === "") {
      const until = parseTime(value, now);
      if (until !== undefined) return ({ createdAt }: Prunable) => createdAt < until;
    }
    if (key === "label" && value !== "") {
      const [name = "", wanted] = value.split(/=(.*)/s, 2);
      const has = ({ labels }: Prunable): boolean =>
        wanted === undefined ? labels.has(name) : labels.get(name) === wanted;
      return not === "" ? has : (item: Prunable) => !has(item);
    }
    throw invalidArgument(`Cannot parse --filter "${filter}": filters are until, label and label!`, {
      remedy: "Write e.g. until=24h, until=2026-01-31T12:00:00, label=KEY=VALUE or label!=KEY",
    });
  });
  return (item) => tests.every((fits) => fits(item));
}

/** A duration before now (`1h30m`, `10d`), seconds since the epoch, or a date with or without a time. */
function parseTime(text: string, now: number): number | undefined {
  const duration = parseDuration(text);
  if (duration !== undefined) return now - duration;
  if (/^\d{9,}(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

/** Milliseconds from `90s`, `1h30m`, `7d`. */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/.test(text)) return undefined;
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)].reduce(
    (sum, [, count = "0", unit = ""]) => sum + Number(count) * (units.get(unit) ?? 0),
    0,
  );
}
