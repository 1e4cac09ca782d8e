/** What happens around every call. */
import type { Interceptor, StreamResponse, UnaryResponse } from "@connectrpc/connect";
import { toConnectError } from "../codec/errors.ts";

/** What a call was, when it has ended. */
export interface CallReport {
  /** As `sampan.v1.Containers/Create`. */
  readonly method: string;
  /** Undefined when it succeeded. */
  readonly error: unknown;
  readonly milliseconds: number;
}

/**
 * Turns the engine's errors into the protocol's, and tells of each call once it has ended.
 *
 * @param report gets the error as the engine threw it
 */
export function callInterceptor(report: (call: CallReport) => void): Interceptor {
  return (next) => async (request) => {
    const started = performance.now();
    const method = request.url.slice(request.url.lastIndexOf("/", request.url.lastIndexOf("/") - 1) + 1);
    const ended = (error: unknown): void => report({ method, error, milliseconds: performance.now() - started });
    let response: UnaryResponse | StreamResponse;
    try {
      response = await next(request);
    } catch (error) {
      ended(error);
      throw toConnectError(error);
    }
    if (!response.stream) {
      ended(undefined);
      return response;
    }
    return { ...response, message: translated(response.message, ended) };
  };
}

async function* translated<T>(messages: AsyncIterable<T>, ended: (error: unknown) => void): AsyncGenerator<T> {
  let failure: unknown;
  try {
    yield* messages;
  } catch (error) {
    failure = error;
    throw toConnectError(error);
  } finally {
    ended(failure);
  }
}
