/** Writes archives as an attacker would: nothing that is given is checked or put right. */
import { Buffer } from "node:buffer";

const flags = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  char: "3",
  block: "4",
  directory: "5",
  fifo: "6",
} as const;

export interface Entry {
  readonly path: string;
  /** `file` if not given. */
  readonly type?: keyof typeof flags;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Target of a link. */
  readonly link?: string;
  readonly content?: string | Uint8Array;
  /** Major and minor number of a device. */
  readonly device?: readonly [major: number, minor: number];
  /** Records of a PAX header before the entry. */
  readonly pax?: Readonly<Record<string, string>>;
  /** Extended attributes. */
  readonly xattrs?: Readonly<Record<string, string>>;
}

/** Directories above are not made: an entry is there only when it is listed. */
export function tar(entries: readonly Entry[]): Buffer {
  return Buffer.concat([...entries.flatMap(blocks), Buffer.alloc(1024)]);
}

function blocks(entry: Entry): Buffer[] {
  const pax = { ...entry.pax };
  for (const [name, value] of Object.entries(entry.xattrs ?? {})) pax[`SCHILY.xattr.${name}`] = value;
  if (Buffer.byteLength(entry.path) > 100) pax["path"] ??= entry.path;
  if (Buffer.byteLength(entry.link ?? "") > 100) pax["linkpath"] ??= entry.link ?? "";
  const content = Buffer.from(entry.content ?? "");
  const own = [header(entry, content.length), ...padded(content)];
  if (Object.keys(pax).length === 0) return own;
  const records = Buffer.from(
    Object.entries(pax)
      .map(([name, value]) => paxRecord(` ${name}=${value}\n`))
      .join(""),
  );
  return [header({ path: "PaxHeaders/x" }, records.length, "x"), ...padded(records), ...own];
}

/** Its length counts itself. */
function paxRecord(rest: string): string {
  const size = Buffer.byteLength(rest);
  let length = size + 1;
  while (String(length).length + size !== length) length++;
  return `${length}${rest}`;
}

function padded(data: Buffer): Buffer[] {
  return [data, Buffer.alloc((512 - (data.length % 512)) % 512)];
}

function header(entry: Entry, size: number, flag: string = flags[entry.type ?? "file"]): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, offset: number, length: number): void =>
    void block.write(value.toString(8).padStart(length - 1, "0"), offset);
  const [major, minor] = entry.device ?? [0, 0];
  block.write(entry.path.slice(0, 100), 0);
  octal(entry.mode ?? (entry.type === "directory" ? 0o755 : 0o644), 100, 8);
  octal(entry.uid ?? 0, 108, 8);
  octal(entry.gid ?? 0, 116, 8);
  octal(size, 124, 12);
  octal(1_700_000_000, 136, 12);
  block.fill(" ", 148, 156);
  block.write(flag, 156);
  block.write((entry.link ?? "").slice(0, 100), 157);
  block.write("ustar\x0000", 257);
  octal(major, 329, 8);
  octal(minor, 337, 8);
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return block;
}
