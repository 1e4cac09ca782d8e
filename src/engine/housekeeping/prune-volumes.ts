import { existsSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { volumeUsage, volumeUsers } from "./disk-usage.ts";
import type { HousekeepingTools } from "./housekeeping.ts";

export interface PrunedVolumes {
  readonly removed: readonly string[];
  readonly bytes: number;
}

/** An anonymous volume's name is 64 hexadecimal digits. */
const isAnonymous = (name: string): boolean => /^[0-9a-f]{64}$/.test(name);

/** A volume on its way out: no volume has such a name. */
const removedPrefix = ".removed-";

/** Removes volumes that no container uses; those with names only when asked for, as somebody may want them again. */
export async function pruneVolumes(tools: HousekeepingTools, all: boolean): Promise<PrunedVolumes> {
  const { core, records, database, paths } = tools;
  const removed: string[] = [];
  let bytes = 0;
  for (const { name, usage, containers } of await volumeUsage(tools)) {
    if (containers.length > 0 || (!all && !isAnonymous(name))) continue;
    // A container is in the book before its volumes are made: it is seen here, or makes the volume anew.
    const isFree = database.transaction(() => {
      if (volumeUsers(records.list()).has(name)) return false;
      records.deleteVolume(name);
      renameSync(join(paths.volumes, name), join(paths.volumes, removedPrefix + name));
      return true;
    });
    if (!isFree) continue;
    removed.push(name);
    bytes += usage.bytes;
  }
  // Also those of a process that was killed here.
  const left = existsSync(paths.volumes) ? readdirSync(paths.volumes) : [];
  for (const name of left.filter((entry) => entry.startsWith(removedPrefix))) {
    await core.executor.execute([{ op: "remove-tree", path: join(paths.volumes, name) }]);
  }
  return { removed, bytes };
}
