/** What happens around every call of the CRI: it is told of, and its errors become gRPC statuses. */
import {
  createContextKey,
  type ContextKey,
  type Interceptor,
  type StreamResponse,
  type UnaryResponse,
} from "@connectrpc/connect";
import { cancelled } from "#errdefs";
import { toGrpcError } from "./errors.ts";

/** What a call was, when it has ended. */
export interface CriCallReport {
  /** As `runtime.v1.RuntimeService/RunPodSandbox`. */
  readonly method: string;
  readonly caller: unknown;
  /** Undefined when it succeeded. */
  readonly error: unknown;
  readonly milliseconds: number;
}

export interface CriCallHooks {
  /** Throws when the caller may not do it. */
  readonly authorize: (caller: unknown, method: string) => Promise<void> | void;
  /** @returns what is to be called at the call's end */
  readonly began: (method: string) => (report: CriCallReport) => void;
}

/** Who makes the call, as whoever accepted the connection knows it. */
export const criCallerKey: ContextKey<unknown> = createContextKey<unknown>(undefined, { description: "caller" });

export function criInterceptor(hooks: CriCallHooks): Interceptor {
  return (next) => async (request) => {
    const started = performance.now();
    const method = `${request.service.typeName}/${request.method.name}`;
    const caller = request.contextValues.get(criCallerKey);
    const report = hooks.began(method);
    const ended = (error: unknown): void => {
      const told =
        error !== undefined && request.signal.aborted
          ? cancelled("Cannot go on with the call: its client has left")
          : error;
      report({ method, caller, error: told, milliseconds: performance.now() - started });
    };
    let response: UnaryResponse | StreamResponse;
    try {
      await hooks.authorize(caller, method);
      response = await next(request);
    } catch (error) {
      ended(error);
      throw toGrpcError(error);
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
    throw toGrpcError(error);
  } finally {
    ended(failure);
  }
}
