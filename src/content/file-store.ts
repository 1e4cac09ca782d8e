import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, renameSync, statSync, unlinkSync, utimesSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { dataLoss, isSampanError, notFound, resourceExhausted } from "#errdefs";
import { digestAlgorithm, digestHex, isDigest, type Digest, type DigestAlgorithm } from "#spec";
import { Ingest, isLeftover } from "./ingest.ts";
import type { BlobSource, CleanedIngests, ContentStore, Expected, OnVisible } from "./store.ts";
import { isLocked, lockSuffix, WriterLock } from "./writer-lock.ts";

const readSize = 1024 * 1024;
const algorithms: readonly DigestAlgorithm[] = ["sha256", "sha512"];

/**
 * Opens the store at `<root>/content`, made when it is missing: `blobs/<algorithm>/<hex>`, as in an OCI image layout, and
 * `ingest/`. Any number of processes may have it open.
 */
export function openContentStore(root: string): ContentStore {
  return new FileContentStore(join(root, "content"));
}

class FileContentStore implements ContentStore {
  readonly directory: string;
  readonly #blobs: string;
  readonly #ingests: string;
  /** Blobs that are being written by this process; settles when the writer is done, well or not. */
  readonly #running = new Map<Digest, Promise<void>>();

  constructor(directory: string) {
    this.directory = directory;
    this.#blobs = join(directory, "blobs");
    this.#ingests = join(directory, "ingest");
    mkdirSync(this.#ingests, { recursive: true, mode: 0o700 });
    for (const algorithm of algorithms) mkdirSync(join(this.#blobs, algorithm), { recursive: true, mode: 0o700 });
  }

  has(digest: Digest): boolean {
    return this.size(digest) !== undefined;
  }

  size(digest: Digest): number | undefined {
    return statSync(this.#path(digest), { throwIfNoEntry: false })?.size;
  }

  async readBytes(digest: Digest, limit: number): Promise<Uint8Array> {
    const handle = await this.#open(digest);
    try {
      const { size } = await handle.stat();
      if (size > limit) {
        throw resourceExhausted(`Cannot read blob "${digest}": it has ${size} bytes, at most ${limit} are allowed`);
      }
      const bytes = await handle.readFile();
      const actual = createHash(digestAlgorithm(digest)).update(bytes).digest("hex");
      if (actual === digestHex(digest)) return bytes;
      throw dataLoss(`Cannot read blob "${digest}": the bytes on disk have digest ${actual}`, {
        path: this.#path(digest),
        remedy: "Remove the image, pull it again, and check the disk",
      });
    } finally {
      await handle.close();
    }
  }

  async *openRead(digest: Digest): AsyncGenerator<Uint8Array> {
    const handle = await this.#open(digest);
    try {
      for (;;) {
        const buffer = Buffer.allocUnsafeSlow(readSize);
        const { bytesRead } = await handle.read(buffer, 0, readSize, null);
        if (bytesRead === 0) return;
        yield bytesRead === readSize ? buffer : buffer.subarray(0, bytesRead);
      }
    } finally {
      await handle.close();
    }
  }

  async write(expected: Expected, source: BlobSource, signal?: AbortSignal, onVisible?: OnVisible): Promise<void> {
    if (this.has(expected.digest)) return;
    for await (const _ of this.tee(expected, source, signal, onVisible)) void _;
  }

  async *tee(
    expected: Expected,
    source: BlobSource,
    signal?: AbortSignal,
    onVisible?: OnVisible,
  ): AsyncGenerator<Uint8Array, void, void> {
    const { digest } = expected;
    for (;;) {
      if (this.has(digest)) {
        yield* this.openRead(digest);
        return;
      }
      const other = this.#running.get(digest);
      if (other === undefined) break;
      await other;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#running.set(digest, promise);
    try {
      const path = join(this.#ingests, digestHex(digest) + lockSuffix);
      using lock = await WriterLock.take(path, () => this.has(digest), signal);
      if (lock === undefined) yield* this.openRead(digest);
      else yield* this.#ingest(expected, source, onVisible);
    } finally {
      this.#running.delete(digest);
      resolve();
    }
  }

  async *#ingest(
    { digest, size }: Expected,
    source: BlobSource,
    onVisible: OnVisible | undefined,
  ): AsyncGenerator<Uint8Array> {
    await using ingest = await Ingest.open(this.#ingests, digest);
    const hash = createHash(digestAlgorithm(digest));
    try {
      if (ingest.offset > size) throw wrongSize(digest, size, "an earlier try left more");
      for await (const chunk of ingest.replay()) {
        hash.update(chunk);
        yield chunk;
      }
      let position = ingest.offset;
      if (position < size) {
        for await (const chunk of source(position)) {
          position += chunk.length;
          if (position > size) throw wrongSize(digest, size, "more came");
          // The file is written by a thread of the pool while this thread hashes.
          const written = ingest.write(chunk);
          hash.update(chunk);
          await written;
          yield chunk;
        }
      }
      if (position < size) throw wrongSize(digest, size, `only ${position} came`);
      const actual = hash.digest("hex");
      if (actual !== digestHex(digest)) {
        throw dataLoss(`Cannot store blob "${digest}": what came has digest ${digestAlgorithm(digest)}:${actual}`, {
          remedy: "Try again; when it stays, the registry or something on the way changes the data",
        });
      }
      if (onVisible === undefined) await ingest.commit(this.#path(digest));
      else {
        onVisible(digest);
        await ingest.publish(this.#path(digest));
      }
    } catch (error) {
      if (isSampanError(error, "data-loss")) await ingest.discard();
      throw error;
    }
  }

  async add(source: AsyncIterable<Uint8Array>, hold?: (digest: Digest) => Promise<void>): Promise<Expected> {
    await using ingest = await Ingest.open(this.#ingests, undefined);
    const hash = createHash("sha256");
    let size = 0;
    for await (const chunk of source) {
      const written = ingest.write(chunk);
      hash.update(chunk);
      size += chunk.length;
      await written;
    }
    const digest = `sha256:${hash.digest("hex")}` as Digest;
    await hold?.(digest);
    await ingest.commit(this.#path(digest));
    return { digest, size };
  }

  forgetIngests(digest: Digest): void {
    for (const entry of readdirSync(this.#ingests)) {
      if (!entry.startsWith(digestHex(digest)) || entry.endsWith(lockSuffix)) continue;
      if (isLeftover(entry)) unlinkIfThere(join(this.#ingests, entry));
    }
  }

  delete(digest: Digest): boolean {
    return unlinkIfThere(this.#path(digest));
  }

  async verify(digest: Digest, signal?: AbortSignal): Promise<string | undefined> {
    const hash = createHash(digestAlgorithm(digest));
    try {
      for await (const chunk of this.openRead(digest)) {
        signal?.throwIfAborted();
        hash.update(chunk);
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EIO" || code === "EISDIR" || code === "EUCLEAN" || code === "EBADMSG")
        return `it cannot be read (${code})`;
      throw error;
    }
    const actual = hash.digest("hex");
    return actual === digestHex(digest) ? undefined : `its bytes have digest ${digestAlgorithm(digest)}:${actual}`;
  }

  setAside(digest: Digest): string {
    const directory = join(this.directory, "damaged");
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const path = join(directory, `${digestAlgorithm(digest)}-${digestHex(digest)}.${Date.now()}`);
    renameSync(this.#path(digest), path);
    return path;
  }

  strangers(): readonly string[] {
    return algorithms.flatMap((algorithm) =>
      readdirSync(join(this.#blobs, algorithm))
        .filter((hex) => !isDigest(`${algorithm}:${hex}`))
        .map((name) => join(this.#blobs, algorithm, name)),
    );
  }

  *list(): Iterable<Digest> {
    for (const algorithm of algorithms) {
      for (const hex of readdirSync(join(this.#blobs, algorithm))) {
        const digest = `${algorithm}:${hex}`;
        if (isDigest(digest)) yield digest;
      }
    }
  }

  cleanIngests(minimumAge: number): CleanedIngests {
    let [count, bytes] = [0, 0];
    for (const entry of readdirSync(this.#ingests)) {
      const path = join(this.#ingests, entry);
      if (entry.endsWith(lockSuffix)) {
        if (!isLocked(path)) unlinkIfThere(path);
        continue;
      }
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat === undefined || !isLeftover(entry)) continue;
      // Date.now() is whole milliseconds, a file's time is not: one that was just written would be younger than now.
      const age = Date.now() - Math.floor(stat.mtimeMs);
      if (age < minimumAge) {
        // From before the clock was set back: it would be kept for as long as that was.
        if (age < 0) utimesSync(path, new Date(), new Date());
        continue;
      }
      if (!unlinkIfThere(path)) continue;
      count += 1;
      bytes += stat.size;
    }
    return { count, bytes };
  }

  ingests(): CleanedIngests {
    let [count, bytes] = [0, 0];
    for (const entry of readdirSync(this.#ingests)) {
      const stat = lstatSync(join(this.#ingests, entry), { throwIfNoEntry: false });
      if (stat === undefined || entry.endsWith(lockSuffix)) continue;
      count += 1;
      bytes += stat.size;
    }
    return { count, bytes };
  }

  #path(digest: Digest): string {
    return join(this.#blobs, digestAlgorithm(digest), digestHex(digest));
  }

  async #open(digest: Digest): Promise<FileHandle> {
    try {
      return await open(this.#path(digest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      throw notFound(`Cannot read blob "${digest}": it is not in the store`, { path: digest, cause: error });
    }
  }
}

function wrongSize(digest: Digest, size: number, state: string): Error {
  return dataLoss(`Cannot store blob "${digest}": it must have ${size} bytes, ${state}`, {
    remedy: "Try again; when it stays, the registry holds a damaged image",
  });
}

function unlinkIfThere(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}
