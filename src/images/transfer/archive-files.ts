/** Reads an archive's files into the content store as they come: what an image needs is found when all are there. */
import { TarReader, defaultLimits, type TarEntry } from "#archive";
import type { ContentStore, Expected } from "#content";
import { invalidArgument, resourceExhausted } from "#errdefs";
import { isDigest, defaultDocumentSize, maxLayerSize, type Compression, type Digest } from "#spec";
import type { Key, Lease } from "../leases.ts";
import { plainStream, sniff } from "./plain-stream.ts";

export interface ArchiveFile extends Expected {
  /** How its content begins. */
  readonly compression: Compression;
}

export interface ArchiveTools {
  readonly content: ContentStore;
  readonly lease: Pick<Lease, "use">;
}

const archiveLimits = { ...defaultLimits, entries: 100_000 };
const maxLinks = 16;
const action = "load the archive";
/** Files that say what is in the archive. */
const lists: ReadonlySet<string> = new Set(["manifest.json", "index.json", "oci-layout"]);

export class ArchiveFiles {
  readonly #files = new Map<string, ArchiveFile>();
  readonly #links = new Map<string, string>();
  readonly #tools: ArchiveTools;
  /** What this made in the store. */
  readonly made: Key[];

  private constructor(tools: ArchiveTools, made: Key[]) {
    this.#tools = tools;
    this.made = made;
  }

  /**
   * Reads a tar, which may be compressed with gzip or zstd, to its end.
   *
   * @param made gets all that is new in the store, also when this fails
   * @throws SampanError `data-loss` (damaged, or not what its name says), `invalid-argument` (no archive of images, paths
   * that lead out of it, two files of one name), `resource-exhausted`
   */
  static async read(
    stream: AsyncIterable<Uint8Array>,
    tools: ArchiveTools,
    made: Key[],
    signal: AbortSignal,
  ): Promise<ArchiveFiles> {
    const files = new ArchiveFiles(tools, made);
    const tar = new TarReader(plainStream(stream, action), archiveLimits);
    try {
      for (let entry = await tar.next(); entry !== undefined; entry = await tar.next()) {
        signal.throwIfAborted();
        await files.#take(entry, tar, signal);
      }
      await tar.drain();
    } finally {
      await tar.close();
    }
    return files;
  }

  async #take(entry: TarEntry, tar: TarReader, signal: AbortSignal): Promise<void> {
    const path = normalize(entry.name, "");
    if (path === undefined) throw invalidArgument(`Cannot load the archive: its path "${entry.name}" leads out of it`);
    if (entry.type === "directory") return;
    if (this.#files.has(path) || this.#links.has(path)) {
      throw invalidArgument(`Cannot load the archive: it has two files "${path}"`);
    }
    if (entry.type === "symlink" || entry.type === "hardlink") {
      const base = entry.type === "hardlink" ? "" : path.slice(0, path.lastIndexOf("/") + 1);
      const target = normalize(entry.linkname, base);
      if (target === undefined) throw invalidArgument(`Cannot load the archive: its link "${path}" leads out of it`);
      this.#links.set(path, target);
      return;
    }
    if (entry.type !== "file") throw invalidArgument(`Cannot load the archive: "${path}" is no file`);
    // Lists are read whole later: what is too large for that need not be stored first.
    if (lists.has(path) && entry.size > defaultDocumentSize) {
      throw resourceExhausted(
        `Cannot load the archive: "${path}" has ${entry.size} bytes, at most ${defaultDocumentSize} are allowed`,
      );
    }
    if (entry.size > maxLayerSize) {
      throw resourceExhausted(
        `Cannot load the archive: "${path}" has ${entry.size} bytes, at most ${maxLayerSize} are allowed`,
      );
    }
    this.#files.set(path, await this.#store(path, entry.size, tar, signal));
  }

  async #store(path: string, size: number, tar: TarReader, signal: AbortSignal): Promise<ArchiveFile> {
    const { content, lease } = this.#tools;
    const { compression, all } = await sniff(contentOf(tar, size, path), action);
    const named = /^blobs\/(sha256|sha512)\/([0-9a-f]+)$/.exec(path);
    const digest = named === null ? "" : `${named[1]}:${named[2]}`;
    if (isDigest(digest)) {
      await lease.use([digest], signal);
      if (!content.has(digest)) {
        this.made.push(digest);
        await content.write({ digest, size }, (offset) => skip(all, offset));
      }
      return { digest, size, compression };
    }
    return { ...(await this.add(all, signal)), compression };
  }

  /** Stores bytes that the archive names otherwise than by their digest, or that are made of it. */
  async add(source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<Expected> {
    const { content, lease } = this.#tools;
    const stored = await content.add(source, async (digest) => await lease.use([digest], signal));
    this.made.push(stored.digest);
    return stored;
  }

  has(path: string): boolean {
    return this.#resolve(path) !== undefined;
  }

  /** A file by its path, links followed. */
  file(path: string): ArchiveFile {
    const file = this.#resolve(path);
    if (file !== undefined) return file;
    throw invalidArgument(`Cannot load the archive: it has no file "${path}"`, { remedy: "The archive is incomplete" });
  }

  #resolve(path: string): ArchiveFile | undefined {
    let at = normalize(path, "");
    for (let links = 0; at !== undefined && links <= maxLinks; links++) {
      const file = this.#files.get(at);
      if (file !== undefined) return file;
      at = this.#links.get(at);
    }
    return undefined;
  }

  /** A file that is text, and no longer than a manifest may be. */
  async text(path: string): Promise<string> {
    const bytes = await this.#tools.content.readBytes(this.file(path).digest, defaultDocumentSize);
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  }

  get digests(): readonly Digest[] {
    return [...this.#files.values()].map(({ digest }) => digest);
  }
}

/** A path within the archive, or undefined for one that leads out of it. */
function normalize(path: string, base: string): string | undefined {
  if (path.startsWith("/")) return undefined;
  const parts: string[] = [];
  for (const part of `${base}${path}`.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join("/");
}

/** How a stream is compressed, by its first bytes; and all of the stream. */
/** The current entry's bytes. A hole, of which one could have terabytes, is in no archive of images. */
async function* contentOf(tar: TarReader, size: number, path: string): AsyncGenerator<Uint8Array> {
  let position = 0;
  for (let part = await tar.read(); part !== undefined; part = await tar.read()) {
    if (part.offset !== position) break;
    yield part.data;
    position += part.data.length;
  }
  if (position !== size) throw invalidArgument(`Cannot load the archive: "${path}" has holes`);
}

/** The first bytes are in an earlier try's file already. */
async function* skip(source: AsyncIterable<Uint8Array>, offset: number): AsyncGenerator<Uint8Array> {
  let left = offset;
  for await (const chunk of source) {
    if (left < chunk.length) yield left === 0 ? chunk : chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}
