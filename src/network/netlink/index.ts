export * from "./operation.ts";
export * from "./route/link.ts";
export * from "./route/objects.ts";
export * from "./route/request.ts";
export * from "./route/statistics.ts";
export * as nftables from "./nftables/index.ts";
