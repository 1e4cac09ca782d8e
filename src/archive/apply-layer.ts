/** From a tar archive to the entries of a layer, as keel makes them. */
import type { LayerSink } from "#keel";
import { Directories } from "./directories.ts";
import { defaultLimits, type ArchiveLimits } from "./limits.ts";
import { TarReader } from "./tar-reader.ts";
import { translate } from "./translate.ts";

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
      if (made.kind === "apply-whiteout") directories.hide(made.path);
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
