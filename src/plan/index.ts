export type * from "./operation.gen.ts";
export type * from "./host-facts.ts";
export type * from "./plan.ts";
export { planContainer } from "./container/plan-container.ts";
export { planExec } from "./container/plan-exec.ts";
