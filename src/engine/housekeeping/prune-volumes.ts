import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { volumeUsage } from "./disk-usage.ts";
import type { HousekeepingTools } from "./housekeeping.ts";

export interface PrunedVolumes {
  readonly removed: readonly string[];
  /** Freed on disk. */
  readonly bytes: number;
}

/** Removes volumes that no container uses; those with names only when asked for, as somebody may want them again. */
export async function pruneVolumes(tools: HousekeepingTools, all: boolean): Promise<PrunedVolumes> {
  const { core, paths } = tools;
  const sizes = new Map((await volumeUsage(tools)).map(({ name, usage }) => [name, usage.bytes]));
  const removed = await core.volumes.prune({ all });
  // What a process that was killed had half removed: no volume's name begins like that.
  const left = existsSync(paths.volumes) ? readdirSync(paths.volumes).filter((name) => name.startsWith(".")) : [];
  for (const name of left) await core.executor.execute([{ op: "remove-tree", path: join(paths.volumes, name) }]);
  return { removed, bytes: removed.reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0) };
}
