import type { Interceptor } from "@connectrpc/connect";
import { callInterceptor, type CallHooks } from "#api-calls";
import { toConnectError } from "../codec/errors.ts";
import { demandOf, type ContainerDemand } from "./demand.ts";

/** Around every call of `sampan.v1`. */
export const nativeInterceptor = (hooks: CallHooks<ContainerDemand>): Interceptor =>
  callInterceptor(hooks, { toError: toConnectError, demandOf });
