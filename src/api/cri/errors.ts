/** Errors of the family as gRPC statuses. A kubelet tells only a few apart (NotFound, DeadlineExceeded, Unimplemented …). */
import { Code, ConnectError } from "@connectrpc/connect";
import { fromSystemError, type ErrorCode } from "#errdefs";

const codes: Readonly<Record<ErrorCode, Code>> = {
  "invalid-argument": Code.InvalidArgument,
  "not-found": Code.NotFound,
  "already-exists": Code.AlreadyExists,
  "permission-denied": Code.PermissionDenied,
  "failed-precondition": Code.FailedPrecondition,
  "resource-exhausted": Code.ResourceExhausted,
  unavailable: Code.Unavailable,
  "data-loss": Code.DataLoss,
  unsupported: Code.Unimplemented,
  cancelled: Code.Canceled,
  internal: Code.Internal,
};

/** Characters of a message: it goes in a header, where three bytes may stand for one, and clients take few of them. */
const maxMessage = 2000;

const shortened = (text: string): string => (text.length <= maxMessage ? text : `${text.slice(0, maxMessage)}…`);

/**
 * @param error whatever the engine threw; one that is none of the family is internal, and told without its text. A service
 * that needs another status throws a `ConnectError` itself
 */
export function toGrpcError(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  const known = fromSystemError(error);
  if (known === undefined) return new ConnectError("Cannot answer: an internal error", Code.Internal);
  const { code, message, fields } = known;
  return new ConnectError(
    shortened(fields.remedy === undefined ? message : `${shortened(message)}. ${fields.remedy}`),
    codes[code],
  );
}
