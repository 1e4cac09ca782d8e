import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Usage } from "./snapshotter.ts";

/** Bytes of one block of `st_blocks` (stat(2)). */
const statBlock = 512;

/** Disk usage of a tree, like `du`: what is allocated, and files with several names once. */
export async function treeUsage(root: string): Promise<Usage> {
  const linked = new Set<number>();
  const directories = [root];
  let bytes = 0;
  let inodes = 0;
  for (let path = directories.pop(); path !== undefined; path = directories.pop()) {
    const entries = path === root ? [undefined, ...(await readdir(path))] : await readdir(path);
    const stats = await Promise.all(
      entries.map((name) => lstat(name === undefined ? root : join(path, name)).catch(missing)),
    );
    for (const [i, stat] of stats.entries()) {
      if (stat === undefined) continue;
      if (!stat.isDirectory() && stat.nlink > 1) {
        if (linked.has(stat.ino)) continue;
        linked.add(stat.ino);
      }
      bytes += stat.blocks * statBlock;
      inodes += 1;
      const name = entries[i];
      if (name !== undefined && stat.isDirectory()) directories.push(join(path, name));
    }
  }
  return { bytes, inodes };
}

/** A running container may remove a file meanwhile. */
function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
