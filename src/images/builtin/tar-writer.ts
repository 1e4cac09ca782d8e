import { open } from "node:fs/promises";
import { internal } from "#errdefs";

/** An entry of a tar archive to be written; owned by root. */
export type TarEntry =
  | { readonly kind: "directory"; readonly path: string; readonly mode: number; readonly owner?: number }
  | { readonly kind: "symlink"; readonly path: string; readonly target: string }
  | { readonly kind: "bytes"; readonly path: string; readonly mode: number; readonly bytes: Uint8Array }
  /** Content of a host file, which must have `size` bytes. */
  | {
      readonly kind: "file";
      readonly path: string;
      readonly mode: number;
      readonly source: string;
      readonly size: number;
    };

const block = 512;
const chunkSize = 1024 * 1024;

/**
 * Writes a POSIX ustar archive. A chunk is good until the next one is asked for.
 *
 * @param modified seconds since the epoch, for every entry
 * @throws SampanError `internal` for a path that ustar cannot hold, or a file that became shorter
 */
export async function* writeTar(entries: readonly TarEntry[], modified: number): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(chunkSize);
  for (const entry of entries) {
    yield header(entry, modified);
    const size = sizeOf(entry);
    if (entry.kind === "bytes") yield entry.bytes;
    if (entry.kind === "file") {
      await using file = await open(entry.source);
      for (let position = 0; position < size;) {
        const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, size - position), position);
        if (bytesRead === 0) throw internal(`Cannot archive "${entry.source}": it changes`, { path: entry.source });
        position += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    }
    if (size % block !== 0) yield Buffer.alloc(block - (size % block));
  }
  yield Buffer.alloc(2 * block);
}

function sizeOf(entry: TarEntry): number {
  if (entry.kind === "bytes") return entry.bytes.length;
  return entry.kind === "file" ? entry.size : 0;
}

/** The header block of an entry; sizes from 8 GiB on are in base 256, as GNU has them and all read it. */
export function header(entry: TarEntry, modified: number): Buffer {
  const buffer = Buffer.alloc(block);
  const octal = (value: number, offset: number, length: number): void => {
    buffer.write(value.toString(8).padStart(length - 1, "0"), offset, "latin1");
  };
  const { name, prefix } = splitPath(entry.kind === "directory" ? `${entry.path}/` : entry.path);
  const owner = entry.kind === "directory" ? (entry.owner ?? 0) : 0;
  buffer.write(name, 0);
  octal(entry.kind === "symlink" ? 0o777 : entry.mode, 100, 8);
  octal(owner, 108, 8);
  octal(owner, 116, 8);
  const size = sizeOf(entry);
  if (size < 8 ** 11) octal(size, 124, 12);
  else {
    buffer[124] = 0x80;
    buffer.writeBigUInt64BE(BigInt(size), 128);
  }
  octal(modified, 136, 12);
  buffer.fill(" ", 148, 156);
  buffer.write(entry.kind === "directory" ? "5" : entry.kind === "symlink" ? "2" : "0", 156);
  if (entry.kind === "symlink") buffer.write(entry.target, 157, 100);
  // Magic and version 00, which must not read as one octal escape.
  buffer.write("ustar\u000000", 257, "latin1");
  buffer.write(prefix, 345);
  const sum = buffer.reduce((total, byte) => total + byte, 0);
  buffer.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return buffer;
}

function splitPath(path: string): { name: string; prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: "" };
  for (let slash = path.indexOf("/"); slash > 0; slash = path.indexOf("/", slash + 1)) {
    const name = path.slice(slash + 1);
    const prefix = path.slice(0, slash);
    if (name !== "" && Buffer.byteLength(name) <= 100 && Buffer.byteLength(prefix) <= 155) return { name, prefix };
  }
  throw internal(`Cannot archive "${path}": the path is too long`, { path });
}
