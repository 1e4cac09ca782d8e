/** Paths as `cp` takes them: what stands at their end says what is meant. */
import { invalidArgument } from "#errdefs";

export interface CopyPath {
  /** As it was given, for messages. */
  readonly shown: string;
  /** Absolute, without `.`, `..`, and repeated slashes. */
  readonly path: string;
  /** It ends with `/` or `/.`, and so must be a directory. */
  readonly isDirectory: boolean;
  /** It ends with `/.`: what is in the directory, and not the directory. */
  readonly isContent: boolean;
}

/**
 * @param directory what a relative path starts from, absolute
 * @throws SampanError `invalid-argument` for a path that no file can have
 */
export function copyPath(text: string, directory: string, shown = text): CopyPath {
  if (text.includes("\0"))
    throw invalidArgument(`Cannot copy ${JSON.stringify(shown)}: its path has a NUL character in it`);
  const parts: string[] = [];
  for (const part of `${text.startsWith("/") ? "" : `${directory}/`}${text}`.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  const last = text.slice(text.lastIndexOf("/") + 1);
  // The root has no name that it could be copied under.
  const isContent = last === "." || parts.length === 0;
  return { shown, path: `/${parts.join("/")}`, isDirectory: isContent || last === "" || last === "..", isContent };
}

export const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

export function parentPath(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? "/" : path.slice(0, slash);
}
