/**
 * A streaming reader of tar archives: ustar, GNU and PAX, with long names, large numbers, extended attributes and sparse
 * files. It trusts nothing: every length is checked before it is used, and what is malformed, cut short or beyond a limit
 * ends with an error that says at which byte and entry.
 *
 * Where programs differ in how they read an archive it reads what Go's `archive/tar` reads, as images are made for that:
 * an image must not look one way to a scanner and another way to us.
 */
import { dataLoss, invalidArgument, resourceExhausted, type SampanError } from "#errdefs";
import { decodeName } from "#keel";
import { ByteSource } from "./byte-source.ts";
import { noExtended, readRecords, type Extended } from "./extended.ts";
import { blockSize, field, isZero, padding, parseHeader, type Header } from "./header.ts";
import type { ArchiveLimits } from "./limits.ts";
import { headerNumber, type Time } from "./numbers.ts";
import { parsePax } from "./pax.ts";
import { oldSegments, pairs, sparseProblem, type Segment, type SparseMap } from "./sparse.ts";
import { quote } from "./text.ts";

export type EntryType = "file" | "directory" | "symlink" | "hardlink" | "character" | "block" | "fifo";

export interface TarEntry {
  readonly type: EntryType;
  /** As stored, by `decodeName`. */
  readonly name: string;
  readonly linkname: string;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modified: Time;
  readonly major: number;
  readonly minor: number;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  /** Bytes of the whole file, holes counted; 0 for what is no file. */
  readonly size: number;
}

export interface TarData {
  /** Position in the file. */
  readonly offset: number;
  /** A view of the stream's own memory. */
  readonly data: Uint8Array;
}

/** Largest part that {@link TarReader.read} gives at once; keel takes no more. */
const partSize = 1024 * 1024;
const maxId = 0xffff_fffe;

const types: ReadonlyMap<string, EntryType> = new Map([
  ["0", "file"],
  ["\0", "file"],
  ["7", "file"],
  ["S", "file"],
  ["1", "hardlink"],
  ["2", "symlink"],
  ["3", "character"],
  ["4", "block"],
  ["5", "directory"],
  ["6", "fifo"],
]);

/** Where a header has its type, and the type of GNU's sparse files. */
const typeAt = 156;
const sparseType = 0x53;

export class TarReader {
  readonly #source: ByteSource;
  readonly #limits: ArchiveLimits;
  #entries = 0;
  #headerAt = 0;
  #name: string | undefined;
  #total = 0;
  #global: Extended = noExtended;
  /** Content of the current entry that was not read yet, and the padding behind it. */
  #left = 0;
  #padding = 0;
  #segments: readonly Segment[] = [];
  #segment = 0;
  #inSegment = 0;
  /** Of the last header with GNU's old sparse form. */
  #oldMap: SparseMap | undefined;

  constructor(stream: AsyncIterable<Uint8Array>, limits: ArchiveLimits) {
    this.#source = new ByteSource(stream);
    this.#limits = limits;
  }

