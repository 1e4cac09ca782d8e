import { invalidArgument } from "#errdefs";

const units = new Map([
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

/** A time in milliseconds since the epoch from RFC 3339, seconds since the epoch, or how long ago (`1h30m`). */
export function parseTime(text: string, what: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (/^(\d+[smh])+$/.test(text)) {
    let ago = 0;
    for (const [, digits, unit] of text.matchAll(/(\d+)([smh])/g))
      ago += Number(digits) * (units.get(unit ?? "s") ?? 0);
    return Date.now() - ago;
  }
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw invalidArgument(`Cannot parse ${what} "${text}": it is no time`, {
      remedy: "Write 2026-01-31T12:00:00Z, or 10m for ten minutes ago",
    });
  return time;
}

const durationUnits = new Map([
  ["ns", 1e-6],
  ["us", 1e-3],
  ["µs", 1e-3],
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

/** Milliseconds from Go's form of a duration, such as `1m30s` or `500ms`. */
export function parseDuration(text: string, what: string): number {
  if (text === "0") return 0;
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text))
    throw invalidArgument(`Cannot parse ${what} "${text}": it is no duration`, {
      remedy: "Write e.g. 30s, 1m30s or 500ms",
    });
  let sum = 0;
  for (const [, digits, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g))
    sum += Number(digits) * (durationUnits.get(unit ?? "") ?? 0);
  return sum;
}
