export * from "./image/index.ts";
export type * from "./runtime/types.ts";
export type * from "./runtime/attribute-types.ts";
export * from "./runtime/landlock-types.ts";
export type * from "./runtime/resource-types.ts";
export type * from "./runtime/seccomp-types.ts";
export { parseJson, parseRuntimeConfig, parseRuntimeConfigText } from "./runtime/parse.ts";
export { parseSeccompFile } from "./runtime/seccomp-file.ts";
export type * from "./runtime/seccomp-file.ts";