  /** The next entry, undefined behind the last one. What was not read of the one before is passed over. */
  async next(): Promise<TarEntry | undefined> {
    if (this.#left > 0 && !(await this.#source.skip(this.#left))) throw this.#truncated();
    // Some writers leave out what comes behind the last entry's content; then the archive ends here.
    if (this.#padding > 0) await this.#source.skip(this.#padding);
    this.#left = this.#padding = 0;
    let local: Extended | undefined;
    let longName: Uint8Array | undefined;
    let longLink: Uint8Array | undefined;
    for (;;) {
      const header = await this.#header(local !== undefined || longName !== undefined || longLink !== undefined);
      if (header === undefined) return undefined;
      switch (header.type) {
        case "x":
          local = await this.#records(header, false);
          break;
        case "g":
          this.#global = await this.#records(header, true);
          break;
        case "L":
          longName = await this.#longName(header);
          break;
        case "K":
          longLink = await this.#longName(header);
          break;
        case "V": // a label for the whole archive
          if (!(await this.#source.skip(header.size + padding(header.size)))) throw this.#truncated();
          break;
        default:
          return await this.#entry(header, local ?? this.#global, longName, longLink);
      }
    }
  }

  /** The next part of the current entry's content, undefined behind the last one. */
  async read(): Promise<TarData | undefined> {
    let segment = this.#segments[this.#segment];
    while (segment !== undefined && this.#inSegment === segment.size) {
      this.#segment += 1;
      this.#inSegment = 0;
      segment = this.#segments[this.#segment];
    }
    if (segment === undefined || this.#left === 0) return undefined;
    const data = await this.#source.some(Math.min(segment.size - this.#inSegment, partSize));
    if (data === undefined) throw this.#truncated();
    const offset = segment.offset + this.#inSegment;
    this.#inSegment += data.length;
    this.#left -= data.length;
    return { offset, data };
  }

  /** Reads up to the end of the stream, so that whoever makes it sees (and checks) all of it. */
  async drain(): Promise<void> {
    let left = this.#limits.trailingBytes;
    for (let part = await this.#source.some(partSize); part !== undefined; part = await this.#source.some(partSize)) {
      left -= part.length;
      if (left < 0) throw this.#exceeded("bytes behind its end", this.#limits.trailingBytes);
    }
  }

  /** Lets the stream go, also when it was not read to its end. */
  async close(): Promise<void> {
    await this.#source.close();
  }

  /** Where the reader is, for a message: `entry 3 at byte 1024`. */
  get place(): string {
    return `entry ${this.#entries} at byte ${this.#headerAt}`;
  }

  async #header(expected: boolean): Promise<Header | undefined> {
    const { position } = this.#source;
    if (!(await this.#source.ensure(blockSize))) {
      this.#headerAt = position;
      this.#name = undefined;
      // Some leave the two zero blocks out too. A layer that was cut there has a wrong digest.
      if (this.#source.ready === 0 && !expected) return undefined;
      throw this.#truncated();
    }
    let block = this.#source.take(blockSize);
    if (isZero(block)) {
      if (expected) throw this.#broken("the archive ends where an entry should be");
      if (!(await this.#source.ensure(blockSize))) return undefined;
      if (isZero(this.#source.take(blockSize))) return undefined;
      throw this.#broken("there is one zero block where two end an archive");
    }
    this.#entries += 1;
    this.#headerAt = position;
    this.#name = undefined;
    if (this.#entries > this.#limits.entries) throw this.#exceeded("entries", this.#limits.entries);
    // Its map goes on in further blocks.
    if (block[typeAt] === sparseType) block = new Uint8Array(block);
    const header = parseHeader(block);
    if (typeof header === "string") throw this.#broken(header);
    if (header.type === "S") return this.#oldSparse(header, block);
    this.#segments = [];
    return header;
  }

  async #oldSparse(header: Header, block: Uint8Array): Promise<Header> {
    const segments: Segment[] = [];
    const size = headerNumber(block, 483, 12);
    let more = oldSegments(block, 386, 4, segments);
    let extended = block[482] !== 0;
    while (extended) {
      if (!(await this.#source.ensure(blockSize))) throw this.#truncated();
      const next = this.#source.take(blockSize);
      if (more !== false) more = oldSegments(next, 0, 21, segments);
      extended = next[504] !== 0;
      if (segments.length > this.#limits.segments) throw this.#exceeded("sparse segments", this.#limits.segments);
      if (more === undefined) break;
    }
    if (more === undefined || size === undefined || size < 0)
      throw this.#broken("its sparse map is not a list of numbers");
    this.#oldMap = { segments, size };
    return header;
  }

  async #content(header: Header): Promise<Uint8Array> {
    if (header.size > this.#limits.headerBytes) throw this.#exceeded("bytes of a header", this.#limits.headerBytes);
    const whole = header.size + padding(header.size);
    if (!(await this.#source.ensure(whole))) throw this.#truncated();
    // It is needed until the entry that it is for has been read, from what may be the next chunk.
    return Buffer.from(this.#source.take(whole).subarray(0, header.size));
  }

  async #records(header: Header, global: boolean): Promise<Extended> {
    const records = parsePax(await this.#content(header));
    const extended = typeof records === "string" ? records : readRecords(records, this.#global, global);
    if (typeof extended === "string") throw this.#broken(extended);
    if (extended.xattrs.size > this.#limits.xattrs)
      throw this.#exceeded("extended attributes of one entry", this.#limits.xattrs);
    return extended;
  }

  async #longName(header: Header): Promise<Uint8Array> {
    const content = await this.#content(header);
    return field(content, 0, content.length);
  }

  async #entry(
    header: Header,
    extended: Extended,
    longName: Uint8Array | undefined,
    longLink: Uint8Array | undefined,
  ): Promise<TarEntry> {
    const nameBytes = extended.sparse?.name ?? longName ?? extended.path ?? header.name;
    const linkBytes = longLink ?? extended.linkpath ?? header.linkname;
    for (const bytes of [nameBytes, linkBytes])
      if (bytes.length > this.#limits.nameBytes) throw this.#exceeded("bytes of a name", this.#limits.nameBytes);
    const name = decodeName(nameBytes);
    this.#name = name;
    let type = types.get(header.type);
    if (type === undefined) throw this.#refused(`entries of type ${quote(header.type)} are not supported`);
    // The oldest archives have no type for directories.
    if (header.type === "\0" && name.endsWith("/")) type = "directory";
    const uid = extended.uid ?? header.uid;
    const gid = extended.gid ?? header.gid;
    if (uid < 0 || uid > maxId || gid < 0 || gid > maxId) throw this.#refused("its owner is not a user or group id");
    return {
      type,
      name,
      linkname: decodeName(linkBytes),
      mode: header.mode & 0o7777,
      uid,
      gid,
      modified: extended.mtime ?? { seconds: BigInt(header.mtime), nanoseconds: 0 },
      major: header.major,
      minor: header.minor,
      xattrs: extended.xattrs,
      size: type === "file" ? await this.#openContent(extended.size ?? header.size, header.type, extended) : 0,
    };
  }

  /** Prepares `read`. Returns the size of the whole file. */
  async #openContent(stored: number, headerType: string, extended: Extended): Promise<number> {
    this.#padding = padding(stored);
    let left = stored;
    let map: SparseMap = { segments: [{ offset: 0, size: stored }], size: stored };
    if (headerType === "S" && this.#oldMap !== undefined) map = this.#oldMap;
    else if (extended.sparse !== undefined) {
      const { sparse } = extended;
      let { segments } = sparse;
      if (sparse.inContent) {
        const before = this.#source.position;
        segments = await this.#mapInContent(stored);
        left -= this.#source.position - before;
      }
      map = { segments, size: sparse.size ?? stored };
    }
    if (map.segments.length > this.#limits.segments) throw this.#exceeded("sparse segments", this.#limits.segments);
    const problem = sparseProblem(map, left);
    if (problem !== undefined) throw this.#broken(problem);
    this.#total += Math.max(map.size, stored);
    if (this.#total > this.#limits.totalBytes) throw this.#exceeded("bytes", this.#limits.totalBytes);
    this.#left = left;
    this.#segments = map.segments;
    this.#segment = 0;
    this.#inSegment = 0;
    return map.size;
  }

  /** Format 1.0: decimal numbers, one a line, the first their count in pairs; padded to whole blocks. */
  async #mapInContent(stored: number): Promise<Segment[]> {
    let text = "";
    let blocks = 0;
    const lines: string[] = [];
    let wanted = 1;
    while (lines.length < wanted) {
      blocks += 1;
      if (blocks * blockSize > stored) throw this.#broken("its sparse map is longer than its content");
      if (!(await this.#source.ensure(blockSize))) throw this.#truncated();
      text += Buffer.from(this.#source.take(blockSize)).toString("latin1");
      const parts = text.split("\n");
      text = parts.pop() ?? "";
      lines.push(...parts);
      if (text.length > 20 && lines.length < wanted) throw this.#broken("its sparse map is not a list of numbers");
      const count = lines[0];
      if (count !== undefined) {
        if (!/^[0-9]{1,20}$/.test(count)) throw this.#broken("its sparse map is not a list of numbers");
        if (Number(count) > this.#limits.segments) throw this.#exceeded("sparse segments", this.#limits.segments);
        wanted = 1 + 2 * Number(count);
      }
    }
    const segments = pairs(lines.slice(1, wanted));
    if (segments === undefined) throw this.#broken("its sparse map is not a list of numbers");
    return segments;
  }

  #where(): string {
    return `Cannot read the archive at byte ${this.#headerAt} (entry ${this.#entries}${this.#name === undefined ? "" : `, ${quote(this.#name)}`})`;
  }

  #truncated(): SampanError {
    const { position, ready } = this.#source;
    return dataLoss(`${this.#where()}: it is cut short after ${position + ready} bytes`);
  }

  #broken(state: string): SampanError {
    return dataLoss(`${this.#where()}: ${state}`);
  }

  #refused(state: string): SampanError {
    return invalidArgument(`${this.#where()}: ${state}`);
  }

  #exceeded(what: string, limit: number): SampanError {
    return resourceExhausted(`${this.#where()}: more than ${limit} ${what}`, {
      remedy: "Check where the image comes from; no ordinary layer needs this",
    });
  }
}
