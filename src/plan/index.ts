export type * from "./operation.gen.ts";
