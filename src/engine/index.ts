/** The library: `import { Engine } from "sampan"`. */
export { Engine, type EngineOptions, type PullOptions } from "./engine.ts";
export type { ContainerEngine, ContainerHandle, ImageReference, TransferOptions } from "./interface.ts";
export type { ContainerSummary } from "./summary.ts";
export { Container, type RemoveOptions, type StartOptions, type StopOptions } from "./container.ts";
export type { ContainerDetails, ContainerStatus } from "./inspect.ts";
export type { Attachment, AttachOptions, ExecSession, Exited, OnOutput } from "#keel";
export { inspectImage, splitName } from "./image-details.ts";
export type { ExitStatus } from "#runtime";
export type { ImageHistory, ImageSummary, LoadedImage, PullProgress, PushedImage, RemovedImage } from "#images";
export type { LogEntry } from "./log-file.ts";
export type { LogOptions } from "./logs.ts";
export type { ContainerOptions, DeviceOption, ExecOptions, MountOption, UlimitOption } from "./options.ts";
export { enginePaths, type EnginePaths } from "./paths.ts";
export { humanDuration, humanSize, parseBytes, parseInteger } from "./units.ts";
export { SampanError, isSampanError, type ErrorCode, type ErrorFields } from "#errdefs";
export { DatabaseNetworkStore } from "./network-store.ts";
