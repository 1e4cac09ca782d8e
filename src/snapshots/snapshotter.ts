/**
 * Where root filesystems live on disk.
 *
 * Terms: a **layer** is committed and never changes again. Its key is its chain id, which stands for the layer and all
 * below it (image-spec config.md, "Layer ChainID"), so that images share layers. A **snapshot** is the writable filesystem
 * of one container on top of a layer; its key is an id that the caller chooses. A **root source** says how to make a root
 * filesystem of either, for the operations `root-overlay` and `root-bind`: nothing is mounted here.
 *
 *   extract(key, parent, fill)   nothing ──> layer        as a whole, or not at all
 *   prepare(id, parent)          layer ───> snapshot      writable
 *   view(parent)                 layer ───> root source   read-only, leaves nothing to remove
 *   remove(key or id)            ───> nothing
 *
 * All state is on disk, and readable by another process at any time. Which layers and snapshots are needed is the caller's
 * to know: nothing here counts references, but a layer with something on top of it is not removed.
 */
import type { Digest } from "#spec";

export type ChainId = Digest;

/** Key of a layer, or id of a snapshot; a chain id has a `:` in it and an id never has. */
export type SnapshotKey = ChainId | string;

/** How to make a root filesystem. All paths are absolute. */
export type RootSource =
  | {
      readonly kind: "overlay";
      /** Read-only layers, top first; never empty. */
      readonly lower: readonly string[];
      /** Writable directory; empty for a read-only root. */
      readonly upper: string;
      /** Overlayfs' own directory; empty with `upper`. */
      readonly work: string;
    }
  | {
      readonly kind: "directory";
      /** To be bound, read-only for a view. */
      readonly path: string;
    };

/** What `fill` has found out about the layer; `LayerStats` of `#archive` has all of it. */
export interface LayerFacts {
  /** Directories that take their owner and mode from a lower layer, parents first, `.` for the root. */
  readonly implied?: readonly string[];
  /** The layer hides everything below it. */
  readonly opaque?: boolean;
}

/**
 * Makes a layer's entries in `directory`. With `overlay` it is empty, and whiteouts are written as overlayfs has them;
 * without, it holds a copy of the layers below, from which whiteouts remove.
 */
export type Fill = (directory: string, options: { readonly overlay: boolean }) => Promise<LayerFacts>;

export interface SnapshotInfo {
  readonly key: SnapshotKey;
  readonly kind: "layer" | "snapshot";
  /** The layer below, undefined for none. */
  readonly parent: ChainId | undefined;
}

export interface Usage {
  /** On disk, of this layer or snapshot alone; a file with several names counts once. */
  readonly bytes: number;
  readonly inodes: number;
}

/** Something wrong with a layer or snapshot on disk. */
export interface SnapshotProblem {
  readonly key: SnapshotKey;
  readonly kind: SnapshotInfo["kind"];
  /** A few words, e.g. `its content is missing`. */
  readonly state: string;
}

export interface Snapshotter {
  /** Where it keeps all, on one filesystem. */
  readonly directory: string;

  /**
   * Makes a layer and commits it by one rename. Idempotent: does nothing, and does not call `fill`, when the layer is
   * there; a call while another for the same key is running waits for that one; when another process makes the same layer,
   * the first one that commits wins. After a failure of `fill` nothing is left.
   *
   * The layers of an image can be extracted side by side: where layers do not depend on each other `fill` is called at
   * once, and a layer is committed after its parent. The parent must be there, or its `extract` must have been called
   * before in this process.
   *
   * Nothing is flushed to disk: `fill` does that (the `sync` option of `applyLayer`) where a layer has to survive a power cut.
   *
   * @throws SampanError `failed-precondition` without the parent; what `fill` throws
   */
  extract(key: ChainId, parent: ChainId | undefined, fill: Fill): Promise<void>;

  /**
   * Makes a writable snapshot. Not idempotent.
   *
   * @throws SampanError `already-exists`; `not-found` without the parent; `invalid-argument` for an id that is none
   */
  prepare(id: string, parent: ChainId | undefined): Promise<RootSource>;

  /** The root source that `prepare` gave. @throws SampanError `not-found` */
  mounts(id: string): Promise<RootSource>;

  /** A root source to be used read-only. @throws SampanError `not-found` */
  view(parent: ChainId): Promise<RootSource>;

  /**
   * Removes a layer or a snapshot, which must not be mounted. Idempotent: nothing happens when it is not there. It is gone
   * as a whole, also when the process ends meanwhile; then `cleanup` removes what is left of it.
   *
   * @throws SampanError `failed-precondition` for a layer with something on top of it
   */
  remove(key: SnapshotKey): Promise<void>;

  has(key: SnapshotKey): Promise<boolean>;

  /** @throws SampanError `not-found` */
  stat(key: SnapshotKey): Promise<SnapshotInfo>;

  /** In no order. */
  list(): Promise<SnapshotInfo[]>;

  /** Reads the whole tree. @throws SampanError `not-found` */
  usage(key: SnapshotKey): Promise<Usage>;

  /** Layers and snapshots whose parts are not all there, or that stand on a layer that is not. */
  problems(): Promise<SnapshotProblem[]>;

  /**
   * Takes a broken layer away, whatever stands on it, so that it can be extracted again. Mounted roots keep what they have
   * of it. Idempotent.
   */
  discardLayer(key: ChainId): Promise<void>;

  /** Directory of a layer's own content, where the snapshotter keeps layers apart; undefined where it does not. */
  contentOf(key: ChainId): string | undefined;

  /** Removes what processes that have ended left half-made. To be called at start; safe while others work. */
  cleanup(): Promise<void>;
}
