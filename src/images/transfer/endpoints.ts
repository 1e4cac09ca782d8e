import type { Descriptor, Digest } from "#spec";

/** Where an image comes from: the store, a registry, an archive or a folder. */
export interface ImageReader {
  /**
   * Bytes of a manifest or index, verified by its digest.
   *
   * @throws SampanError `not-found`, `data-loss`, and what else the place fails with
   */
  readManifest(descriptor: Descriptor, signal: AbortSignal): Promise<Uint8Array>;

  /** Streams a blob from `offset` on; whoever takes it verifies it. May be called again. */
  readBlob(descriptor: Descriptor, offset: number, signal: AbortSignal): AsyncIterable<Uint8Array>;

  /**
   * What refers to a manifest there: signatures, attestations and the like. Undefined where a place has no such thing.
   *
   * @throws SampanError
   */
  readonly referrers?: (digest: Digest, signal: AbortSignal) => Promise<readonly Descriptor[]>;

  /** Told that a blob's bytes were wrong: whether they can be had from elsewhere, when they are read again. */
  readonly distrust?: (descriptor: Descriptor) => Promise<boolean>;
}

/** What became of a blob: copied, there already, or taken over from elsewhere at the same place. */
export type Written = "done" | "exists" | "mounted";

/**
 * What a manifest is to an image: its own, which gets the name; what that leads to; or what refers to it, which is only
 * found by that.
 */
export type ManifestRole = "root" | "part" | "referrer";

/** Where an image goes to. */
export interface ImageWriter {
  /** Blobs that it takes at once. */
  readonly parallel: number;

  /**
   * Stores a blob, unless it is there. Verifies it. Idempotent.
   *
   * @param onProgress bytes so far
   */
  writeBlob(
    descriptor: Descriptor,
    source: (offset: number) => AsyncIterable<Uint8Array>,
    onProgress: (current: number) => void,
    signal: AbortSignal,
  ): Promise<Written>;

  /**
   * Stores a manifest or index, once all that it leads to is stored.
   */
  writeManifest(descriptor: Descriptor, bytes: Uint8Array, role: ManifestRole, signal: AbortSignal): Promise<void>;
}
