import type { IdMap, MountParameter } from "../operation.gen.ts";
import { mountAttribute as a, mountPropagation as p } from "../tables/mount-flags.ts";

/** `a`, `a and b`, `a, b and c` */
export function list(words: readonly string[]): string {
  if (words.length < 2) return words[0] ?? "";
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

const attributes: readonly (readonly [bit: bigint, words: string])[] = [
  [a.readOnly, "read-only"],
  [a.noSuid, "setuid programs get no rights"],
  [a.noDev, "no device files"],
  [a.noExec, "no programs run from it"],
  [a.noSymfollow, "symbolic links not followed"],
];

/** ` (read-only, no device files, …)`, or nothing. */
export function attributeWords(flags: bigint, more: readonly string[]): string {
  const words = attributes.filter(([bit]) => (flags & bit) !== 0n).map(([, text]) => text);
  words.push(...more);
  return words.length === 0 ? "" : ` (${words.join(", ")})`;
}

export const parameterWords = (parameters: readonly MountParameter[]): readonly string[] =>
  parameters.map(({ key, value }) => (value === "" ? key : `${key} ${value}`));

/** How mounts spread; empty for 0. */
export function propagationWords(mode: bigint): string {
  if (mode === p.slave) return "one-way: changes come from the host, none go back";
  if (mode === p.private) return "private: changes neither come nor go";
  if (mode === p.shared) return "shared: changes come and go";
  return mode === p.unbindable ? "private and not to be bound again" : "";
}

const directions: Readonly<Record<number, string>> = { 0o020_000: "character", 0o060_000: "block" };

/** `character device 1:3`, `FIFO` */
export function deviceWords(mode: number, major: number, minor: number): string {
  const kind = directions[mode & 0o170_000];
  return kind === undefined ? "FIFO" : `${kind} device ${major}:${minor}`;
}

/** `0-65535 → 100000-165535` */
export const idMapWords = (maps: readonly IdMap[]): string =>
  list(
    maps.map(({ inside, outside, count }) =>
      count === 1 ? `${inside} → ${outside}` : `${inside}-${inside + count - 1} → ${outside}-${outside + count - 1}`,
    ),
  );

/** [0, 1, 2, 7] → `0-2,7` */
export function rangeWords(numbers: readonly number[]): string {
  const ranges: [first: number, last: number][] = [];
  for (const n of numbers) {
    const range = ranges.at(-1);
    if (range !== undefined && n === range[1] + 1) range[1] = n;
    else ranges.push([n, n]);
  }
  return ranges.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(",");
}
