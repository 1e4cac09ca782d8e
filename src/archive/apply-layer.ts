/** From a tar archive to the entries of a layer, as keel makes them. */
import { invalidArgument, type SampanError } from "#errdefs";
import type { LayerEntry, LayerSink } from "#keel";
import { Directories } from "./directories.ts";
import { defaultLimits, type ArchiveLimits } from "./limits.ts";
import { cleanPath, meaningOf } from "./path.ts";
import { TarReader, type TarEntry } from "./tar-reader.ts";
import { nameBytes, quote } from "./text.ts";

export interface LayerStats {
  /** Entries made, whiteouts among them. */
  readonly entries: number;
  /** Bytes of content, without holes. */
  readonly bytes: number;
  /**
   * Directories that the layer has something in but no entry for, parents first, `.` for the root. They were made with
   * mode 0755 and owner 0:0, and should look like the lower layer's directory where there is one.
   */
  readonly implied: readonly string[];
  /** The layer hides all that is below it. */
  readonly opaque: boolean;
}

export interface ApplyOptions {
  /** Other limits than {@link defaultLimits}. */
  readonly limits?: Partial<ArchiveLimits>;
  /** Flush the filesystem when all is made. */
  readonly sync?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Sends the entries of a layer, an uncompressed tar archive, to a sink, and finishes it. The stream is read to its end,
 * also behind the end of the archive, so that whoever verifies it has seen all of it before the sink is finished.
 *
 * Whiteouts hide what lower layers have and nothing of this one, in whatever order they come. `trusted.overlay.*` and
 * `user.overlay.*` attributes are left out: they are overlayfs' own, and an image must not set them. A character device 0:0
 * is overlayfs' own whiteout, and is taken for one.
 *
 * @throws SampanError `data-loss` for an archive that is malformed or cut short, with the byte and the entry;
 *   `invalid-argument` for an entry that a layer cannot have; `resource-exhausted` beyond a limit; what the sink and the
 *   stream throw. The sink is not finished then; what it has made so far is the caller's to remove
 */
export async function applyLayer(
  stream: AsyncIterable<Uint8Array>,
  sink: LayerSink,
  options: ApplyOptions = {},
): Promise<LayerStats> {
  const limits = { ...defaultLimits, ...options.limits };
  const reader = new TarReader(stream, limits);
  const directories = new Directories(limits.directoryCharacters);
  let entries = 0;
  let bytes = 0;
  let opaque = false;
  try {
    for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
      options.signal?.throwIfAborted();
      const made = translate(entry, limits, reader.place);
      if (made === undefined) continue;
      entries += 1;
      if (made.kind === "apply-directory") directories.describe(made.path);
      else directories.contain(made.path);
      if (made.kind === "apply-opaque") {
        directories.imply(made.path);
        if (made.path === ".") opaque = true;
      }
      await sink.write(made);
      if (made.kind !== "apply-file") continue;
      for (let part = await reader.read(); part !== undefined; part = await reader.read()) {
        bytes += part.data.length;
        await sink.write({ kind: "apply-data", offset: BigInt(part.offset), data: part.data });
      }
      await sink.write({ kind: "apply-end" });
    }
    await reader.drain();
  } finally {
    await reader.close();
  }
  await sink.finish({ sync: options.sync ?? false });
  return { entries, bytes, implied: directories.implied, opaque };
}

type Xattr = Extract<LayerEntry, { kind: "apply-file" }>["xattrs"][number];
type Made = Exclude<LayerEntry, { kind: "apply-data" | "apply-end" }>;

const fifo = 0o010000;
const character = 0o020000;
const block = 0o060000;

const maxDevice = { major: 0xfff, minor: 0xf_ffff };

/** Undefined for what a layer may have but nothing is made of. */
function translate(entry: TarEntry, limits: ArchiveLimits, place: string): Made | undefined {
  const { name, mode, uid, gid, modified } = entry;
  const path = cleanPath(name);
  if (nameBytes(path) > limits.nameBytes) throw refuse(entry, place, "its name is too long");
  if (path === "") {
    if (entry.type !== "directory") throw refuse(entry, place, "it stands for the layer's root, but is no directory");
    return { kind: "apply-directory", path: ".", mode, uid, gid, modified, xattrs: xattrsOf(entry) };
  }
  const meaning = meaningOf(path);
  if (meaning.kind === "whiteout") return { kind: "apply-whiteout", path: meaning.path };
  if (meaning.kind === "opaque") return { kind: "apply-opaque", path: meaning.path };
  if (meaning.kind === "skip") return undefined;
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
    case "fifo": {
      const { major, minor } = entry;
      if (major > maxDevice.major || minor > maxDevice.minor)
        throw refuse(entry, place, "there is no such device number");
      if (entry.type === "character" && major === 0 && minor === 0) return { kind: "apply-whiteout", path };
      const type = entry.type === "fifo" ? fifo : entry.type === "character" ? character : block;
      return { kind: "apply-node", path, mode: type | mode, major, minor, uid, gid, modified, xattrs: xattrsOf(entry) };
    }
  }
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
