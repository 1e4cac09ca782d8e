/** Errors of Node's own calls (files, processes, SQLite), turned into the family's. */
import { errnoNumber, errnoText } from "./errno.ts";
import { SampanError, type ErrorCode } from "./sampan-error.ts";

const codes: ReadonlyMap<string, ErrorCode> = new Map<string, ErrorCode>([
  ["ENOENT", "not-found"],
  ["EEXIST", "already-exists"],
  ["EACCES", "permission-denied"],
  ["EPERM", "permission-denied"],
  ["EROFS", "permission-denied"],
  ["ENOSPC", "resource-exhausted"],
  ["EDQUOT", "resource-exhausted"],
  ["ENOMEM", "resource-exhausted"],
  ["EMFILE", "resource-exhausted"],
  ["ENFILE", "resource-exhausted"],
]);

const remedies: ReadonlyMap<string, string> = new Map([
  ["ENOSPC", "Free some space, or move elsewhere with --root"],
  ["EDQUOT", "Free some space, or move elsewhere with --root"],
  ["EROFS", "Choose a writable place with --root and --state"],
  ["EACCES", "Run as root"],
]);

/** SQLite's primary result codes (sqlite.org/rescode.html) that say something about the host. */
const databaseCodes: ReadonlyMap<number, readonly [code: ErrorCode, state: string, remedy?: string]> = new Map<
  number,
  readonly [ErrorCode, string, string?]
>([
  [5, ["unavailable", "another process keeps it busy", "Try again"]],
  [8, ["permission-denied", "it cannot be written", "Choose a writable place with --root"]],
  [10, ["data-loss", "reading or writing the disk failed", "See the kernel's log for errors of the disk"]],
  [11, ["data-loss", "it is damaged", "sampan content fsck --repair rebuilds it from what is on disk"]],
  [13, ["resource-exhausted", "no space left on device", "Free some space, or move elsewhere with --root"]],
  [14, ["failed-precondition", "it cannot be opened", "Choose a writable place with --root"]],
  [26, ["data-loss", "it is no SQLite database", "sampan content fsck --repair rebuilds it from what is on disk"]],
]);

/** SQLITE_CONSTRAINT_TRIGGER */
const triggerCode = 1811;

/** SQLITE_IOERR_SHMSIZE and _SHMMAP: a journal's index could not be made, which is for want of room. */
const noRoomCodes: ReadonlySet<number> = new Set([4874, 5386]);

interface SystemError {
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly path?: unknown;
  readonly errcode?: unknown;
}

/** The same error when it is one of the family, its translation when it is a system error, undefined for any other. */
export function fromSystemError(error: unknown): SampanError | undefined {
  if (error instanceof SampanError) return error;
  // What failed first; that cleaning up failed too follows from it, most often.
  if (error instanceof SuppressedError) return fromSystemError(error.suppressed) ?? fromSystemError(error.error);
  if (!(error instanceof Error)) return undefined;
  const { code, syscall, path, errcode } = error as SystemError;
  if (code === "ERR_SQLITE_ERROR" && typeof errcode === "number") {
    // A trigger of our own says why.
    if (errcode === triggerCode)
      return new SampanError("failed-precondition", `Cannot use the database: ${error.message}`);
    // The low byte of an extended result code is the primary one.
    const known = databaseCodes.get(noRoomCodes.has(errcode) ? 13 : errcode & 0xff);
    if (known === undefined) return undefined;
    const [kind, state, remedy] = known;
    return new SampanError(kind, `Cannot use the database: ${state}`, {
      cause: error,
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
  if (typeof code !== "string" || typeof syscall !== "string") return undefined;
  const errno = errnoNumber(code);
  if (errno === undefined) return undefined;
  const remedy = remedies.get(code);
  return new SampanError(
    codes.get(code) ?? "failed-precondition",
    `Cannot ${syscall}${typeof path === "string" ? ` "${path}"` : ""}: ${errnoText(errno)}`,
    {
      cause: error,
      errno,
      syscall,
      ...(typeof path === "string" ? { path } : {}),
      ...(remedy === undefined ? {} : { remedy }),
    },
  );
}
