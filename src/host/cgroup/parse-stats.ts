/** Parsers of the kernel's files of counters. */
import { parseNumber } from "./files.ts";
import type { BlkioEntry, Pressure, PressureLine } from "./stats-types.ts";

/** Nanoseconds of one tick of USER_HZ, in which cpuacct.stat counts. */
const tick = 10_000_000n;

/** `some avg10=0.00 avg60=0.00 avg300=0.00 total=0` and a line `full`. Undefined where the kernel has none. */
export function parsePressure(text: string | undefined): Pressure | undefined {
  if (text === undefined) return undefined;
  const lines = new Map<string, PressureLine>();
  for (const line of text.split("\n")) {
    const [kind = "", ...rest] = line.split(" ");
    const values = new Map(rest.map((part) => part.split("=", 2) as [string, string]));
    const average = (name: string): number => Number(values.get(name) ?? 0) || 0;
    lines.set(kind, {
      avg10: average("avg10"),
      avg60: average("avg60"),
      avg300: average("avg300"),
      total: parseNumber(values.get("total")) ?? 0n,
    });
  }
  const none: PressureLine = { avg10: 0, avg60: 0, avg300: 0, total: 0n };
  return { some: lines.get("some") ?? none, full: lines.get("full") ?? none };
}

/** v1's `MAJOR:MINOR [Op] value`; the sum line `Total value` is left out. */
export function parseBlkio(text: string | undefined): readonly BlkioEntry[] {
  const entries: BlkioEntry[] = [];
  for (const line of (text ?? "").split("\n")) {
    const [, major, minor, op, number] = /^(\d+):(\d+) (?:(\w+) )?(\d+)$/.exec(line) ?? [];
    const value = parseNumber(number);
    if (major !== undefined && minor !== undefined && value !== undefined)
      entries.push({ major: BigInt(major), minor: BigInt(minor), op: op ?? "", value });
  }
  return entries;
}

const ioCounters: ReadonlyMap<string, readonly [list: "bytes" | "operations", op: string]> = new Map([
  ["rbytes", ["bytes", "Read"]],
  ["wbytes", ["bytes", "Write"]],
  ["rios", ["operations", "Read"]],
  ["wios", ["operations", "Write"]],
]);

/** v2's `MAJOR:MINOR rbytes=… wbytes=… rios=… wios=… …`. */
export function parseIoStat(text: string | undefined): {
  readonly bytes: readonly BlkioEntry[];
  readonly operations: readonly BlkioEntry[];
} {
  const lists = { bytes: [] as BlkioEntry[], operations: [] as BlkioEntry[] };
  for (const line of (text ?? "").split("\n")) {
    const [device = "", ...items] = line.split(" ");
    const [, major, minor] = /^(\d+):(\d+)$/.exec(device) ?? [];
    if (major === undefined || minor === undefined) continue;
    for (const item of items) {
      const [name = "", number] = item.split("=", 2);
      const counter = ioCounters.get(name);
      const value = parseNumber(number);
      if (counter !== undefined && value !== undefined)
        lists[counter[0]].push({ major: BigInt(major), minor: BigInt(minor), op: counter[1], value });
    }
  }
  return lists;
}

/** v1's cpuacct.stat, `user TICKS` and `system TICKS`, in nanoseconds. */
export function ticksToNanoseconds(ticks: bigint | undefined): bigint {
  return (ticks ?? 0n) * tick;
}

/** v1's cpuacct.usage_all: a head line, then `CPU USER SYSTEM` for each processor. */
export function parseUsageAll(text: string | undefined): {
  readonly user: readonly bigint[];
  readonly kernel: readonly bigint[];
} {
  const user: bigint[] = [];
  const kernel: bigint[] = [];
  for (const line of (text ?? "").split("\n")) {
    const [, first, second] = /^\d+ (\d+) (\d+)/.exec(line) ?? [];
    if (first === undefined || second === undefined) continue;
    user.push(BigInt(first));
    kernel.push(BigInt(second));
  }
  return { user, kernel };
}
