/** The server's side of `sampan.v1`. The client's is `#client`. */
export type { ApiContext } from "./server/context.ts";
export { callInterceptor, type CallReport } from "./server/interceptors.ts";
export { nativeRoutes } from "./server/routes.ts";
