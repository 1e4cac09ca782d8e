export {
  exitStatus,
  lostStatus,
  Runtime,
  type CreateContainer,
  type CreatedContainer,
  type RuntimeOptions,
} from "./runtime.ts";
export { handlerEnvironment, runHandler, runProgram } from "./handlers/commands.ts";
export { executeUpdate } from "./execute-update.ts";
export { readState, type ExitStatus, type RuntimeState } from "./state.ts";
export { fromHere, readBundle, readConfigFile, type Bundle } from "./oci/bundle.ts";
export { checkContainerId } from "./oci/container-id.ts";
export { execInContainer, type OciExecOptions, type OciSession } from "./oci/oci-exec.ts";
export { OciRuntime, type OciContainer, type OciCreateOptions } from "./oci/oci-runtime.ts";
export type { OciRecord } from "./oci/record.ts";
export type { OciState, OciStatus } from "./oci/status.ts";
export { pauseContainer, resumeContainer } from "./oci/oci-freezer.ts";
export { updateContainer } from "./oci/oci-update.ts";
export { changeMounts } from "./oci/oci-mounts.ts";
export { watchOomKills, type OomWatchOptions } from "./oom-watch.ts";
export { oomEvent, statsEvent } from "./stats-event.ts";
