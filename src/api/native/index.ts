/** The server's side of `sampan.v1`. The client's is `#client`. */
export type { ApiContext } from "./server/context.ts";
export type { ContainerDemand } from "./server/demand.ts";
export { nativeInterceptor } from "./server/interceptors.ts";
export { nativeRoutes } from "./server/routes.ts";
