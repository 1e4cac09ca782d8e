export { chainIds } from "./chain.ts";
export { NativeSnapshotter } from "./native-snapshotter.ts";
export { OverlaySnapshotter } from "./overlay-snapshotter.ts";
export type {
  ChainId,
  Fill,
  LayerFacts,
  RootSource,
  SnapshotInfo,
  SnapshotKey,
  Snapshotter,
  Usage,
} from "./snapshotter.ts";
