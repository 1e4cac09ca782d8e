import { constants } from "node:fs";
import { type FileHandle, open, readdir, rename, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { digestHex, type Digest } from "#spec";
import { currentOwner, isOwnerAlive } from "./owner.ts";
import { lockSuffix } from "./writer-lock.ts";

const readSize = 1024 * 1024;
const partialSuffix = ".partial";
let counter = 0;

/**
 * A blob's temporary file. While a process writes it, it is `<hex>.<owner>.<number>`; when the process gives up it becomes
 * `<hex>.partial`. The next ingest of the blob takes over either that or the file of a dead process, by renaming it,
 * which only one can do.
 */
export class Ingest implements AsyncDisposable {
  readonly #directory: string;
  readonly #name: string | undefined;
  readonly #path: string;
  readonly #handle: FileHandle;
  /** Bytes that were in the file when it was opened. */
  readonly offset: number;
  #position: number;
  #done = false;

  private constructor(directory: string, name: string | undefined, path: string, handle: FileHandle, offset: number) {
    this.#directory = directory;
    this.#name = name;
    this.#path = path;
    this.#handle = handle;
    this.offset = offset;
    this.#position = offset;
  }

  /** @param digest undefined when it is not known yet; such an ingest cannot be taken up again */
  static async open(directory: string, digest: Digest | undefined): Promise<Ingest> {
    const name = digest === undefined ? undefined : digestHex(digest);
    counter += 1;
    const path = join(directory, `${name ?? "new"}.${currentOwner()}.${counter}`);
    if (name !== undefined) await adopt(directory, name, path);
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    const { size } = await handle.stat();
    return new Ingest(directory, name, path, handle, size);
  }

  /** What was in the file when it was opened. */
  async *replay(): AsyncGenerator<Uint8Array> {
    for (let position = 0; position < this.offset;) {
      const buffer = Buffer.allocUnsafeSlow(Math.min(readSize, this.offset - position));
      const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  /** Appends. One call at a time. */
  async write(chunk: Uint8Array): Promise<void> {
    for (let done = 0; done < chunk.length;) {
      const { bytesWritten } = await this.#handle.write(chunk, done, chunk.length - done, this.#position);
      done += bytesWritten;
      this.#position += bytesWritten;
    }
  }

  /** Makes the file a blob, durably. */
  async commit(target: string): Promise<void> {
    await this.#handle.datasync();
    await this.publish(target);
    await syncDirectory(dirname(target));
  }

  /** Makes the file a blob, which a power cut may damage until it is flushed. */
  async publish(target: string): Promise<void> {
    await rename(this.#path, target);
    this.#done = true;
  }

  /** Removes the file. */
  async discard(): Promise<void> {
    this.#done = true;
    await unlink(this.#path);
  }

  /** Closes the file. One that was neither committed nor discarded is kept for the next try, if that can use it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
    if (this.#done) return;
    if (this.#name === undefined || this.#position === 0) await unlink(this.#path);
    else await rename(this.#path, join(this.#directory, this.#name + partialSuffix));
  }
}

async function adopt(directory: string, name: string, path: string): Promise<void> {
  for (const entry of await readdir(directory)) {
    if (!entry.startsWith(name) || entry.endsWith(lockSuffix) || !isLeftover(entry)) continue;
    try {
      await rename(join(directory, entry), path);
      return;
    } catch {
      // Another process was faster.
    }
  }
}

/** Whether no living process works on an ingest, by its file's name. */
export function isLeftover(entry: string): boolean {
  if (entry.endsWith(partialSuffix)) return true;
  return !isOwnerAlive(entry.split(".")[1] ?? "");
}

/** Makes a rename or unlink in the directory durable. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
