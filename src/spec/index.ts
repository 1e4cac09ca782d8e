export type * from "./image/types.ts";
