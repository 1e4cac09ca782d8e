import { malformed, readString } from "./reader.ts";

/**
 * Reads the kernel's list of numbers, e.g. `0-3,7` (cpuset(7), List format): ascending and without repetition in the
 * result. Blanks around a part and empty parts are allowed.
 *
 * @param most the largest number
 */
export function readNumberList(value: unknown, path: string, most: number): readonly number[] {
  const refuse = (): never => {
    throw malformed(path, `must be a list of numbers from 0 to ${most}, such as 0-3,7`);
  };
  const text = readString(value, path);
  // Enough for every number by itself.
  if (text.length > 65_536) refuse();
  const numbers = new Set<number>();
  for (const part of text.split(",")) {
    const trimmed = part.trim();
    if (trimmed === "") continue;
    const found = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(trimmed);
    if (found === null) refuse();
    const first = Number(found?.[1]);
    const last = Number(found?.[2] ?? found?.[1]);
    if (last > most || first > last) refuse();
    for (let n = first; n <= last; n++) numbers.add(n);
  }
  return [...numbers].sort((a, b) => a - b);
}
