export { Database, openDatabase } from "./database.ts";
export { displayName, hostPlatform, type ImageSummary, type ResolvedImage } from "./image-store.ts";
export { Images, type ImagesOptions, type PullOptions, type PushOptions } from "./images.ts";
export { defaultLimits, type LayerLimits } from "./layer-stream.ts";
export type { OnProgress, PullProgress, TransferStatus } from "./progress.ts";
export type { PulledImage } from "./pull.ts";
export type { InUse, RemovedImage } from "./remove.ts";
export type { PushedImage } from "./push.ts";
export type { ImageHistory } from "./history.ts";
