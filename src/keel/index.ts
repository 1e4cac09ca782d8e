export type { CreateOptions, Executor, LayerEntry, LayerSink } from "./executor.ts";
export { KeelExecutor, type KeelOptions } from "./keel-executor.ts";
export { keelPath } from "./location.ts";
export { RecordingExecutor } from "./recording-executor.ts";
export type { Attachment, ExecSession, Exited, OnOutput } from "./attachment.ts";
export { MonitorClient, type AttachOptions, type ExecOptions, type MonitorStatus } from "./monitor-client.ts";
export { failure } from "./failure.ts";
export { startOrphan } from "./starter.ts";
