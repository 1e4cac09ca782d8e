import { invalidArgument } from "#errdefs";
import { defaultDocumentSize } from "#spec";
import type { CredentialSource } from "./credentials.ts";
import { hostsDirectories } from "./hosts-directory.ts";

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
  /**
   * Directories with what is configured for each registry: mirrors in `hosts.toml`, certificates. `SAMPAN_HOSTS_DIR` or
   * /etc/sampan/certs.d, /etc/containerd/certs.d and /etc/docker/certs.d by default; none with an empty list.
   */
  readonly hostsDirectories?: readonly string[];
  /** Like `connectTimeout`, of a host behind which there is another one; at most its own `dial_timeout`. */
  readonly mirrorConnectTimeout?: number;
  /** Milliseconds until a host behind which there is another one must answer, and between its bytes. */
  readonly mirrorStallTimeout?: number;
  /** Milliseconds for which a mirror that could not be reached is not asked again. */
  readonly mirrorPause?: number;
  /** Requests that one host is sent at once. */
  readonly connections?: number;
  /** Bytes a second of all transfers together; no limit by default. */
  readonly limitRate?: number;
  /** Largest manifest, index, image configuration or list in bytes. */
  readonly maxManifestSize?: number;
  /** Bytes of all headers of an answer. */
  readonly maxHeaderSize?: number;
}

/** Options with their defaults filled in. */
export interface Settings {
  readonly credentials: CredentialSource;
  readonly insecure: ReadonlySet<string>;
  readonly connectTimeout: number;
  readonly stallTimeout: number;
  readonly retry: RetryOptions;
  readonly uploadChunk: number;
  readonly hostsDirectories: readonly string[];
  readonly mirrorConnectTimeout: number;
  readonly mirrorStallTimeout: number;
  readonly mirrorPause: number;
  readonly connections: number;
  readonly limitRate: number;
  readonly maxManifestSize: number;
  readonly maxHeaderSize: number;
}

export function settingsOf(options: RegistryOptions): Settings {
  return {
    credentials: options.credentials ?? (() => undefined),
    insecure: new Set(options.insecure),
    connectTimeout: options.connectTimeout ?? 30_000,
    stallTimeout: options.stallTimeout ?? 60_000,
    retry: { attempts: 5, delay: 250, maxDelay: 30_000, ...options.retry },
    uploadChunk: options.uploadChunk ?? Infinity,
    hostsDirectories: options.hostsDirectories ?? hostsDirectories(),
    mirrorConnectTimeout: options.mirrorConnectTimeout ?? 10_000,
    mirrorStallTimeout: options.mirrorStallTimeout ?? 30_000,
    mirrorPause: options.mirrorPause ?? 60_000,
    connections: positive(options, "connections", 16),
    limitRate: positive(options, "limitRate", Infinity),
    maxManifestSize: positive(options, "maxManifestSize", defaultDocumentSize),
    maxHeaderSize: positive(options, "maxHeaderSize", 64 * 1024),
  };
}

function positive(
  options: RegistryOptions,
  name: "connections" | "limitRate" | "maxManifestSize" | "maxHeaderSize",
  otherwise: number,
): number {
  const value = options[name] ?? otherwise;
  if (value >= 1) return value;
  throw invalidArgument(`Cannot use ${value} for ${name}: it must be at least 1`);
}
