/** How overlayfs notes in its upper directory what is not plain content (Documentation/filesystems/overlayfs.rst). */
import { fileType } from "#archive";
import type { FoundFile } from "#keel";

export const isDirectory = (file: FoundFile): boolean => (file.mode & fileType.mask) === fileType.directory;

function mark(file: FoundFile, name: string): string | undefined {
  // In a user namespace overlayfs has them as `user.`.
  const found = file.xattrs.find((x) => x.name === `trusted.overlay.${name}` || x.name === `user.overlay.${name}`);
  return found && Buffer.from(found.value).toString("latin1");
}

/** Hides what is below it: a character device 0:0, or since Linux 6.7 an empty file with a mark. */
export function isWhiteout(file: FoundFile): boolean {
  const type = file.mode & fileType.mask;
  if (type === fileType.character) return file.major === 0 && file.minor === 0;
  return type === fileType.file && file.size === 0n && mark(file, "whiteout") !== undefined;
}

/** A directory that hides all that is below it. */
export const isOpaque = (file: FoundFile): boolean => mark(file, "opaque") === "y";

/** A directory that has been renamed: most of what is in it is below, under its old name. */
export const isMoved = (file: FoundFile): boolean => isDirectory(file) && mark(file, "redirect") !== undefined;

/** A file of which only the owner, mode or the like was changed: its content is below. */
export const isWithoutContent = (file: FoundFile): boolean =>
  !isDirectory(file) && mark(file, "metacopy") !== undefined;
