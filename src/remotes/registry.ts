import { createHash } from "node:crypto";
import { dataLoss, invalidArgument, notFound, unsupported } from "#errdefs";
import {
  familiarName,
  familiarRepository,
  isDigest,
  isForeignLayerMediaType,
  isIndexMediaType,
  isLocalReference,
  isSchema1MediaType,
  manifestMediaTypes,
  maxDocumentSize,
  parseManifestDocument,
  selectManifest,
  type Descriptor,
  type Digest,
  type ManifestDocument,
  type Platform,
  type Reference,
} from "#spec";
import { readBlob } from "./blob.ts";
import { Connection } from "./connection.ts";
import { errorDetail } from "./error-detail.ts";
import { statusError } from "./failure.ts";
import { HttpClient, type HttpResponse } from "./http.ts";
import { listReferrers, listTags } from "./listing.ts";
import { uploadManifest } from "./push.ts";
import { uploadBlob, type Uploaded, type UploadSource } from "./upload.ts";
import { decode, isServedType, mediaTypeOf, schema1, verify, wrongSize } from "./served.ts";
import { settingsOf, type RegistryOptions, type Settings } from "./options.ts";

export interface FetchOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface FetchedManifest {
  readonly descriptor: Descriptor;
  /** As served; their digest is the descriptor's. */
  readonly bytes: Uint8Array;
  readonly document: ManifestDocument;
}

const maxIndexDepth = 4;

/**
 * Client of registries that speak the OCI distribution protocol 1.1 (or Docker's registry API v2). Connections and tokens
 * are kept for as long as the object lives. Everything that comes is verified by its digest.
 */
export class Registry implements Disposable {
  readonly #settings: Settings;
  readonly #client: HttpClient;
  readonly #connections = new Map<string, Connection>();

  constructor(options: RegistryOptions = {}) {
    this.#settings = settingsOf(options);
    this.#client = new HttpClient(this.#settings);
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }

  /**
   * Asks whether a registry takes the credentials that this client has for it.
   *
   * @param domain `host[:port]`
   * @throws SampanError `permission-denied` when it does not, `unavailable`
   */
  async checkLogin(domain: string, { signal }: FetchOptions = {}): Promise<void> {
    const connection = new Connection(domain, this.#client, this.#settings);
    const about = `Cannot log in to "${domain}"`;
    const response = await connection.send({ method: "GET", path: "/v2/", scope: "", action: about, signal });
    response.discard();
    if (response.status !== 200) throw statusError(about, response.status, connection.host, "");
  }

  /**
   * Asks what a name stands for, without fetching it where the registry can tell.
   *
   * @param options.platform also look into an index, for the manifest of this platform
   * @throws SampanError `not-found` (no such image, tag or platform), `permission-denied`, `unavailable`, `cancelled`,
   * `data-loss`, `unsupported` (schema 1)
   */
  async resolve(reference: Reference, options: FetchOptions & { platform?: Platform } = {}): Promise<Descriptor> {
    const descriptor = await this.#head(reference, options);
    return options.platform === undefined ? descriptor : this.#select(reference, descriptor, options.platform, options);
  }

  /**
   * Fetches and parses a manifest or an index.
   *
   * @param descriptor from {@link resolve} or an index
   * @throws SampanError like {@link resolve}; `data-loss` when the bytes are not those of the digest
   */
  async fetchManifest(
    reference: Reference,
    descriptor: Descriptor,
    options: FetchOptions = {},
  ): Promise<FetchedManifest> {
    const { digest, size } = descriptor;
    if (size > maxDocumentSize) {
      throw invalidArgument(
        `${action(reference)}: manifest ${digest} has ${size} bytes, at most ${maxDocumentSize} are allowed`,
      );
    }
    const response = await this.#get(reference, digest, options);
    const bytes = await this.#manifestBytes(reference, response, size);
    verify(action(reference), bytes, digest);
    if (bytes.length !== size) throw wrongSize(action(reference), digest, size, bytes.length);
    return {
      descriptor,
      bytes,
      document: parseManifestDocument(decode(action(reference), bytes), descriptor.mediaType),
    };
  }

  /**
   * Streams a blob, and goes on by itself where a connection broke. Never gives more bytes than the descriptor says; the
   * caller verifies the digest. A descriptor's `urls` are never fetched, so that no credentials go there
   * (CVE-2020-15157).
   *
   * @param options.offset first byte wanted
   * @throws SampanError on the first or a later read: `not-found`, `permission-denied`, `unavailable`, `cancelled`,
   * `data-loss` (it ends early, or is longer), `unsupported` (a foreign layer)
   */
  fetchBlob(
    reference: Reference,
    descriptor: Descriptor,
    options: FetchOptions & { offset?: number } = {},
  ): AsyncGenerator<Uint8Array, void, void> {
    if (isForeignLayerMediaType(descriptor.mediaType)) {
      throw unsupported(`${action(reference)}: layer ${descriptor.digest} is held elsewhere, by a foreign URL`, {
        remedy: "Use an image whose registry holds all its layers",
      });
    }
    return readBlob(this.#connection(reference), this.#settings, {
      path: `/v2/${reference.path}/blobs/${descriptor.digest}`,
      scope: scope(reference),
      action: action(reference),
      descriptor,
      offset: options.offset ?? 0,
      signal: options.signal,
    });
  }

