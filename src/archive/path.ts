/** Names of a layer's entries, as paths below its root. */
import { invalidArgument, type SampanError } from "#errdefs";
import { nameBytes, quote } from "./text.ts";

/** Largest component that the kernel takes. */
const componentBytes = 255;

/** Starts the name of a whiteout (image-spec layer.md, "Whiteouts"). */
const prefix = ".wh.";

const refuse = (name: string, state: string): SampanError => invalidArgument(`Cannot unpack ${quote(name)}: ${state}`);

/** Most names are clean already: nothing but ordinary components, no `.` or `/` before or behind one. */
const clean = /^(?:[^/.\0][^/\0]*)(?:\/[^/.\0][^/\0]*)*$/;

/**
 * The path that a name stands for: relative, without `.`, `..`, and repeated slashes; empty for the root itself. `..` is
 * taken by its text, before any link is looked at; the kernel resolves what remains inside the root.
 *
 * @throws SampanError `invalid-argument` for a name that leaves the root
 */
export function cleanPath(name: string): string {
  if (name.length <= componentBytes / 3 && clean.test(name)) return name;
  const parts: string[] = [];
  for (const part of name.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (parts.pop() === undefined) throw refuse(name, "it leaves the layer's root");
      continue;
    }
    // A whiteout is never a file, so that only what it hides has to fit.
    const most = componentBytes + (part.startsWith(prefix) ? prefix.length : 0);
    if (part.length > componentBytes / 3 && nameBytes(part) > most)
      throw refuse(name, `a part of it is longer than ${componentBytes} bytes`);
    parts.push(part);
  }
  const path = parts.join("/");
  if (path.includes("\0")) throw refuse(name, "it has a NUL character in it");
  return path;
}

/** The directory that a path is in: `.` for the root. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : path.slice(0, slash);
}

/** What a path is in a layer. */
export type Meaning =
  | { readonly kind: "entry" }
  /** Hides `path` of lower layers. */
  | { readonly kind: "whiteout"; readonly path: string }
  /** Hides all that lower layers have in the directory `path`, `.` for the root. */
  | { readonly kind: "opaque"; readonly path: string }
  /** Bookkeeping of aufs, in images of the first Docker versions. */
  | { readonly kind: "skip" };

const entry: Meaning = { kind: "entry" };

/** @throws SampanError `invalid-argument` for a reserved name that is no whiteout */
export function meaningOf(path: string): Meaning {
  if (!path.includes(prefix)) return entry;
  const parts = path.split("/");
  const last = parts.pop() ?? "";
  for (const part of parts) {
    if (part.startsWith(`${prefix}${prefix}`)) return { kind: "skip" };
    if (part.startsWith(prefix)) throw refuse(path, `"${prefix}" starts the name of a whiteout, which is no directory`);
  }
  if (!last.startsWith(prefix)) return entry;
  if (last === `${prefix}${prefix}.opq`) return { kind: "opaque", path: parts.length === 0 ? "." : parts.join("/") };
  if (last.startsWith(`${prefix}${prefix}`)) return { kind: "skip" };
  const hidden = last.slice(prefix.length);
  if (hidden === "" || hidden === "." || hidden === "..") throw refuse(path, "the whiteout names no file");
  return { kind: "whiteout", path: [...parts, hidden].join("/") };
}
