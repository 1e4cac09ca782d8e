import { closeSync, openSync, readSync } from "node:fs";
import { unsupported } from "#errdefs";

/** What the dynamic loader needs to know of a program or library (elf(5)). */
export interface ElfFile {
  /** The loader that the program asks for; libraries have none. */
  readonly interpreter: string | undefined;
  /** Names of the libraries that it links to. */
  readonly needed: readonly string[];
  /** Directories to search before the usual ones; may begin with `$ORIGIN`. */
  readonly runPath: readonly string[];
}

const ptLoad = 1;
const ptDynamic = 2;
const ptInterp = 3;
const dtNull = 0;
const dtNeeded = 1;
const dtStringTable = 5;
const dtStringSize = 10;
const dtRpath = 15;
const dtRunpath = 29;
/** Bytes of a program header table, dynamic section or string table that are read at most. */
const maxTable = 4 * 1024 * 1024;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/**
 * Reads the dynamic section of a 64-bit little-endian ELF file, and no more of it than that.
 *
 * @throws SampanError `unsupported` when it is no such file
 */
export function readElf(path: string): ElfFile {
  const file = openSync(path, "r");
  try {
    const read = (offset: number, size: number): Buffer => {
      if (size > maxTable) throw notElf(path);
      const buffer = Buffer.alloc(size);
      if (readSync(file, buffer, 0, size, offset) !== size) throw notElf(path);
      return buffer;
    };
    return parse(path, read);
  } finally {
    closeSync(file);
  }
}

function parse(path: string, read: (offset: number, size: number) => Buffer): ElfFile {
  const header = read(0, 64);
  // Magic, class 64-bit, little endian.
  if (header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2 || header[5] !== 1) throw notElf(path);
  const entrySize = header.readUInt16LE(54);
  const count = header.readUInt16LE(56);
  if (entrySize < 56) throw notElf(path);
  const table = read(Number(header.readBigUInt64LE(32)), entrySize * count);
  const segments = Array.from({ length: count }, (_, index): Segment => {
    const at = index * entrySize;
    return {
      type: table.readUInt32LE(at),
      offset: Number(table.readBigUInt64LE(at + 8)),
      address: Number(table.readBigUInt64LE(at + 16)),
      size: Number(table.readBigUInt64LE(at + 32)),
    };
  });
  const interp = segments.find(({ type }) => type === ptInterp);
  const interpreter = interp && read(interp.offset, interp.size).toString("latin1").replace(/\0.*$/s, "");
  const dynamic = segments.find(({ type }) => type === ptDynamic);
  if (dynamic === undefined) return { interpreter, needed: [], runPath: [] };

  const entries = readDynamic(read(dynamic.offset, dynamic.size));
  const value = (tag: number): number | undefined => entries.find((entry) => entry.tag === tag)?.value;
  const address = value(dtStringTable);
  const load = segments.find(
    (segment) =>
      segment.type === ptLoad &&
      address !== undefined &&
      address >= segment.address &&
      address < segment.address + segment.size,
  );
  if (address === undefined || load === undefined) throw notElf(path);
  const strings = read(load.offset + address - load.address, value(dtStringSize) ?? 0);
  const text = (offset: number): string => strings.toString("latin1", offset, strings.indexOf(0, offset));
  const run = value(dtRunpath) ?? value(dtRpath);
  return {
    interpreter,
    needed: entries.filter(({ tag }) => tag === dtNeeded).map((entry) => text(entry.value)),
    runPath: run === undefined ? [] : text(run).split(":"),
  };
}

function readDynamic(section: Buffer): readonly { tag: number; value: number }[] {
  const entries: { tag: number; value: number }[] = [];
  for (let at = 0; at + 16 <= section.length; at += 16) {
    const tag = Number(section.readBigInt64LE(at));
    if (tag === dtNull) break;
    entries.push({ tag, value: Number(section.readBigUInt64LE(at + 8)) });
  }
  return entries;
}

function notElf(path: string): Error {
  return unsupported(`Cannot read "${path}": it is no 64-bit little-endian ELF file`, { path });
}
