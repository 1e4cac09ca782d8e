/** What one entry of a tar archive makes in a layer. */
import { invalidArgument, resourceExhausted, type SampanError } from "#errdefs";
import type { LayerEntry } from "#keel";
import type { ArchiveLimits } from "./limits.ts";
import { cleanPath, meaningOf } from "./path.ts";
import type { TarEntry } from "./tar-reader.ts";
import { nameBytes, quote } from "./text.ts";

type Xattr = Extract<LayerEntry, { kind: "apply-file" }>["xattrs"][number];
/** An entry that stands for itself; content follows a file. */
export type Made = Exclude<LayerEntry, { kind: "apply-data" | "apply-end" }>;

const fifo = 0o010000;
const character = 0o020000;
const block = 0o060000;

const maxDevice = { major: 0xfff, minor: 0xf_ffff };

/**
 * What an entry of a layer makes; undefined for what a layer may have but nothing is made of.
 *
 * @throws SampanError `invalid-argument` for what a layer cannot have; `place` is for its message
 */
export function translate(entry: TarEntry, limits: ArchiveLimits, place: string): Made | undefined {
  const { name, mode, uid, gid, modified } = entry;
  const path = cleanPath(name);
  if (nameBytes(path) > limits.nameBytes) throw refuse(entry, place, "its name is too long");
  if (path.length > limits.depth && path.split("/").length > limits.depth) {
    throw resourceExhausted(
      `Cannot unpack the layer: ${quote(path.slice(0, 100))} leads through more than ${limits.depth} directories`,
    );
  }
  if (path === "") {
    if (entry.type !== "directory") throw refuse(entry, place, "it stands for the layer's root, but is no directory");
    return { kind: "apply-directory", path: ".", mode, uid, gid, modified, xattrs: xattrsOf(entry) };
  }
  const meaning = meaningOf(path);
  if (meaning.kind === "whiteout") return { kind: "apply-whiteout", path: meaning.path };
  if (meaning.kind === "opaque") return { kind: "apply-opaque", path: meaning.path };
  if (meaning.kind === "skip") return undefined;
  // Overlayfs' own whiteout.
  if (entry.type === "character" && entry.major === 0 && entry.minor === 0) return { kind: "apply-whiteout", path };
  if (entry.type === "hardlink" && meaningOf(cleanTarget(entry, place)).kind !== "entry")
    throw refuse(entry, place, "it is a hard link to a whiteout");
  return describe(entry, path, place);
}

/** What an entry makes among files, where no name has a meaning of its own; `path` is its name, cleaned. */
export function describe(entry: TarEntry, path: string, place: string): Made {
  const { mode, uid, gid, modified } = entry;
  switch (entry.type) {
    case "directory":
      return { kind: "apply-directory", path, mode, uid, gid, modified, xattrs: xattrsOf(entry) };
    case "file":
      return { kind: "apply-file", path, size: BigInt(entry.size), mode, uid, gid, modified, xattrs: xattrsOf(entry) };
    case "symlink":
      if (entry.linkname === "" || entry.linkname.includes("\0")) throw refuse(entry, place, "the link has no target");
      return { kind: "apply-symlink", path, target: entry.linkname, uid, gid, modified, xattrs: xattrsOf(entry) };
    case "hardlink": {
      const target = cleanTarget(entry, place);
      return { kind: "apply-hardlink", path, target };
    }
    case "character":
    case "block":
    case "fifo":
      break;
  }
  const { major, minor } = entry;
  if (major > maxDevice.major || minor > maxDevice.minor) throw refuse(entry, place, "there is no such device number");
  const type = entry.type === "fifo" ? fifo : entry.type === "character" ? character : block;
  return { kind: "apply-node", path, mode: type | mode, major, minor, uid, gid, modified, xattrs: xattrsOf(entry) };
}

function cleanTarget(entry: TarEntry, place: string): string {
  let target: string;
  try {
    target = cleanPath(entry.linkname);
  } catch (cause) {
    throw refuse(entry, place, `it is a hard link to ${quote(entry.linkname)}, which leaves the layer's root`, cause);
  }
  if (target === "") throw refuse(entry, place, "it is a hard link to the layer's root");
  return target;
}

function xattrsOf(entry: TarEntry): Xattr[] {
  const list: Xattr[] = [];
  for (const [name, value] of entry.xattrs)
    if (!name.startsWith("trusted.overlay.") && !name.startsWith("user.overlay.")) list.push({ name, value });
  return list;
}

function refuse(entry: TarEntry, place: string, state: string, cause?: unknown): SampanError {
  return invalidArgument(`Cannot unpack ${quote(entry.name)} (${place}): ${state}`, {
    path: entry.name,
    ...(cause === undefined ? {} : { cause }),
  });
}
