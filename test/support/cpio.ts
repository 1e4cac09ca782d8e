/** A cpio archive in the "newc" form that the kernel unpacks as its initramfs (Documentation/driver-api/early-userspace). */

export type CpioEntry =
  | { readonly path: string; readonly kind: "directory" }
  | { readonly path: string; readonly kind: "link"; readonly target: string }
  | { readonly path: string; readonly kind: "file"; readonly data: Uint8Array; readonly mode: number }
  | { readonly path: string; readonly kind: "device"; readonly major: number; readonly minor: number };

/** @param entries with relative paths, each directory before what is in it */
export function cpio(entries: readonly CpioEntry[]): Uint8Array {
  const parts: Uint8Array[] = [];
  entries.forEach((entry, index) => parts.push(...record(entry, index + 1)));
  parts.push(...record({ path: "TRAILER!!!", kind: "file", data: new Uint8Array(), mode: 0 }, 0));
  return Buffer.concat(parts);
}

function record(entry: CpioEntry, inode: number): readonly Uint8Array[] {
  const data = entry.kind === "file" ? entry.data : Buffer.from(entry.kind === "link" ? entry.target : "");
  const mode = modeOf(entry);
  const [major, minor] = entry.kind === "device" ? [entry.major, entry.minor] : [0, 0];
  const name = Buffer.from(`${entry.path}\0`);
  const links = 1;
  // inode, mode, uid, gid, links, time, size, device, device of a node, length of the name, no checksum
  const fields = [inode, mode, 0, 0, links, 0, data.length, 0, 0, major, minor, name.length, 0];
  const head = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`;
  return [padded(Buffer.concat([Buffer.from(head), name])), padded(data)];
}

function modeOf(entry: CpioEntry): number {
  switch (entry.kind) {
    case "directory":
      return 0o040755;
    case "device":
      return 0o020600;
    case "link":
      return 0o120777;
    case "file":
      return entry.mode === 0 ? 0 : 0o100000 | entry.mode;
  }
}

/** Both the header with the name and the data are filled up to a multiple of four bytes. */
const padded = (data: Uint8Array): Uint8Array => Buffer.concat([data, new Uint8Array((4 - (data.length % 4)) % 4)]);
