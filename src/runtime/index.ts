export {
  exitStatus,
  lostStatus,
  Runtime,
  type CreateContainer,
  type CreatedContainer,
  type RuntimeOptions,
} from "./runtime.ts";
export { readState, type ExitStatus, type RuntimeState } from "./state.ts";
