/** Turns keel's `failed` into the error that a caller sees. */
import { constants } from "node:os";
import { errnoText, SampanError, type ErrorCode, type ErrorInit } from "#errdefs";
import type { Operation, ReplyFailed } from "#plan";
import { operationPath, operationWords } from "./operation-words.ts";
import { remedyOf } from "./remedy.ts";

const { errno } = constants;

const codes: ReadonlyMap<number, ErrorCode> = new Map<number, ErrorCode>([
  [errno.ENOENT, "not-found"],
  [errno.EPERM, "permission-denied"],
  [errno.EACCES, "permission-denied"],
  [errno.ENOSPC, "resource-exhausted"],
  [errno.ENOMEM, "resource-exhausted"],
  [errno.EAGAIN, "resource-exhausted"],
  [errno.EDQUOT, "resource-exhausted"],
  [errno.ENOSYS, "unsupported"],
  [errno.EOPNOTSUPP, "unsupported"],
  [errno.EEXIST, "already-exists"],
]);

/**
 * The error for a failed request. The message names the operation, and where the kernel's complaint was about another
 * path than the operation's own, that path too. `fields` have step (from 1), syscall, errno, path and operation.
 *
 * @param reply what keel answered
 * @param program the operations that were sent; undefined for a request without any
 * @param action what the message says was tried when no operation was at fault, e.g. `start the container`
 */
export function failure(reply: ReplyFailed, program: readonly Operation[] | undefined, action?: string): SampanError {
  const operation = reply.step < 0 ? undefined : program?.[reply.step];
  const words = operation === undefined ? (action ?? requestWords(reply)) : operationWords(operation);
  const about = operation === undefined ? "" : operationPath(operation);
  if (operation?.op === "hook" && reply.syscall === "hook") return hookFailure(reply, about, words);
  if (operation !== undefined && reply.syscall === "runtime") return runtimeFailure(reply, about, words);
  const path = reply.detail === "" ? about : reply.detail;
  const state = errnoText(reply.errno);
  const named = operation === undefined ? action === undefined : reply.detail === about;
  const where = reply.detail !== "" && !named ? ` ("${reply.detail}")` : "";
  const remedy = remedyOf(operation, reply.errno);
  const init: ErrorInit = {
    errno: reply.errno,
    ...(reply.syscall === "" ? {} : { syscall: reply.syscall }),
    ...(path === "" ? {} : { path }),
    ...(reply.step < 0 ? {} : { step: reply.step + 1 }),
    ...(operation === undefined ? {} : { operation: words }),
    ...(operation?.op === "exec" || operation?.op === "find-executable" ? { command: true } : {}),
    ...(remedy === undefined ? {} : { remedy }),
  };
  // What the config asks for is known; it is this host that does not have it.
  const code = operation?.op === "landlock" ? undefined : codes.get(reply.errno);
  return new SampanError(code ?? "failed-precondition", `Cannot ${words}: ${state}${where}`, init);
}

/** A hook that has run: the detail is its path, which may be cut short, how it ended, and the end of its stderr. */
function hookFailure({ step, errno: error, syscall, detail }: ReplyFailed, path: string, words: string): SampanError {
  const state = detail.startsWith(`${path} `) ? detail.slice(path.length + 1) : detail;
  const init = { errno: error, syscall, path, step: step + 1, operation: words };
  return new SampanError("failed-precondition", `Cannot ${words}: ${state}`, init);
}

/** A command of another runtime that has run: the detail is how it ended, and the end of its stderr. */
function runtimeFailure(
  { step, errno: error, syscall, detail }: ReplyFailed,
  path: string,
  words: string,
): SampanError {
  const init = { errno: error, syscall, path, step: step + 1, operation: words };
  return new SampanError("failed-precondition", `Cannot ${words}: it ${detail}`, init);
}

function requestWords({ syscall, detail }: ReplyFailed): string {
  if (detail !== "") return `${syscall === "" ? "use" : `call ${syscall} on`} "${detail}"`;
  return syscall === "" ? "carry out the request" : `call ${syscall}`;
}
