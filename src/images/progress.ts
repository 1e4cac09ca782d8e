import type { Digest } from "#spec";

/** What happens to one layer of a pull. Sent often (some 10 a MiB): whoever shows it chooses when to draw. */
export interface PullProgress {
  readonly digest: Digest;
  /** `waiting` → `pulling` (downloaded, verified and unpacked in one pass) → `done`, or `exists` from the start. */
  readonly status: "waiting" | "pulling" | "done" | "exists";
  /** Compressed bytes so far. */
  readonly current: number;
  /** Compressed bytes in all. */
  readonly total: number;
}

export type OnProgress = (progress: PullProgress) => void;
