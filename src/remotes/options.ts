import type { CredentialSource } from "./credentials.ts";

/** How often and how long a failed request is tried again. */
export interface RetryOptions {
  /** Tries in all, at least 1; for a blob, tries in a row that brought nothing. */
  readonly attempts: number;
  /** Milliseconds before the second try; doubled for each further one, with jitter. */
  readonly delay: number;
  /** Longest wait in milliseconds, also of a registry's Retry-After. */
  readonly maxDelay: number;
}

export interface RegistryOptions {
  /** Where user names and passwords come from; anonymous by default. */
  readonly credentials?: CredentialSource;
  /**
   * Registries (`host[:port]`) whose certificate is not verified and that may speak plain http. Those on a loopback
   * address always may.
   */
  readonly insecure?: readonly string[];
  /** Milliseconds until a connection must be made. */
  readonly connectTimeout?: number;
  /** Milliseconds without a byte after which a connection counts as broken; there is no limit for a whole transfer. */
  readonly stallTimeout?: number;
  readonly retry?: Partial<RetryOptions>;
  /**
   * Blobs are pushed in parts of at most this many bytes, for registries behind something that limits a request's size. In
   * one request by default, and in parts of 32 MiB where that is refused as too large.
   */
  readonly uploadChunk?: number;
}

/** Options with their defaults filled in. */
export interface Settings {
  readonly credentials: CredentialSource;
  readonly insecure: ReadonlySet<string>;
  readonly connectTimeout: number;
  readonly stallTimeout: number;
  readonly retry: RetryOptions;
  readonly uploadChunk: number;
}

export function settingsOf(options: RegistryOptions): Settings {
  return {
    credentials: options.credentials ?? (() => undefined),
    insecure: new Set(options.insecure),
    connectTimeout: options.connectTimeout ?? 30_000,
    stallTimeout: options.stallTimeout ?? 60_000,
    retry: { attempts: 5, delay: 250, maxDelay: 30_000, ...options.retry },
    uploadChunk: options.uploadChunk ?? Infinity,
  };
}
