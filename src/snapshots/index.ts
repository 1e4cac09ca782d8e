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
  SnapshotProblem,
  Snapshotter,
  Usage,
} from "./snapshotter.ts";
export { treeUsage } from "./usage.ts";
