/** The library: `import { Engine } from "sampan"`. */
export { Engine } from "./engine.ts";
export type { EngineOptions, PullOptions } from "./engine-options.ts";
export type { ContainerEngine, ContainerHandle, ImageReference, TransferOptions } from "./interface.ts";
export { Container, type RemoveOptions, type StartOptions, type StopOptions } from "./container.ts";
export type { ContainerDetails, ContainerStatus } from "./inspect.ts";
export type { EngineEvent, EventType } from "./events/event.ts";
export type { EventFilters } from "./events/filter.ts";
export type { ReadOptions as EventOptions } from "./events/read-journal.ts";
export { looksAtEnded, type ContainerFilters } from "./lifecycle/container-filter.ts";
export type { ContainerSummary } from "./lifecycle/summary.ts";
export type { Health, HealthOptions, ProbeResult } from "./supervise/health.ts";
export type { SuperviseOptions } from "./supervise/supervisor.ts";
export type { PodNamespace, PodOptions, PodRecord } from "./pods/pod-book.ts";
export type { PodForwards } from "./pods/forwards.ts";
export type { Pod, Pods } from "./pods/pods.ts";
export type { SecretOption } from "./secrets/secrets.ts";
export type { ContainerStats } from "./stats/container-stats.ts";
export type { Measurements, RunningContainer } from "./stats/measurements.ts";
export type { StatsOptions } from "./stats/watch-stats.ts";
export type { VolumeFilters } from "./volumes/volume-filter.ts";
export type { Volume, VolumeOptions, Volumes } from "./volumes/volumes.ts";
export type { ProcessTable } from "./lifecycle/top.ts";
export type { ActualLimits } from "./lifecycle/actual-limits.ts";
export type { UpdateOptions } from "./lifecycle/update.ts";
export type { WaitCondition } from "./lifecycle/wait.ts";
export { decodeName } from "#keel";
export { parseSignal } from "./process-config.ts";
export type { IdMapOption, IsolationOptions } from "./isolation-options.ts";
export type { Attachment, AttachOptions, ExecSession, Exited, OnOutput } from "#keel";
export { inspectImage, splitName } from "./image-details.ts";
export type { ExitStatus } from "#runtime";
export type { ImageHistory, ImageSummary, LoadedImage, PullProgress, PushedImage, RemovedImage } from "#images";
export type { LogEntry } from "./log-file.ts";
export type { LogOptions } from "./logs.ts";
export { enginePaths, type EnginePaths } from "./paths.ts";
export type {
  ContainerOptions,
  DeviceOption,
  DeviceRate,
  ExecOptions,
  MountOption,
  NetworkOption,
  UlimitOption,
} from "./options.ts";
export { humanDuration, humanSize, parseBytes, parseInteger } from "./units.ts";
export { SampanError, isSampanError, type ErrorCode, type ErrorFields } from "#errdefs";
export { DatabaseNetworkStore } from "./network-store.ts";
export { EngineNetworks, type NetworkDetails } from "./network/api.ts";
export type { CniStatus, EngineCni } from "./network/cni-api.ts";
export type { CniContainerOptions, CniSettings } from "./network/cni-settings.ts";
export type { CreateNetworkOptions, NetworkRecord, PublishedPort } from "#network";
export type { RefusedEgress } from "./network/egress-log.ts";
export { DatabaseNameSource } from "./name-source.ts";
export { harmless as harmlessFindings, type Finding } from "#images";
export type { DiskUsage } from "./housekeeping/disk-usage.ts";
export { parseDuration } from "./housekeeping/prune-filters.ts";
export type { CommitOptions, ContainerFiles, ExportOptions } from "./files/container-files.ts";
export { parseCopyPlace, type CopyOptions, type CopyPlace, type CopyResult } from "./files/copy.ts";
export type { FileChange } from "./files/changes.ts";
