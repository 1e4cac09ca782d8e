import type { Descriptor, Digest } from "#spec";

/** What a blob must be before it is taken. */
export type Expected = Pick<Descriptor, "digest" | "size">;

/**
 * Gives a blob's bytes from `offset` to its end. It is called once, with an offset above 0 when an earlier ingest was
 * interrupted. Chunks must not be changed after they were given.
 */
export type BlobSource = (offset: number) => AsyncIterable<Uint8Array>;

/** Told of a blob. */
export type OnVisible = (digest: Digest) => void;

/** Of ingests: how many, and their size so far. */
export interface CleanedIngests {
  readonly count: number;
  readonly bytes: number;
}

/**
 * A content-addressed store. A **blob** is bytes named by their digest; once visible it is whole, verified and never
 * changes. An **ingest** is a blob on its way in: not visible, left behind by an interruption, and taken up again by the
 * next write of the same blob.
 *
 *     source ──write/tee──> ingest ──digest verified, fsync, rename──> blob ──delete──> gone
 */
export interface ContentStore {
  /** Where it keeps all, on one filesystem. */
  readonly directory: string;

  /** Whether the blob is there. */
  has(digest: Digest): boolean;

  /** Size of the blob in bytes, or undefined when it is not there. */
  size(digest: Digest): number | undefined;

  /**
   * Reads a small blob whole and verifies it.
   *
   * @param limit largest size in bytes
   * @throws SampanError `not-found`; `resource-exhausted` when it is larger; `data-loss` when the disk gives other bytes
   */
  readBytes(digest: Digest, limit: number): Promise<Uint8Array>;

  /**
   * Reads a blob in chunks of at most 1 MiB, not verified again. Stopping early is fine.
   *
   * @throws SampanError `not-found`, on the first read
   */
  openRead(digest: Digest): AsyncIterable<Uint8Array>;

  /**
   * Stores a blob; does nothing when it is there already. Writers of the same blob, in one process or several, wait for
   * the first one, and go on where it stopped when it does not come to its end.
   *
   * @param signal ends the waiting
   * @param onVisible called just before the blob can be seen, which is not flushed to the disk then: that is the caller's to do
   * @throws SampanError `data-loss` when the source gives other bytes than expected (nothing is kept then), and whatever
   * the source throws (what came so far is kept for the next try)
   */
  write(expected: Expected, source: BlobSource, signal?: AbortSignal, onVisible?: OnVisible): Promise<void>;

  /**
   * Like {@link write}, and gives every byte of the blob, from its start, to the caller as it passes, in one pass. The
   * blob is verified and visible when the iteration ends; until then the caller must not trust what it was given.
   * Stopping early keeps what came so far as an ingest.
   */
  tee(
    expected: Expected,
    source: BlobSource,
    signal?: AbortSignal,
    onVisible?: OnVisible,
  ): AsyncGenerator<Uint8Array, void, void>;

  /**
   * Stores bytes whose digest is not known before, under their sha256 digest. A chunk must stay as it is until the next one
   * is asked for.
   *
   * @param hold called when the digest is known and before the blob can be seen: for a lease, so that nobody collects it
   * @throws whatever the source and `hold` throw; nothing is kept then
   */
  add(source: AsyncIterable<Uint8Array>, hold?: (digest: Digest) => Promise<void>): Promise<Expected>;

  /** Removes what interrupted writes left of a blob, unless a living process works on it. Idempotent. */
  forgetIngests(digest: Digest): void;

  /** Removes a blob. Idempotent; readers that have it open read on. Returns whether it was there. */
  delete(digest: Digest): boolean;

  /**
   * Reads a blob to its end, and compares.
   *
   * @returns undefined when it is right, and otherwise what is wrong, in a few words
   * @throws SampanError `not-found`
   */
  verify(digest: Digest, signal?: AbortSignal): Promise<string | undefined>;

  /** Moves a damaged blob to `content/damaged`, where nobody takes it for a blob; gives its new path. */
  setAside(digest: Digest): string;

  /** Files where blobs are kept whose names are no digests. */
  strangers(): readonly string[];

  /** All blobs, in no order. */
  list(): Iterable<Digest>;

  /**
   * Removes ingests that no living process works on.
   *
   * @param minimumAge only those that were last written this many milliseconds ago, 0 for all
   * @returns what was removed
   */
  cleanIngests(minimumAge: number): CleanedIngests;

  /** What of blobs has come that are not whole yet, whether somebody works on it or not. */
  ingests(): CleanedIngests;
}
