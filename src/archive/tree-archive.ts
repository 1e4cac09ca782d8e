/** A tree of files as a tar archive, as it is walked: nothing is kept but the part that is being written. */
import type { FoundFile } from "#keel";
import { padding } from "./header.ts";
import { segmentParts } from "./segments.ts";
import type { Segment } from "./sparse.ts";
import { archiveEnd, encodeHeader, type NewEntry } from "./tar-header.ts";
import type { EntryType } from "./tar-reader.ts";

/** What a walk gives (`TreeEvent` of `#keel`); a file's path is its name in the archive. */
export type ArchiveEvent =
  | { readonly kind: "file"; readonly file: FoundFile }
  | { readonly kind: "data"; readonly data: Uint8Array }
  | { readonly kind: "end" };

export interface TreeArchiveOptions {
  /** Files with holes of this many bytes or more are written without them; 1 by default. */
  readonly sparseFrom?: number;
  /** Later times become this one: seconds since the epoch. */
  readonly latest?: bigint | undefined;
  /** Of something that an archive cannot have, or has not as it is now. */
  readonly onNote?: ((path: string, note: Note) => void) | undefined;
}

export type Note = "socket" | "shorter";

export const fileType = {
  mask: 0o170000,
  socket: 0o140000,
  symlink: 0o120000,
  file: 0o100000,
  block: 0o060000,
  directory: 0o040000,
  character: 0o020000,
  fifo: 0o010000,
} as const;

const types: ReadonlyMap<number, EntryType> = new Map([
  [fileType.symlink, "symlink"],
  [fileType.file, "file"],
  [fileType.block, "block"],
  [fileType.directory, "directory"],
  [fileType.character, "character"],
  [fileType.fifo, "fifo"],
]);

/** Of the host, or of a layer on it, and not of the file. */
const notArchived = /^(?:(?:trusted|user)\.overlay\.|security\.(?:selinux|ima|evm|apparmor|SMACK64))/;

/** Whether an extended attribute goes with its file. */
export const isArchived = ({ name }: { readonly name: string }): boolean => !notArchived.test(name);

/** Small parts are given together, when they are this many bytes. */
const batchSize = 64 * 1024;
const zeros = new Uint8Array(batchSize);

/**
 * Gives an archive's bytes. Sockets are left out. A file that becomes shorter while it is read is filled up with zeros, since
 * its size stands before its content.
 *
 * @returns chunks of any size; each stays as it is
 */
export async function* archiveTree(
  events: AsyncIterable<ArchiveEvent>,
  options: TreeArchiveOptions = {},
): AsyncGenerator<Uint8Array, void, void> {
  const { sparseFrom = 1, latest, onNote } = options;
  const batch = new Batch();
  let content: Content | undefined;
  let skipped = false;
  for await (const event of events) {
    if (event.kind === "file") {
      content = undefined;
      const { file } = event;
      const type = types.get(file.mode & fileType.mask);
      skipped = type === undefined;
      if (type === undefined) {
        onNote?.(file.path, "socket");
        continue;
      }
      const segments = partsOf(file, sparseFrom);
      const entry = newEntry(file, file.link === "" ? type : "hardlink", segments, latest);
      const { blocks, storedSize } = encodeHeader(entry);
      batch.add(blocks);
      if (storedSize > 0) content = new Content(file, segments !== undefined, storedSize);
    } else if (skipped) continue;
    else if (event.kind === "data") {
      for (const part of content?.take(event.data) ?? []) batch.add(part);
    } else if (content !== undefined) {
      if (content.isShort) onNote?.(content.path, "shorter");
      // Its holes at the end may be large: they go out as they are made.
      for (const part of content.rest()) {
        batch.add(part);
        if (batch.isFull) yield* batch.take();
      }
      content = undefined;
    }
    if (batch.isFull) yield* batch.take();
  }
  batch.add(archiveEnd);
  yield* batch.take();
}

