import type { Digest } from "#spec";

export type TransferStatus =
  | "waiting"
  | "pulling"
  | "pushing"
  | "saving"
  | "loading"
  | "copying"
  | "done"
  | "exists"
  | "mounted"
  | "partial";

/** What happens to one blob of a pull, push or copy. Sent often (some 10 a MiB): whoever shows it chooses when to draw. */
export interface PullProgress {
  readonly digest: Digest;
  /**
   * `waiting` → `pulling` (downloaded, verified and unpacked in one pass), `pushing` and so on → `done`, or `exists` (it
   * was there) or `mounted` (the registry took it over from another repository).
   * `partial` is said of an index of which only the platform that is here was saved.
   */
  readonly status: TransferStatus;
  /** Compressed bytes so far. */
  readonly current: number;
  /** Compressed bytes in all. */
  readonly total: number;
}

export type OnProgress = (progress: PullProgress) => void;
