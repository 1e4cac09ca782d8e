/**
 * Headers of tar archives that are written: POSIX ustar, with a PAX header before it for what ustar has no room for. Sparse
 * files are in GNU's format 1.0, which GNU tar, bsdtar and Go read.
 */
import type { EntryType } from "./tar-reader.ts";
import { blockSize, padding } from "./header.ts";
import type { Time } from "./numbers.ts";
import type { Segment } from "./sparse.ts";
import { encodeName } from "./text.ts";

/** What is to be written; names as `decodeName` gives them. */
export interface NewEntry {
  readonly type: EntryType;
  /** A directory's gets a slash at its end. */
  readonly name: string;
  readonly linkname: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modified: Time;
  readonly major: number;
  readonly minor: number;
  readonly xattrs: readonly { readonly name: string; readonly value: Uint8Array }[];
  /** Bytes of a file, holes counted. */
  readonly size: number;
  /** Of a file that is written without its holes: what follows the header. */
  readonly segments?: readonly Segment[] | undefined;
}

const flags: Readonly<Record<EntryType, string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  character: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};

const nameField = 100;
const prefixField = 155;

type Value = string | Uint8Array;

/** Collects the records of a PAX header. */
class Records {
  readonly #parts: Buffer[] = [];

  add(key: string, value: Value): void {
    const body = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value as string), Buffer.from("\n")]);
    // The length counts its own digits.
    let length = body.length + 1;
    while (length !== body.length + String(length).length) length = body.length + String(length).length;
    this.#parts.push(Buffer.from(String(length)), body);
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  get data(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** The header blocks of an entry; its content, `storedSize` bytes and padding, comes behind them. */
export function encodeHeader(entry: NewEntry): { readonly blocks: Buffer; readonly storedSize: number } {
  const records = new Records();
  const { segments } = entry;
  const map = segments === undefined ? undefined : sparseMap(segments);
  const data = segments === undefined ? entry.size : segments.reduce((sum, { size }) => sum + size, 0);
  const storedSize = entry.type === "file" ? data + (map?.length ?? 0) : 0;
  const bytes = encodeName(entry.type === "directory" && !entry.name.endsWith("/") ? `${entry.name}/` : entry.name);
  const block = Buffer.alloc(blockSize);

  if (map === undefined) putName(block, bytes, records);
  else {
    records.add("GNU.sparse.major", "1");
    records.add("GNU.sparse.minor", "0");
    records.add("GNU.sparse.name", bytes);
    records.add("GNU.sparse.realsize", String(entry.size));
    Buffer.concat([Buffer.from("GNUSparseFile.0/"), bytes]).copy(block, 0, 0, nameField);
  }
  const link = encodeName(entry.linkname);
  if (link.length > nameField || !isPlain(link)) addName("linkpath", link, records);
  link.copy(block, 157, 0, nameField);
  putNumber(block, 100, 8, entry.mode & 0o7777);
  putNumber(block, 108, 8, entry.uid, records, "uid");
  putNumber(block, 116, 8, entry.gid, records, "gid");
  putNumber(block, 124, 12, storedSize, records, "size");
  putTime(block, entry.modified, records);
  block.write(flags[entry.type], 156, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  if (entry.type === "character" || entry.type === "block") {
    putNumber(block, 329, 8, entry.major);
    putNumber(block, 337, 8, entry.minor);
  }
  for (const { name, value } of entry.xattrs)
    records.add(`SCHILY.xattr.${name.replace(/%/g, "%25").replace(/=/g, "%3D")}`, value);
  seal(block);
  return { blocks: Buffer.concat([...paxHeader(records), block, ...(map === undefined ? [] : [map])]), storedSize };
}

/** What ends an archive. */
export const archiveEnd: Uint8Array = new Uint8Array(2 * blockSize);

/** Only names in ASCII mean the same to all readers of a ustar header. */
const isPlain = (name: Buffer): boolean => name.every((byte) => byte > 0 && byte < 0x80);

function putName(block: Buffer, name: Buffer, records: Records): void {
  if (name.length <= nameField) {
    name.copy(block);
    if (!isPlain(name)) addName("path", name, records);
    return;
  }
  // At a slash that has no more than fits behind it and before it.
  const slash = name.indexOf(0x2f, name.length - nameField - 1);
  if (slash > 0 && slash <= prefixField && slash < name.length - 1 && isPlain(name)) {
    name.copy(block, 345, 0, slash);
    name.copy(block, 0, slash + 1);
    return;
  }
  name.copy(block, 0, 0, nameField);
  addName("path", name, records);
}

/** POSIX wants UTF-8 there, unless the header says that it is not. */
function addName(key: "path" | "linkpath", name: Buffer, records: Records): void {
  if (!name.equals(Buffer.from(name.toString("utf8")))) records.add("hdrcharset", "BINARY");
  records.add(key, name);
}

/** Octal; where that has no room, base 256 as well as a record. */
function putNumber(block: Buffer, at: number, size: number, value: number, records?: Records, key?: string): void {
  const octal = value.toString(8);
  if (octal.length < size) {
    block.write(octal.padStart(size - 1, "0"), at, "latin1");
    return;
  }
  if (key !== undefined) records?.add(key, String(value));
  let left = BigInt(value);
  for (let i = at + size - 1; i >= at; i -= 1) {
    block[i] = Number(left & 0xffn);
    left >>= 8n;
  }
  block[at] = (block[at] ?? 0) | 0x80;
}

function putTime(block: Buffer, { seconds, nanoseconds }: Time, records: Records): void {
  const fits = seconds >= 0n && seconds < 0o100000000000n;
  block.write((fits ? seconds : 0n).toString(8).padStart(11, "0"), 136, "latin1");
  if (fits && nanoseconds === 0) return;
  const negative = seconds < 0n && nanoseconds > 0;
  const whole = negative ? seconds + 1n : seconds;
  const part = negative ? 1_000_000_000 - nanoseconds : nanoseconds;
  const sign = negative && whole === 0n ? "-" : "";
  const fraction = part === 0 ? "" : `.${String(part).padStart(9, "0").replace(/0+$/, "")}`;
  records.add("mtime", `${sign}${whole}${fraction}`);
}

function seal(block: Buffer): void {
  block.fill(0x20, 148, 156);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
}

function paxHeader(records: Records): readonly Buffer[] {
  if (records.isEmpty) return [];
  const { data } = records;
  const block = Buffer.alloc(blockSize);
  block.write("PaxHeaders/entry", 0, "latin1");
  putNumber(block, 100, 8, 0o644);
  for (const at of [108, 116]) putNumber(block, at, 8, 0);
  putNumber(block, 124, 12, data.length);
  putNumber(block, 136, 12, 0);
  block.write("x", 156, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  seal(block);
  return [block, data, Buffer.alloc(padding(data.length))];
}

/** Decimal numbers, one a line, the first their count in pairs; whole blocks. A hole at the end is a part of no bytes. */
function sparseMap(segments: readonly Segment[]): Buffer {
  const lines = [segments.length, ...segments.flatMap(({ offset, size }) => [offset, size])];
  const text = Buffer.from(lines.map((line) => `${line}\n`).join(""));
  return Buffer.concat([text, Buffer.alloc(padding(text.length))]);
}
