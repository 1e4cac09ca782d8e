/** The library: `import { Engine } from "sampan"`. */
export { Engine, type ContainerSummary, type EngineOptions, type PullOptions } from "./engine.ts";
export { Container, type RemoveOptions, type StartOptions, type StopOptions } from "./container.ts";
export type { ContainerDetails, ContainerStatus } from "./inspect.ts";
export type { Attachment, AttachOptions, ExecSession, Exited, OnOutput } from "#keel";
export { inspectImage, splitName } from "./image-details.ts";
export type { LogEntry } from "./log-file.ts";
export type { LogOptions } from "./logs.ts";
export type { ContainerOptions, DeviceOption, ExecOptions, MountOption, UlimitOption } from "./options.ts";
export { humanDuration, humanSize, parseBytes, parseInteger } from "./units.ts";
export { SampanError, isSampanError, type ErrorCode, type ErrorFields } from "#errdefs";
export { DatabaseNetworkStore } from "./network-store.ts";
export type { CommitOptions, ContainerFiles, ExportOptions } from "./files/container-files.ts";
export { parseCopyPlace, type CopyOptions, type CopyPlace, type CopyResult } from "./files/copy.ts";
export type { FileChange } from "./files/changes.ts";
