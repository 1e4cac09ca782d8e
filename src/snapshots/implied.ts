/**
 * A layer may have something in a directory without describing the directory. On its own it was made 0755 and root's, and
 * now; on top of a layer that has the directory it must not change what that says.
 */
import { lstatSync, type BigIntStats } from "node:fs";
import { join } from "node:path";
import type { Executor } from "#keel";
import type { Layer } from "./store.ts";

const billion = 1_000_000_000n;

const look = (path: string): BigIntStats | undefined => lstatSync(path, { bigint: true, throwIfNoEntry: false });

/** What `path` is below `root`; undefined when it is not there, false when a part of it is no directory. */
function directoryAt(root: string, path: string): BigIntStats | false | undefined {
  let at = root;
  let stat = look(root);
  if (path !== ".")
    for (const part of path.split("/")) {
      at = join(at, part);
      stat = look(at);
      if (stat === undefined) return undefined;
      if (!stat.isDirectory()) return false;
    }
  return stat;
}

/** The directory as the layers show it: from the topmost that has it, unless one above has something else there. */
function inherited(chain: readonly Pick<Layer, "fs">[], path: string): BigIntStats | undefined {
  for (const layer of chain) {
    const stat = directoryAt(layer.fs, path);
    if (stat === false) return undefined;
    if (stat !== undefined) return stat;
  }
  return undefined;
}

/**
 * Gives the directories `implied` of a new layer, whose content is in `fs`, mode, owner and time from the layers below it.
 * Extended attributes are not carried over.
 */
export async function inheritDirectories(
  executor: Executor,
  fs: string,
  implied: readonly string[],
  chain: readonly Pick<Layer, "fs">[],
): Promise<void> {
  const changes: { path: string; stat: BigIntStats }[] = [];
  for (const path of implied) {
    const mine = directoryAt(fs, path);
    const stat = mine === undefined || mine === false ? undefined : inherited(chain, path);
    if (mine === undefined || mine === false || stat === undefined) continue;
    if (stat.mode !== mine.mode || stat.uid !== mine.uid || stat.gid !== mine.gid || stat.mtimeNs !== mine.mtimeNs)
      changes.push({ path, stat });
  }
  if (changes.length === 0) return;
  // An overlay's directories keep the extended attributes that they have.
  await using sink = await executor.openLayer(fs, { overlay: true });
  for (const { path, stat } of changes) {
    const nanoseconds = ((stat.mtimeNs % billion) + billion) % billion;
    await sink.write({
      kind: "apply-directory",
      path,
      mode: Number(stat.mode & 0o7777n),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      modified: { seconds: (stat.mtimeNs - nanoseconds) / billion, nanoseconds: Number(nanoseconds) },
      xattrs: [],
    });
  }
  await sink.finish({ sync: false });
}
