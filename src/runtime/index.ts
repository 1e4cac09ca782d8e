export {
  exitStatus,
  lostStatus,
  Runtime,
  type CreateContainer,
  type CreatedContainer,
  type RuntimeOptions,
} from "./runtime.ts";
export { readState, type ExitStatus, type RuntimeState } from "./state.ts";
export { watchOomKills, type OomWatchOptions } from "./oom-watch.ts";
export { oomEvent, statsEvent } from "./stats-event.ts";
