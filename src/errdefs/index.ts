export { errnoName, errnoNumber, errnoText } from "./errno.ts";
export * from "./sampan-error.ts";
export { fromSystemError } from "./system.ts";
