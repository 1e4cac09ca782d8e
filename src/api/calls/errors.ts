import { Code, ConnectError } from "@connectrpc/connect";
import { fromSystemError, type ErrorCode, type SampanError } from "#errdefs";

/** Statuses of gRPC and Connect for errors of the family. */
export const callCodes: Readonly<Record<ErrorCode, Code>> = {
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

/**
 * @param error whatever the engine threw; one that is none of the family is internal, and told without its text. A service
 * that needs another status throws a `ConnectError` itself
 * @param tell one of the family in the API's own words
 */
export function callError(error: unknown, tell: (known: SampanError) => ConnectError): ConnectError {
  if (error instanceof ConnectError) return error;
  const known = fromSystemError(error);
  return known === undefined ? new ConnectError("Cannot answer: an internal error", Code.Internal) : tell(known);
}
