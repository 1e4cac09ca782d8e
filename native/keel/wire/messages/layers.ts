/** Trees of files: layers that are made, and what is found. */
import { f, type Message } from "../field.ts";

export const layerMessages: readonly Message[] = [
  // -- to keel apply: entries of a layer, made below one root directory ----------------------------------------------
  {
    number: 30,
    name: "apply-open",
    to: "keel",
    doc: "Open the directory that all further paths are in. Every path is resolved below it; a symbolic link as a parent is resolved inside it",
    fields: [
      f("root", "string", "absolute, existing directory"),
      f(
        "overlay",
        "bool",
        "write whiteouts as overlayfs does (0:0 devices and trusted.overlay.opaque); otherwise remove what they name",
      ),
    ],
  },
  {
    number: 31,
    name: "apply-directory",
    to: "keel",
    doc: "A directory: made, or an existing one given these attributes",
    fields: [
      f("path", "string", "path in the root"),
      f("mode", "u32", "permission bits with setuid, setgid and sticky"),
      f("uid", "u32", "owner"),
      f("gid", "u32", "group"),
      f("modified", "Timestamp", "mtime, set at `apply-finish`"),
      f("xattrs", "list<Xattr>", "extended attributes"),
    ],
  },
  {
    number: 32,
    name: "apply-file",
    to: "keel",
    doc: "A regular file; `apply-data` frames with its content follow, then `apply-end`. Replaces whatever is there",
    fields: [
      f("path", "string", "path in the root"),
      f("size", "u64", "bytes to come; it is pre-sized, holes are left where nothing is written"),
      f("mode", "u32", "permission bits with setuid, setgid and sticky"),
      f("uid", "u32", "owner"),
      f("gid", "u32", "group"),
      f("modified", "Timestamp", "mtime"),
      f("xattrs", "list<Xattr>", "extended attributes"),
    ],
  },
  {
    number: 33,
    name: "apply-data",
    to: "keel",
    doc: "Content of the file opened last, at an offset",
    fields: [f("offset", "u64", "position in the file"), f("data", "bytes", "at most 1 MiB")],
  },
  {
    number: 34,
    name: "apply-end",
    to: "keel",
    doc: "The file opened last is complete: owner, mode, xattrs and times are set",
    fields: [],
  },
  {
    number: 35,
    name: "apply-symlink",
    to: "keel",
    doc: "A symbolic link. Replaces whatever is there",
    fields: [
      f("path", "string", "path in the root"),
      f("target", "string", "as stored"),
      f("uid", "u32", "owner"),
      f("gid", "u32", "group"),
      f("modified", "Timestamp", "mtime"),
      f("xattrs", "list<Xattr>", "extended attributes"),
    ],
  },
  {
    number: 36,
    name: "apply-hardlink",
    to: "keel",
    doc: "Another name of a file of the same layer. Replaces whatever is there",
    fields: [
      f("path", "string", "path in the root"),
      f("target", "string", "path in the root of the existing file; a symbolic link itself, not what it points to"),
    ],
  },
  {
    number: 37,
    name: "apply-node",
    to: "keel",
    doc: "A device node or FIFO. Replaces whatever is there",
    fields: [
      f("path", "string", "path in the root"),
      f("mode", "u32", "S_IFCHR, S_IFBLK or S_IFIFO and permission bits"),
      f("major", "u32", "device major"),
      f("minor", "u32", "device minor"),
      f("uid", "u32", "owner"),
      f("gid", "u32", "group"),
      f("modified", "Timestamp", "mtime"),
      f("xattrs", "list<Xattr>", "extended attributes"),
    ],
  },
  {
    number: 38,
    name: "apply-whiteout",
    to: "keel",
    doc: "Hide a name of lower layers",
    fields: [f("path", "string", "path in the root of what is hidden")],
  },
  {
    number: 39,
    name: "apply-opaque",
    to: "keel",
    doc: "Hide all that lower layers have in a directory",
    fields: [f("path", "string", "the directory")],
  },
  {
    number: 40,
    name: "apply-finish",
    to: "keel",
    doc: "Set directory times, flush the filesystem if asked; answered by `done`",
    fields: [
      f("sync", "bool", "syncfs the root's filesystem before answering"),
      f(
        "marks",
        "list<string>",
        "absolute paths that are removed once the root's filesystem was flushed, after the answer",
      ),
    ],
  },
  // -- to keel browse: reading and writing below one root --------------------------------------------------------------
  {
    number: 60,
    name: "browse-open",
    to: "keel",
    doc: "Run operations in this process, and stay in the root that they leave: every path of the messages to come is resolved in it, whatever links lead to. No process is made, and no program run. What a `freeze` has stopped goes on when this process ends, however that comes. Answered by `done` or `failed`",
    fields: [
      f("mounts", "bool", "first enter a mount namespace of its own, which ends with the process"),
      f("program", "operations", "without any that makes a process"),
    ],
  },
  {
    number: 61,
    name: "browse-look",
    to: "keel",
    doc: "Tell what is at a path; answered by `found`, whose path is `.`, or by `failed`",
    fields: [
      f("path", "string", "path in the root"),
      f("follow", "bool", "what a symbolic link at its end leads to, and not the link"),
    ],
  },
  {
    number: 62,
    name: "browse-walk",
    to: "keel",
    doc: "Tell what is at a path and below it, a directory before what is in it and the names of each in the order of their bytes; each by `found`, and then `done`, or `failed`. What has gone meanwhile is left out",
    fields: [
      f("path", "string", "path in the root"),
      f("follow", "bool", "start at what a symbolic link at its end leads to"),
      f("depth", "u8", "0 for the path alone, 1 with what is in it, 2 with all below"),
      f(
        "cross",
        "bool",
        "go into what is mounted below, but for filesystems that are the kernel's own, such as procfs",
      ),
      f("content", "bool", "the files' content too: `found-data` and then `found-end` after each file's `found`"),
    ],
  },
  {
    number: 63,
    name: "browse-write",
    to: "keel",
    doc: "Take the entries of an `apply`, up to its `apply-finish`, in the root. A directory that is there stays as it is, and is never replaced by anything else; nothing else is replaced by a directory. A failure is the last answer",
    fields: [],
  },
];
