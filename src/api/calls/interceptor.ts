/** What happens around every call: whether it is allowed, what is told of it, and its errors in the API's words. */
import type { Message } from "@bufbuild/protobuf";
import {
  createContextKey,
  type ConnectError,
  type ContextKey,
  type Interceptor,
  type StreamResponse,
  type UnaryResponse,
} from "@connectrpc/connect";
import { cancelled } from "#errdefs";

/** What a call was, when it has ended. */
export interface CallReport {
  /** As `sampan.v1.Containers/Create`. */
  readonly method: string;
  readonly caller: unknown;
  /** Undefined when it succeeded. */
  readonly error: unknown;
  readonly milliseconds: number;
}

/** @template Demand what a message asks for that not everybody may have */
export interface CallHooks<Demand = never> {
  /** Throws when the caller may not do it. Called before anything is read of a stream. */
  readonly authorize: (caller: unknown, method: string, demand: Demand | undefined) => Promise<void> | void;
  /** @returns what is to be called at the call's end */
  readonly began: (method: string) => (report: CallReport) => void;
}

/** What is an API's own of it. */
export interface CallProtocol<Demand = never> {
  readonly toError: (error: unknown) => ConnectError;
  readonly demandOf?: (message: Message) => Demand | undefined;
}

/** Who makes the call, as whoever accepted the connection knows it. */
export const callerKey: ContextKey<unknown> = createContextKey<unknown>(undefined, { description: "caller" });

export function callInterceptor<Demand = never>(
  hooks: CallHooks<Demand>,
  { toError, demandOf }: CallProtocol<Demand>,
): Interceptor {
  return (next) => async (request) => {
    const started = performance.now();
    const method = `${request.service.typeName}/${request.method.name}`;
    const caller = request.contextValues.get(callerKey);
    const report = hooks.began(method);
    const ended = (error: unknown): void => {
      // What a call fails with whose client has left says nothing but that.
      const told = error !== undefined && request.signal.aborted ? left() : error;
      report({ method, caller, error: told, milliseconds: performance.now() - started });
    };
    let response: UnaryResponse | StreamResponse;
    try {
      if (request.stream) {
        await hooks.authorize(caller, method, undefined);
        const check = async (message: Message): Promise<void> => {
          const demand = demandOf?.(message);
          if (demand !== undefined) await hooks.authorize(caller, method, demand);
        };
        response = await next({ ...request, message: checked(request.message, check) });
      } else {
        await hooks.authorize(caller, method, demandOf?.(request.message));
        response = await next(request);
      }
    } catch (error) {
      ended(error);
      throw toError(error);
    }
    if (!response.stream) {
      ended(undefined);
      return response;
    }
    return { ...response, message: translated(response.message, toError, ended) };
  };
}

const left = (): Error => cancelled("Cannot go on with the call: its client has left");

async function* checked<T extends Message>(
  messages: AsyncIterable<T>,
  check: (message: T) => Promise<void>,
): AsyncGenerator<T> {
  for await (const message of messages) {
    await check(message);
    yield message;
  }
}

async function* translated<T>(
  messages: AsyncIterable<T>,
  toError: (error: unknown) => ConnectError,
  ended: (error: unknown) => void,
): AsyncGenerator<T> {
  let failure: unknown;
  try {
    yield* messages;
  } catch (error) {
    failure = error;
    throw toError(error);
  } finally {
    ended(failure);
  }
}
