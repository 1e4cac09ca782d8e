/** What the APIs over HTTP have in common: what happens around a call, and the statuses that errors have. */
export { callCodes, callError } from "./errors.ts";
export { callerKey, callInterceptor, type CallHooks, type CallProtocol, type CallReport } from "./interceptor.ts";
