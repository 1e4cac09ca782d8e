/** `logs --egress`. */
import { humanDuration, type RefusedEgress } from "#engine";
import { printTable } from "./table.ts";

/** @param now milliseconds since the epoch */
export function printEgress(log: readonly RefusedEgress[], now: number): void {
  printTable(
    ["LAST", "REFUSED", "COUNT", "WHY"],
    log.map(({ what, why, count, last }) => [`${humanDuration(now - last)} ago`, what, String(count), why]),
  );
}
