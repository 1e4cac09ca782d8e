export * from "./expression.ts";
export * from "./objects.ts";
export * from "./request.ts";
