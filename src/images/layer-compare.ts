/** Compares an unpacked layer with the blob that it came from: whether what containers see is still what the image is. */
import { closeSync, constants, lstatSync, openSync, readSync, type Stats } from "node:fs";
import { dirname, join } from "node:path";
import { applyLayer } from "#archive";
import { isSampanError } from "#errdefs";
import type { LayerEntry, LayerSink } from "#keel";
import { layerCompression, type Descriptor, type Digest } from "#spec";
import { defaultLimits, layerStream } from "./layer-stream.ts";

/**
 * @param directory the layer's own content, as overlayfs has it
 * @param blob its verified bytes
 * @returns undefined when they agree, and otherwise the first difference, in a few words
 */
export async function compareLayer(
  directory: string,
  blob: AsyncIterable<Uint8Array>,
  layer: Pick<Descriptor, "digest" | "mediaType" | "size"> & { readonly diffId: Digest },
  signal?: AbortSignal,
): Promise<string | undefined> {
  const compression = layerCompression(layer.mediaType);
  if (compression === undefined) return undefined;
  const tar = layerStream(blob, { layer, compression, diffId: layer.diffId }, defaultLimits);
  const sink = new ComparingSink(directory);
  try {
    await applyLayer(tar, sink, signal === undefined ? {} : { signal });
  } catch (error) {
    // The blob is what the manifest says, but not what the configuration says: it could never be unpacked.
    if (!isSampanError(error, "data-loss")) throw error;
    return error.message;
  } finally {
    await sink[Symbol.asyncDispose]();
  }
  return sink.difference();
}

/** A sink that makes nothing, and notes which entries the disk has otherwise. */
class ComparingSink implements LayerSink {
  readonly #root: string;
  /** What is wrong, by path. A later entry of the same path replaces an earlier one, and what was said of it. */
  readonly #wrong = new Map<string, string>();
  /** Directories without a symbolic link on the way to them. */
  readonly #plain = new Map<string, boolean>();
  #file: { readonly path: string; readonly descriptor: number } | undefined;

  constructor(root: string) {
    this.#root = root;
    this.#plain.set(".", true);
  }

  difference(): string | undefined {
    const [first] = this.#wrong;
    if (first === undefined) return undefined;
    const more = this.#wrong.size === 1 ? "" : `, and ${this.#wrong.size - 1} more`;
    return `"${first[0]}" ${first[1]}${more}`;
  }

  async write(entry: LayerEntry): Promise<void> {
    switch (entry.kind) {
      case "apply-data":
        this.#compareData(Number(entry.offset), entry.data);
        return;
      case "apply-end":
        this.#close();
        return;
      case "apply-opaque":
        return;
      default:
        this.#compare(entry);
    }
  }

  #compare(entry: Exclude<LayerEntry, { kind: "apply-data" | "apply-end" | "apply-opaque" }>): void {
    const { path } = entry;
    this.#wrong.delete(path);
    if (entry.kind !== "apply-directory") this.#forgetBelow(path);
    if (!this.#isPlain(dirname(path))) return;
    const stat = lstatSync(join(this.#root, path), { throwIfNoEntry: false });
    if (stat === undefined) {
      this.#wrong.set(path, "is missing");
      return;
    }
    const state = this.#differs(entry, stat);
    if (state !== undefined) this.#wrong.set(path, state);
    else if (entry.kind === "apply-file") this.#open(path);
  }

  #differs(
    entry: Exclude<LayerEntry, { kind: "apply-data" | "apply-end" | "apply-opaque" }>,
    stat: Stats,
  ): string | undefined {
    switch (entry.kind) {
      case "apply-directory":
        if (!stat.isDirectory()) return "is no directory";
        break;
      case "apply-file":
        if (!stat.isFile()) return "is no file";
        if (BigInt(stat.size) !== entry.size) return `has ${stat.size} bytes instead of ${entry.size}`;
        break;
      case "apply-symlink":
        return stat.isSymbolicLink() ? undefined : "is no symbolic link";
      case "apply-hardlink": {
        const other = lstatSync(join(this.#root, entry.target), { throwIfNoEntry: false });
        return other === undefined || other.ino === stat.ino ? undefined : `is not the same file as "${entry.target}"`;
      }
      case "apply-whiteout":
        return stat.isCharacterDevice() ? undefined : "does not hide what is below it";
      case "apply-node":
        if (stat.isFile() || stat.isDirectory() || stat.isSymbolicLink()) return "is no special file";
        break;
    }
    // A special file's mode has its type in it.
    const [mode, wanted] = [stat.mode & 0o7777, entry.mode & 0o7777];
    if (mode !== wanted) return `has mode ${mode.toString(8)} instead of ${wanted.toString(8)}`;
    if (stat.uid !== entry.uid || stat.gid !== entry.gid) {
      return `belongs to ${stat.uid}:${stat.gid} instead of ${entry.uid}:${entry.gid}`;
    }
    return undefined;
  }

  #open(path: string): void {
    this.#close();
    try {
      const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
      this.#file = { path, descriptor: openSync(join(this.#root, path), flags) };
    } catch (error) {
      this.#wrong.set(path, `cannot be read (${(error as NodeJS.ErrnoException).code})`);
    }
  }

  #compareData(offset: number, data: Uint8Array): void {
    const file = this.#file;
    if (file === undefined || this.#wrong.has(file.path)) return;
    const found = Buffer.allocUnsafe(data.length);
    try {
      const length = readSync(file.descriptor, found, 0, data.length, offset);
      if (!found.subarray(0, length).equals(data)) this.#wrong.set(file.path, "has other content");
    } catch (error) {
      this.#wrong.set(file.path, `cannot be read (${(error as NodeJS.ErrnoException).code})`);
    }
  }

  #close(): void {
    if (this.#file !== undefined) closeSync(this.#file.descriptor);
    this.#file = undefined;
  }

  #forgetBelow(path: string): void {
    for (const wrong of this.#wrong.keys()) if (wrong.startsWith(`${path}/`)) this.#wrong.delete(wrong);
  }

  /** Whether a path leads through directories only: a link of the image's is followed in its root, which this does not. */
  #isPlain(directory: string): boolean {
    const known = this.#plain.get(directory);
    if (known !== undefined) return known;
    const stat = lstatSync(join(this.#root, directory), { throwIfNoEntry: false });
    const plain = this.#isPlain(dirname(directory)) && !(stat?.isSymbolicLink() ?? false);
    this.#plain.set(directory, plain);
    return plain;
  }

  async finish(): Promise<void> {
    this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
  }
}
