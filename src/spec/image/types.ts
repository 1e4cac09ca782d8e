/** Types of the OCI image-spec 1.1 and of Docker's schema 2, which has the same shape. */

/** `sha256:` and 64 lower-case hexadecimal digits (or sha512 and 128); always checked by `parseDigest` before use. */
export type Digest = string & { readonly __digest: true };

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly osVersion?: string;
}

/** image-spec descriptor.md */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
  readonly artifactType?: string;
}

/** image-spec manifest.md */
export interface ImageManifest {
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  /** What it refers to: the image that a signature is of, for example. */
  readonly subject?: Descriptor;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** image-spec image-index.md */
export interface ImageIndex {
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
  /** What it refers to. */
  readonly subject?: Descriptor;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Durations in milliseconds; 0 where the image does not say. */
export interface ImageHealthcheck {
  /** `["CMD", …]`, `["CMD-SHELL", script]` or `["NONE"]`. */
  readonly test: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}

/** image-spec config.md, `config`: how to run the image. Missing lists are empty here. */
export interface ImageRunConfig {
  /** `user`, `uid`, `user:group`, `uid:gid`, or empty. */
  readonly user: string;
  readonly exposedPorts: readonly string[];
  readonly env: readonly string[];
  /** Undefined when the image does not say. */
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly volumes: readonly string[];
  readonly workingDir: string;
  readonly labels: ReadonlyMap<string, string>;
  /** Empty when the image does not say (SIGTERM then). */
  readonly stopSignal: string;
  /** Docker's HEALTHCHECK, which the image-spec has no word for. */
  readonly healthcheck?: ImageHealthcheck;
}

/** image-spec config.md, `history`: how one layer, or a change of the configuration only, came to be. */
export interface HistoryEntry {
  /** RFC 3339, or empty; the other texts may be empty too. */
  readonly created: string;
  readonly createdBy: string;
  readonly comment: string;
  /** No layer belongs to it. */
  readonly emptyLayer: boolean;
}

/** image-spec config.md */
export interface ImageConfig {
  readonly platform: Platform;
  readonly created?: string;
  readonly config: ImageRunConfig;
  /** Digests of the uncompressed layers, bottom first. */
  readonly diffIds: readonly Digest[];
  /** Oldest first; undefined when the image does not say. */
  readonly history?: readonly HistoryEntry[];
}
