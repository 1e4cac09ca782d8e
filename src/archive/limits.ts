/** What an archive from outside may ask for. A layer that needs more is refused with `resource-exhausted`. */
export interface ArchiveLimits {
  /** Entries, the headers before an entry counted too. */
  readonly entries: number;
  /** Bytes of one PAX or GNU long-name header. */
  readonly headerBytes: number;
  /** Bytes of a path or link target; the kernel takes no more (PATH_MAX with its NUL). */
  readonly nameBytes: number;
  /** Directories that a path leads through. */
  readonly depth: number;
  /** Bytes of all files together, holes counted too. */
  readonly totalBytes: number;
  /** Data segments of one sparse file. */
  readonly segments: number;
  /** Extended attributes of one entry. */
  readonly xattrs: number;
  /** Characters of the paths of all directories: they are remembered, to tell which ones the layer does not describe. */
  readonly directoryCharacters: number;
  /** Bytes behind the end of the archive: padding of its writer's record size. */
  readonly trailingBytes: number;
}

export const defaultLimits: ArchiveLimits = {
  entries: 4_000_000,
  headerBytes: 1024 * 1024,
  nameBytes: 4095,
  depth: 2048,
  totalBytes: 1024 ** 4,
  segments: 65_536,
  xattrs: 1024,
  directoryCharacters: 64 * 1024 * 1024,
  trailingBytes: 64 * 1024 * 1024,
};