  /**
   * Gives a blob to the repository of `reference`, unless that has it.
   *
   * @param source gives the blob's bytes from an offset on; called again for each try
   * @param options.mountFrom repositories of the same registry that may have the blob, e.g. `library/debian`
   * @throws SampanError `data-loss` (the source has other bytes), `permission-denied`, `unavailable`, `cancelled`
   */
  async pushBlob(
    reference: Reference,
    descriptor: Descriptor,
    source: UploadSource,
    options: FetchOptions & {
      readonly mountFrom?: readonly string[];
      readonly onProgress?: ((sent: number) => void) | undefined;
    } = {},
  ): Promise<Uploaded> {
    const { mountFrom = [], onProgress, signal } = options;
    return await uploadBlob(this.#connection(reference, "push"), this.#settings, {
      repository: reference.path,
      action: action(reference, "push"),
      descriptor,
      source,
      mountFrom,
      onProgress,
      signal,
    });
  }

  /**
   * Gives a manifest or index to a registry that has all it refers to, under its tag or (without one) its digest.
   *
   * @throws SampanError `data-loss`, `permission-denied`, `unavailable`, `cancelled`
   */
  async pushManifest(
    reference: Reference,
    descriptor: Descriptor,
    bytes: Uint8Array,
    options: FetchOptions & { readonly tag?: string | undefined } = {},
  ): Promise<void> {
    await uploadManifest(this.#connection(reference, "push"), {
      repository: reference.path,
      action: action(reference, "push"),
      descriptor,
      bytes,
      tag: options.tag,
      signal: options.signal,
    });
  }

  /**
   * All tags of a repository.
   *
   * @throws SampanError `not-found`, `permission-denied`, `unavailable`, `cancelled`, `data-loss`
   */
  async tags(reference: Reference, { signal }: FetchOptions = {}): Promise<readonly string[]> {
    const about = `Cannot list the tags of "${familiarRepository(reference)}"`;
    return await listTags(this.#connection(reference), { repository: reference.path, action: about, signal });
  }

  /**
   * What refers to a manifest of a repository: signatures, attestations and the like.
   *
   * @throws SampanError `permission-denied`, `unavailable`, `cancelled`, `invalid-argument`, `data-loss`
   */
  async referrers(
    reference: Reference,
    digest: Digest,
    { artifactType, signal }: FetchOptions & { readonly artifactType?: string | undefined } = {},
  ): Promise<readonly Descriptor[]> {
    const about = `Cannot list what refers to "${familiarName(reference)}"`;
    const request = { repository: reference.path, action: about, signal, digest, artifactType };
    return await listReferrers(this.#connection(reference), request);
  }

  async #head(reference: Reference, options: FetchOptions): Promise<Descriptor> {
    const response = await this.#connection(reference).send({
      ...this.#manifestRequest(reference, reference.digest ?? reference.tag ?? "latest", options),
      method: "HEAD",
    });
    response.discard();
    const type = mediaTypeOf(response);
    const digest = reference.digest ?? response.header("docker-content-digest");
    const size = Number(response.headers["content-length"] ?? Number.NaN);
    if (response.status === 200 && digest !== undefined && isDigest(digest) && size > 0 && isServedType(type)) {
      if (isSchema1MediaType(type)) throw schema1(action(reference));
      return { mediaType: type, digest, size };
    }
    // HEAD answers carry no reason, and some registries do not know it: the whole GET tells.
    return this.#resolveByGet(reference, options);
  }

  async #resolveByGet(reference: Reference, options: FetchOptions): Promise<Descriptor> {
    const response = await this.#get(reference, reference.digest ?? reference.tag ?? "latest", options);
    const claimed = response.header("docker-content-digest");
    const type = mediaTypeOf(response);
    const bytes = await this.#manifestBytes(reference, response, maxDocumentSize);
    const digest = reference.digest ?? `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    if (!isDigest(digest)) throw dataLoss(`${action(reference)}: the registry names no digest`);
    verify(action(reference), bytes, digest);
    if (claimed !== undefined && isDigest(claimed)) verify(action(reference), bytes, claimed);
    if (isSchema1MediaType(type)) throw schema1(action(reference));
    const document = parseManifestDocument(decode(action(reference), bytes), isServedType(type) ? type : "");
    const parsed = document.kind === "index" ? document.index : document.manifest;
    return { mediaType: parsed.mediaType, digest, size: bytes.length };
  }

  async #select(
    reference: Reference,
    target: Descriptor,
    platform: Platform,
    options: FetchOptions,
  ): Promise<Descriptor> {
    let descriptor = target;
    for (let depth = 0; isIndexMediaType(descriptor.mediaType); depth++) {
      if (depth === maxIndexDepth) throw invalidArgument(`${action(reference)}: its indexes are nested too deep`);
      const { document } = await this.fetchManifest(reference, descriptor, options);
      if (document.kind !== "index") break;
      descriptor = selectManifest(document.index, platform);
    }
    return descriptor;
  }

  async #get(reference: Reference, name: string, options: FetchOptions): Promise<HttpResponse> {
    const connection = this.#connection(reference);
    const response = await connection.send({ ...this.#manifestRequest(reference, name, options), method: "GET" });
    if (response.status === 200) return response;
    const { code, detail } = await errorDetail(response);
    if (response.status !== 404) throw statusError(action(reference), response.status, connection.host, detail);
    const missing =
      code === "NAME_UNKNOWN"
        ? `repository ${reference.path}`
        : name.includes(":")
          ? `manifest ${name}`
          : `tag "${name}"`;
    throw notFound(`${action(reference)}: ${connection.host} has no ${missing}`, {
      status: 404,
      path: familiarName(reference),
      remedy: "Check the image's name and tag",
    });
  }

  #manifestRequest(reference: Reference, name: string, { signal }: FetchOptions) {
    return {
      path: `/v2/${reference.path}/manifests/${name}`,
      scope: scope(reference),
      headers: { accept: manifestMediaTypes.join(", ") },
      action: action(reference),
      signal,
    };
  }

  async #manifestBytes(reference: Reference, response: HttpResponse, limit: number): Promise<Uint8Array> {
    const bytes = await response.bytes(limit);
    if (bytes !== undefined) return bytes;
    throw dataLoss(`${action(reference)}: its manifest is longer than ${limit} bytes`, {
      remedy: "Report it to whoever runs the registry",
    });
  }

  #connection(reference: Reference, verb: "pull" | "push" = "pull"): Connection {
    if (isLocalReference(reference)) {
      if (verb === "push") {
        throw invalidArgument(`${action(reference, verb)}: localhost/ stands for images of this machine`, {
          path: familiarName(reference),
          remedy: "Tag it with a registry's host in front, and push that",
        });
      }
      throw notFound(`${action(reference)}: it is a local image, no registry has it`, {
        path: familiarName(reference),
        remedy: "Check the name, or write the registry's host in front of it",
      });
    }
    let connection = this.#connections.get(reference.domain);
    if (connection === undefined) {
      connection = new Connection(reference.domain, this.#client, this.#settings);
      this.#connections.set(reference.domain, connection);
    }
    return connection;
  }
}

function action(reference: Reference, verb: "pull" | "push" = "pull"): string {
  return `Cannot ${verb} "${familiarName(reference)}"`;
}

function scope(reference: Reference): string {
  return `repository:${reference.path}:pull`;
}
