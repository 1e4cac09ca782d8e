/**
 * A layer may have something in a directory without describing the directory. On its own it was made 0755 and root's; on
 * top of a layer that has the directory it must not change what that says.
 */
import { lstatSync, type Stats } from "node:fs";
import { join } from "node:path";
import type { Executor } from "#keel";
import type { Layer } from "./store.ts";

const look = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false });

/** What `path` is below `root`; undefined when it is not there, false when a part of it is no directory. */
function directoryAt(root: string, path: string): Stats | false | undefined {
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
function inherited(chain: readonly Layer[], path: string): Stats | undefined {
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
  chain: readonly Layer[],
): Promise<void> {
  const changes: { path: string; stat: Stats }[] = [];
  for (const path of implied) {
    const mine = directoryAt(fs, path);
    const stat = mine === undefined || mine === false ? undefined : inherited(chain, path);
    if (mine === undefined || mine === false || stat === undefined) continue;
    if (stat.mode !== mine.mode || stat.uid !== mine.uid || stat.gid !== mine.gid) changes.push({ path, stat });
  }
  if (changes.length === 0) return;
  await using sink = await executor.openLayer(fs, { overlay: true });
  for (const { path, stat } of changes) {
    const milliseconds = Math.floor(stat.mtimeMs);
    const seconds = Math.floor(milliseconds / 1000);
    await sink.write({
      kind: "apply-directory",
      path,
      mode: stat.mode & 0o7777,
      uid: stat.uid,
      gid: stat.gid,
      modified: { seconds: BigInt(seconds), nanoseconds: (milliseconds - seconds * 1000) * 1_000_000 },
      xattrs: [],
    });
  }
  await sink.finish({ sync: false });
}
