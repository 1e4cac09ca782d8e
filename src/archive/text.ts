/** Names of files: bytes to the kernel, strings here (`decodeName` of `#keel`). */

/** Bytes that {@link decodeName} was given. */
export function nameBytes(name: string): number {
  let size = 0;
  for (let i = 0; i < name.length; i += 1) {
    const unit = name.charCodeAt(i);
    if (unit < 0x80) size += 1;
    else if (unit < 0x800) size += 2;
    else if (unit >= 0xd800 && unit < 0xdc00) {
      size += 4;
      i += 1;
    } else size += unit >= 0xdc80 && unit <= 0xdcff ? 1 : 3;
  }
  return size;
}

/** A name for a message: quoted, on one line, with unprintable characters escaped. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);
}

/** The bytes of a name: what `decodeName` was given. */
export function encodeName(name: string): Buffer {
  if (name.isWellFormed()) return Buffer.from(name);
  const parts: Buffer[] = [];
  for (const character of name) {
    const code = character.charCodeAt(0);
    parts.push(code >= 0xdc80 && code <= 0xdcff ? Buffer.from([code - 0xdc00]) : Buffer.from(character));
  }
  return Buffer.concat(parts);
}
