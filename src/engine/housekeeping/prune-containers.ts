import { isSampanError } from "#errdefs";
import { Container } from "../container.ts";
import type { HousekeepingTools } from "./housekeeping.ts";
import { parsePruneFilters } from "./prune-filters.ts";

/** Milliseconds. */
const justMade = 60_000;

/** Removes containers that don't run and fit all filters, without their volumes. Ids of those removed. */
export async function pruneContainers(
  { core, records }: HousekeepingTools,
  filters: readonly string[],
): Promise<readonly string[]> {
  const fits = parsePruneFilters(filters);
  const removed: string[] = [];
  for (const record of records.list()) {
    const { status } = core.runtime.state(record.id);
    if (status === "running" || status === "created") continue;
    // One that was only just made is about to be started.
    if (status === "none" && Math.abs(Date.now() - record.createdAt) < justMade) continue;
    if (!fits({ createdAt: record.createdAt, labels: new Map(Object.entries(record.resolved.labels)) })) continue;
    try {
      await new Container(core, record).remove();
      removed.push(record.id);
    } catch (error) {
      // Somebody has started it meanwhile, is working on it, or was faster.
      if (!isSampanError(error, "failed-precondition") && !isSampanError(error, "not-found")) throw error;
    }
  }
  return removed;
}
