/**
 * The wire between TypeScript and keel, declared once. `generate.ts` writes from it:
 *
 * - `src/plan/operation.gen.ts`   the types of the operations and messages (pure)
 * - `src/keel/wire.gen.ts`        the TypeScript encoder and decoder
 * - `native/keel/wire.gen.h/.c`   the C structures, decoder and encoder
 *
 * A frame is `u32 length` (of what follows), `u32 request` (chosen by the asker, echoed in every answer; 0 for
 * what nobody asked for), `u16 kind` (the message's number), then the message's fields in order. Little endian.
 *
 *   u8 u16 u32 i32 u64 i64   fixed width; u64 and i64 are bigint in TypeScript
 *   bool                     u8, 0 or 1, anything else is malformed
 *   string                   u32 length in bytes, the bytes, one NUL; no NUL within (so that C uses it in place)
 *   bytes                    u32 length, the bytes
 *   list<T>                  u32 count, the items
 *   NAME                     a struct declared below, its fields in order
 *   operations               u32 count, each `u16 operation number`, its fields in order
 *
 * The operations are in `operations/`, the messages in `messages/`, in files by what they are about; their order here is that
 * of their numbers. Numbers are never reused; a new field or operation raises `version`.
 */

import { f, type Declared, type Message } from "./field.ts";
import { requests } from "./messages/requests.ts";
import { layerMessages } from "./messages/layers.ts";
import { replies } from "./messages/replies.ts";
import { programOperations } from "./operations/program.ts";
import { cgroupOperations } from "./operations/cgroups.ts";
import { mountOperations } from "./operations/mounts.ts";
import { processOperations } from "./operations/process.ts";
import { attributeOperations } from "./operations/attributes.ts";
import { hostOperations } from "./operations/host.ts";

export type { Declared, Field } from "./field.ts";

/** Raised by every change that an older keel or client would misread. */
export const version = 1;

/** Largest frame that either side accepts, in bytes. */
export const maxFrame = 8 * 1024 * 1024;

export const structs: readonly Omit<Declared, "number">[] = [
  {
    name: "IdMap",
    doc: "One line of uid_map or gid_map (user_namespaces(7))",
    fields: [
      f("inside", "u32", "first id inside the user namespace"),
      f("outside", "u32", "first id outside"),
      f("count", "u32", "how many ids"),
    ],
  },
  {
    name: "MountParameter",
    doc: "One fsconfig(2) parameter; an empty value is FSCONFIG_SET_FLAG, any other FSCONFIG_SET_STRING",
    fields: [f("key", "string", "parameter name, e.g. `size`"), f("value", "string", "its value, or empty for a flag")],
  },
  {
    name: "Setting",
    doc: "A namespaced kernel parameter",
    fields: [f("key", "string", "path below /proc/sys"), f("value", "string", "what is written to it")],
  },
  {
    name: "LandlockPath",
    doc: "What a process may do with a file or with all below a directory",
    fields: [
      f("path", "string", "path in the root"),
      f("access", "u64", "LANDLOCK_ACCESS_FS_*; of a file that is no directory, those that files have"),
    ],
  },
  {
    name: "LandlockPort",
    doc: "What a process may do with a TCP port",
    fields: [f("port", "u16", "port number"), f("access", "u64", "LANDLOCK_ACCESS_NET_*")],
  },
  {
    name: "Xattr",
    doc: "One extended attribute",
    fields: [f("name", "string", "with its prefix, e.g. `security.capability`"), f("value", "bytes", "raw value")],
  },
  {
    name: "FileChoice",
    doc: "A file that may be there, and what to write to it",
    fields: [f("name", "string", "without any slash"), f("data", "string", "what to write, in one write(2)")],
  },
  {
    name: "Timestamp",
    doc: "A time as the kernel stores it",
    fields: [f("seconds", "i64", "since the epoch, may be negative"), f("nanoseconds", "u32", "0 to 999,999,999")],
  },
  {
    name: "Segment",
    doc: "A part of a file that is data and no hole",
    fields: [f("offset", "u64", "position in the file"), f("size", "u64", "bytes")],
  },
  {
    name: "Record",
    doc: "A line of the journal: `before`, what the monitor has to tell, and `after`; none when `before` is empty",
    fields: [f("before", "string", "its beginning"), f("after", "string", "its end")],
  },
  {
    name: "Result",
    doc: "What one operation gave back (only `read-file`, `netlink`, `helper` and `peer-credentials` give anything)",
    fields: [f("step", "u32", "index of the operation in its program, from 0"), f("data", "bytes", "what it read")],
  },
];

/*
 * Where operations run
 *
 *   keel serve ──fork──> monitor M (or, for `execute`, a runner)
 *                          │ fork
 *                          ▼
 *                        executor X: runs the operations before `clone`, on the host's side
 *                          │ clone3(CLONE_PARENT | namespaces): C's parent is M
 *                          ▼
 *                        container process C: runs the operations after `clone`
 *
 * Operations marked "by the parent" stand after `clone` but C asks X to run them while it waits (id maps need
 * privilege outside). Without a `clone` X runs everything. When C reaches `exec` the program is over.
 * A failed operation ends the program: {step, errno, syscall, detail} reach whoever asked, and C and X are gone.
 *
 * "In the root" is below the root directory that `root-*` opened: the kernel resolves such a path with
 * openat2(RESOLVE_IN_ROOT), so that no symbolic link or `..` leaves it, and every use is by that descriptor.
 */
export const operations: readonly Declared[] = [
  ...programOperations,
  ...cgroupOperations,
  ...mountOperations,
  ...processOperations,
  ...attributeOperations,
  ...hostOperations,
];

/*
 * Messages
 *
 *  client                       keel serve                      monitor (unix socket)
 *    │── execute ────────────────>│ runs a program to its end
 *    │<─ executed / failed ───────│
 *    │── create ─────────────────>│── fork ──────────────────────>│ runs up to wait-start
 *    │<─ created / failed ────────│<──────────────────────────────│ listens on <state>/monitor.sock
 *    │── attach ─────────────────────────────────────────────────>│
 *    │<─ output … ────────────────────────────────────────────────│
 *    │── start ──────────────────────────────────────────────────>│ lets C go on to exec
 *    │<─ done / failed ───────────────────────────────────────────│
 *    │── wait ───────────────────────────────────────────────────>│
 *    │<─ exited ──────────────────────────────────────────────────│ runs the exit program, writes <state>/exit
 *
 *  keel apply (one process a layer, over its own socket pair)
 *    │── apply-open, apply-* …, apply-data … ────────────────────>│ no answer unless it fails
 *    │── apply-finish ───────────────────────────────────────────>│
 *    │<─ done / failed ───────────────────────────────────────────│
 *
 *  keel browse (one process a tree of files, over its own socket pair)
 *    │── browse-open ────────────────────────────────────────────>│ runs a program that makes the tree its root
 *    │<─ done / failed ───────────────────────────────────────────│
 *    │── browse-look ────────────────────────────────────────────>│
 *    │<─ found / failed ──────────────────────────────────────────│
 *    │── browse-walk ────────────────────────────────────────────>│
 *    │<─ found, found-data …, found-end … done / failed ──────────│
 *    │── browse-write, apply-*, apply-data …, apply-finish ───────>│ no answer unless it fails
 *    │<─ done / failed ───────────────────────────────────────────│
 */
export const messages: readonly Message[] = [...requests, ...layerMessages, ...replies];
