import { invalidArgument } from "#errdefs";

/**
 * Checks a path in the root and makes it absolute and plain. `..` is refused, and not resolved: with symbolic links in
 * between it would not mean what it seems to (keel resolves it inside the root in any case).
 *
 * @param action for the message, e.g. `mount on`
 */
export function pathInRoot(path: string, action: string): string {
  if (path.includes("\0")) throw invalidArgument(`Cannot ${action} "${path}": the path contains a NUL character`);
  if (isPlain(path)) return path;
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw invalidArgument(`Cannot ${action} "${path}": the path contains ".."`);
  return `/${parts.join("/")}`;
}

/** Like {@link pathInRoot}, for a path that must be absolute as it is. */
export function absolutePath(path: string, action: string): string {
  if (!path.startsWith("/")) throw invalidArgument(`Cannot ${action} "${path}": the path is not absolute`);
  return pathInRoot(path, action);
}

/** Absolute, with no empty part, `.` or `..`: most paths, found without taking them apart. */
function isPlain(path: string): boolean {
  if (!path.startsWith("/") || path.includes("//")) return false;
  return !path.includes("/.") && (path.length === 1 || !path.endsWith("/"));
}

/** Checks text that goes to the kernel as a C string. */
export function checkText(text: string, what: string): string {
  if (text.includes("\0")) throw invalidArgument(`Cannot use ${what} "${text}": it contains a NUL character`);
  return text;
}
