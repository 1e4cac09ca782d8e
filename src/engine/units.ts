/** Values that people write: sizes, processors, durations. */
import { invalidArgument } from "#errdefs";

const factors = new Map<string, number>([
  ["", 1],
  ["b", 1],
  ["k", 1024],
  ["kb", 1024],
  ["kib", 1024],
  ["m", 1024 ** 2],
  ["mb", 1024 ** 2],
  ["mib", 1024 ** 2],
  ["g", 1024 ** 3],
  ["gb", 1024 ** 3],
  ["gib", 1024 ** 3],
  ["t", 1024 ** 4],
  ["tb", 1024 ** 4],
  ["tib", 1024 ** 4],
]);

/**
 * A size in bytes from `134217728`, `128m`, `128MB`, `128MiB`, `1.5g`: all factors are powers of 1024, as Docker's are.
 *
 * @param what names the value in an error, e.g. `--memory`
 */
export function parseBytes(text: string | number, what: string): number {
  const found = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(String(text).trim());
  const factor = found === null ? undefined : factors.get((found[2] ?? "").toLowerCase());
  const bytes = found === null || factor === undefined ? Number.NaN : Math.floor(Number(found[1]) * factor);
  if (!Number.isSafeInteger(bytes))
    throw invalidArgument(`Cannot parse ${what} "${text}": it is not a size`, {
      remedy: "Write a number of bytes with an optional unit, e.g. 256m or 1.5g",
    });
  return bytes;
}

/** CPU quota in microseconds for each period of 100,000 from a number of processors such as `0.5`. */
export function parseCpus(text: string | number, what: string): number {
  const cpus = /^\d*\.?\d+$|^\d+\.$/.test(String(text).trim()) ? Number(text) : Number.NaN;
  if (!Number.isFinite(cpus) || cpus < 0)
    throw invalidArgument(`Cannot parse ${what} "${text}": it is not a number of processors`, {
      remedy: "Write a decimal number, e.g. 1.5",
    });
  const quota = Math.round(cpus * 100_000);
  if (cpus > 0 && quota < 1000)
    throw invalidArgument(`Cannot set ${what} to ${text}: the kernel's smallest share is 0.01 processors`);
  return quota;
}

/** A whole number within bounds. */
export function parseInteger(text: string | number, what: string, min: number, max: number): number {
  const value = /^[+-]?\d+$/.test(String(text).trim()) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value) || value < min || value > max)
    throw invalidArgument(`Cannot parse ${what} "${text}": it is not a whole number from ${min} to ${max}`);
  return value;
}

/** `3 seconds`, `About a minute`, `5 hours`, `2 weeks`: how long ago, as `ps` and `images` say it. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 1) return "Less than a second";
  if (seconds === 1) return "1 second";
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(seconds / 3600);
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  const days = Math.floor(hours / 24);
  if (days < 14) return `${days} days`;
  if (days < 60) return `${Math.floor(days / 7)} weeks`;
  if (days < 730) return `${Math.floor(days / 30)} months`;
  return `${Math.floor(days / 365)} years`;
}

/** `12.3MB`: a size with three digits, in powers of 1000 as Docker prints sizes of images. */
export function humanSize(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${Number(value.toPrecision(3))}${units[unit]}`;
}
