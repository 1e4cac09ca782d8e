/** A tree of files, as it is walked, as entries that make the same in another. */
import type { FoundFile, LayerEntry } from "#keel";
import { fileType, isArchived, type ArchiveEvent, type Note } from "./tree-archive.ts";
import { segmentParts } from "./segments.ts";

export interface TreeEntryOptions {
  /** Who the files belong to; who they belonged to without it. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  /** Leave extended attributes out. */
  readonly plain?: boolean;
  readonly onNote?: ((path: string, note: Note) => void) | undefined;
}

/** Bits that let a program run as its owner. */
const setIds = 0o6000;

/**
 * Sockets are left out. Files of another owner are not let to run as their new one: setuid and setgid bits go, as with
 * chown(2).
 */
export async function* treeEntries(
  events: AsyncIterable<ArchiveEvent>,
  options: TreeEntryOptions = {},
): AsyncGenerator<LayerEntry, void, void> {
  let file: FoundFile | undefined;
  let missing = 0n;
  let parts: ReturnType<typeof segmentParts> | undefined;
  for await (const event of events) {
    if (event.kind === "file") {
      file = event.file;
      parts = undefined;
      const entry = entryOf(file, options);
      if (entry === undefined) options.onNote?.(file.path, "socket");
      else yield entry;
      if (entry?.kind !== "apply-file") continue;
      parts = segmentParts(file.segments);
      missing = file.segments.reduce((sum, { size }) => sum + size, 0n);
    } else if (parts === undefined || file === undefined) continue;
    else if (event.kind === "data") {
      missing -= BigInt(event.data.length);
      for (const { offset, data } of parts(event.data)) yield { kind: "apply-data", offset, data };
    } else {
      if (missing > 0n) options.onNote?.(file.path, "shorter");
      yield { kind: "apply-end" };
    }
  }
}

function entryOf(file: FoundFile, { owner, plain = false }: TreeEntryOptions): LayerEntry | undefined {
  const { path, link, target } = file;
  if (link !== "") return { kind: "apply-hardlink", path, target: link };
  const type = file.mode & fileType.mask;
  const { uid, gid } = owner ?? file;
  let mode = file.mode & 0o7777;
  if (type !== fileType.directory && (uid !== file.uid || gid !== file.gid)) mode &= ~setIds;
  const modified = { seconds: file.seconds, nanoseconds: file.nanoseconds };
  const xattrs = plain ? [] : file.xattrs.filter(isArchived);
  switch (type) {
    case fileType.directory:
      return { kind: "apply-directory", path, mode, uid, gid, modified, xattrs };
    case fileType.file:
      return { kind: "apply-file", path, size: file.size, mode, uid, gid, modified, xattrs };
    case fileType.symlink:
      return { kind: "apply-symlink", path, target, uid, gid, modified, xattrs };
    case fileType.character:
    case fileType.block:
    case fileType.fifo: {
      const { major, minor } = file;
      return { kind: "apply-node", path, mode: type | mode, major, minor, uid, gid, modified, xattrs };
    }
    default:
      return undefined;
  }
}
