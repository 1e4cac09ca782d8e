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

/**
 * A mount's destination: relative ones start from the root, and `..` goes back in the text, as the config's writer sees it.
 * keel resolves what remains inside the root.
 *
 * @param root the container's root as a path of the host, which some writers begin destinations with
 */
export function mountTarget(destination: string, root?: string): string {
  if (destination.includes("\0"))
    throw invalidArgument(`Cannot mount on "${destination}": the path contains a NUL character`);
  const inside =
    root !== undefined && root !== "/" && destination.startsWith(`${root}/`)
      ? destination.slice(root.length)
      : destination;
  if (isPlain(inside)) return inside;
  const parts: string[] = [];
  for (const part of inside.split("/"))
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  return `/${parts.join("/")}`;
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