function newEntry(
  file: FoundFile,
  type: EntryType,
  segments: readonly Segment[] | undefined,
  latest: bigint | undefined,
): NewEntry {
  const late = latest !== undefined && file.seconds >= latest;
  return {
    type,
    name: file.path === "." ? "./" : file.path,
    linkname: type === "hardlink" ? file.link : file.target,
    mode: file.mode & 0o7777,
    uid: file.uid,
    gid: file.gid,
    modified: late ? { seconds: latest, nanoseconds: 0 } : { seconds: file.seconds, nanoseconds: file.nanoseconds },
    major: file.major,
    minor: file.minor,
    xattrs: file.xattrs.filter(isArchived).toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)),
    size: type === "file" ? Number(file.size) : 0,
    segments,
  };
}

/** What is stored of a file without its holes; undefined for a file that is stored whole. */
function partsOf(file: FoundFile, sparseFrom: number): readonly Segment[] | undefined {
  if ((file.mode & fileType.mask) !== fileType.file || file.link !== "") return undefined;
  const size = Number(file.size);
  const parts = file.segments.map((s) => ({ offset: Number(s.offset), size: Number(s.size) }));
  const data = parts.reduce((sum, part) => sum + part.size, 0);
  if (size - data < sparseFrom) return undefined;
  const end = parts.at(-1);
  // GNU tar takes the end of the last part for the file's.
  return (end?.offset ?? 0) + (end?.size ?? 0) === size && end !== undefined
    ? parts
    : [...parts, { offset: size, size: 0 }];
}

/** Content of one file on its way: with its holes as zeros, or without them. */
class Content {
  readonly path: string;
  readonly #parts: ReturnType<typeof segmentParts>;
  readonly #sparse: boolean;
  readonly #size: number;
  /** Bytes of the file (not sparse) or of the stored data (sparse) that were given. */
  #given = 0;
  #data = 0;
  readonly #wanted: number;
  readonly #storedSize: number;

  constructor(file: FoundFile, sparse: boolean, storedSize: number) {
    this.path = file.path;
    this.#sparse = sparse;
    this.#size = Number(file.size);
    this.#parts = segmentParts(file.segments);
    this.#wanted = file.segments.reduce((sum, { size }) => sum + Number(size), 0);
    this.#storedSize = storedSize;
  }

  get isShort(): boolean {
    return this.#data < this.#wanted;
  }

  /** Data of a walk comes in the order of the segments, and may cross from one into the next. */
  *take(data: Uint8Array): Generator<Uint8Array> {
    this.#data += data.length;
    if (this.#sparse) {
      this.#given += data.length;
      yield data;
      return;
    }
    for (const { offset, data: part } of this.#parts(data)) {
      yield* this.#fill(Number(offset));
      this.#given += part.length;
      yield part;
    }
  }

  *#fill(to: number): Generator<Uint8Array> {
    while (this.#given < to) {
      const part = zeros.subarray(0, to - this.#given);
      this.#given += part.length;
      yield part;
    }
  }

  /** What is missing up to the end, and padding. */
  *rest(): Generator<Uint8Array> {
    yield* this.#fill(this.#sparse ? this.#wanted : this.#size);
    yield zeros.subarray(0, padding(this.#storedSize));
  }
}

/** Puts small parts together; large ones pass as they are. */
class Batch {
  #parts: Uint8Array[] = [];
  #size = 0;

  add(part: Uint8Array): void {
    if (part.length === 0) return;
    this.#parts.push(part);
    this.#size += part.length;
  }

  get isFull(): boolean {
    return this.#size >= batchSize;
  }

  *take(): Generator<Uint8Array> {
    const parts = this.#parts;
    this.#parts = [];
    this.#size = 0;
    let small: Uint8Array[] = [];
    for (const part of parts) {
      if (part.length < batchSize / 2) {
        small.push(part);
        continue;
      }
      if (small.length > 0) yield Buffer.concat(small);
      small = [];
      yield part;
    }
    if (small.length > 0) yield Buffer.concat(small);
  }
}
