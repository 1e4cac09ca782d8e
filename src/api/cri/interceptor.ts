import type { Interceptor } from "@connectrpc/connect";
import { callInterceptor, type CallHooks } from "#api-calls";
import { toGrpcError } from "./errors.ts";

/** Around every call of the CRI. */
export const criInterceptor = (hooks: CallHooks): Interceptor => callInterceptor(hooks, { toError: toGrpcError });
