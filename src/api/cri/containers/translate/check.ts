/** Checks of what a client has sent; each failure names the field by its path in the request. */
import { invalidArgument } from "#errdefs";

/** @throws SampanError `invalid-argument` */
export function refuse(field: string, value: unknown, state: string): never {
  const shown = typeof value === "string" ? JSON.stringify(value.slice(0, 200)) : String(value);
  throw invalidArgument(`Cannot use ${field} ${shown}: ${state}`);
}

/** A text without NUL, which no text of the kernel can have. */
export function plainText(field: string, text: string): string {
  return text.includes("\0") ? refuse(field, text, "it contains a NUL character") : text;
}

/** An absolute path of at most 4095 bytes. */
export function absolutePath(field: string, path: string): string {
  if (path === "") refuse(field, path, "it is empty");
  plainText(field, path);
  if (!path.startsWith("/")) refuse(field, path, "it is not absolute");
  if (Buffer.byteLength(path) > 4095) refuse(field, path, "it is longer than 4095 bytes");
  return path;
}

/** A number of the wire that a double holds exactly. */
export function inRange(field: string, value: bigint, least: bigint, most: bigint): number {
  if (value < least || value > most) refuse(field, value, `it is not between ${least} and ${most}`);
  return Number(value);
}

export const largest = BigInt(Number.MAX_SAFE_INTEGER);
