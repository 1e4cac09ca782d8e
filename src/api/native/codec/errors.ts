/** Errors of the family as errors of the protocol, and back: a client throws what the engine threw. */
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { callCodes, callError } from "#api-calls";
import { SampanError, unavailable, type ErrorCode, type ErrorFields } from "#errdefs";
import { ErrorDetailSchema, type ErrorDetail } from "../gen/sampan/v1/error_pb.ts";

const names: ReadonlyMap<Code, ErrorCode> = new Map<Code, ErrorCode>([
  ...Object.entries(callCodes).map(([name, code]): [Code, ErrorCode] => [code, name as ErrorCode]),
  [Code.Unauthenticated, "permission-denied"],
  [Code.OutOfRange, "invalid-argument"],
  [Code.Aborted, "failed-precondition"],
  [Code.DeadlineExceeded, "unavailable"],
]);

/** Detail fields that are the error's own and not of its `fields`. */
const own: ReadonlySet<string> = new Set(["$typeName", "$unknown", "code", "message"]);

/** @param error whatever the engine threw; what is of the family, the client can make anew of the detail */
export const toConnectError = (error: unknown): ConnectError =>
  callError(error, ({ code, message, fields }) => {
    const value = create(ErrorDetailSchema, { code, message, ...fields });
    return new ConnectError(message, callCodes[code], undefined, [{ desc: ErrorDetailSchema, value }]);
  });

/** @param where names the daemon in an error of the connection itself */
export function fromConnectError(error: unknown, where: string): unknown {
  if (!(error instanceof ConnectError)) return error;
  const [detail] = error.findDetails(ErrorDetailSchema);
  if (detail !== undefined)
    return new SampanError(errorCode(detail, error.code), detail.message, { ...fieldsOf(detail), cause: error });
  if (error.code === Code.Unavailable || error.code === Code.Aborted)
    return unavailable(`Cannot reach the daemon at "${where}": ${error.rawMessage}`, { path: where, cause: error });
  const code = names.get(error.code) ?? "internal";
  // No detail: not the engine said so, but the layer below it.
  const text = code === "cancelled" ? "it was cancelled" : error.rawMessage;
  return new SampanError(code, `Cannot use the daemon at "${where}": ${text}`, { cause: error });
}

function errorCode(detail: ErrorDetail, code: Code): ErrorCode {
  return Object.hasOwn(callCodes, detail.code) ? (detail.code as ErrorCode) : (names.get(code) ?? "internal");
}

function fieldsOf(detail: ErrorDetail): ErrorFields {
  return Object.fromEntries(Object.entries(detail).filter(([name, value]) => !own.has(name) && value !== undefined));
}
