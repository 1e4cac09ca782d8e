/** Errors of the family as gRPC statuses. A kubelet tells only a few apart (NotFound, DeadlineExceeded, Unimplemented …). */
import { ConnectError } from "@connectrpc/connect";
import { callCodes, callError } from "#api-calls";

/** Characters of a message: it goes in a header, where three bytes may stand for one, and clients take few of them. */
const maxMessage = 2000;

const shortened = (text: string): string => (text.length <= maxMessage ? text : `${text.slice(0, maxMessage)}…`);

/** @param error whatever the engine threw; the remedy is part of the message, since clients show nothing else */
export const toGrpcError = (error: unknown): ConnectError =>
  callError(error, ({ code, message, fields: { remedy } }) => {
    const text = remedy === undefined ? message : `${shortened(message)}. ${remedy}`;
    return new ConnectError(shortened(text), callCodes[code]);
  });
