import { invalidArgument } from "#errdefs";

const unitMilliseconds: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

/** `5s`, `500ms`, `1m30s`: milliseconds. */
export function readDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  const milliseconds = parts.reduce((sum, [, n, unit]) => sum + Number(n) * (unitMilliseconds.get(unit ?? "") ?? 0), 0);
  if (parts.length === 0 || parts.map(([all]) => all).join("") !== text || milliseconds < 1)
    throw invalidArgument(`Cannot parse --interval "${text}": it is no duration like 5s`);
  return milliseconds;
}
