import { createHash } from "node:crypto";
import { dataLoss, invalidArgument, notFound, resourceExhausted, unsupported } from "#errdefs";
import {
  familiarName,
  familiarRepository,
  isDigest,
  isForeignLayerMediaType,
  isIndexMediaType,
  isLocalReference,
  isSchema1MediaType,
  manifestMediaTypes,
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
import { registryHosts } from "./endpoint.ts";
import { HostList, type Patience } from "./host-list.ts";
import { readHosts } from "./hosts-directory.ts";
import { HttpClient, type HttpResponse } from "./http.ts";
import { listReferrers, listTags } from "./listing.ts";
import { uploadManifest } from "./push.ts";
import { addToFallbackIndex } from "./referrers-tag.ts";
import { removeByDigest, removeTag } from "./remove.ts";
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
  readonly #hosts = new Map<string, Promise<HostList>>();

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
    const about = `Cannot log in to "${domain}"`;
    const connection = (await this.#hostsOf(domain)).own(about);
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
    const about = action(reference);
    const { maxManifestSize } = this.#settings;
    if (size > maxManifestSize) throw tooLarge(about, `manifest ${digest} has ${size} bytes`, maxManifestSize);
    const hosts = await this.#hostsFor(reference);
    return await hosts.first("pull", about, async (connection, patience) => {
      const { bytes } = await this.#get(connection, patience, reference, digest, options, size);
      if (bytes === undefined) throw wrongSize(about, digest, size, "more");
      verify(about, bytes, digest);
      if (bytes.length !== size) throw wrongSize(about, digest, size, bytes.length);
      return { descriptor, bytes, document: parseManifestDocument(decode(about, bytes), descriptor.mediaType) };
    });
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
    return this.#readBlob(reference, descriptor, options);
  }

  async *#readBlob(
    reference: Reference,
    descriptor: Descriptor,
    options: FetchOptions & { offset?: number },
  ): AsyncGenerator<Uint8Array, void, void> {
    const about = action(reference);
    const hosts = await this.#hostsFor(reference);
    yield* hosts.stream(descriptor.digest, about, options.offset ?? 0, (connection, patience, offset) =>
      readBlob(connection, this.#settings, {
        path: `/v2/${reference.path}/blobs/${descriptor.digest}`,
        scope: scope(reference),
        action: about,
        descriptor,
        offset,
        signal: options.signal,
        ...patience,
      }),
    );
  }

  /**
   * Says that a blob that {@link fetchBlob} gave was damaged: the mirror that gave it is not asked for it again.
   *
   * @returns whether there is another host to ask
   */
  async distrust(reference: Reference, descriptor: Descriptor): Promise<boolean> {
    return (await this.#hostsFor(reference)).distrust(descriptor.digest);
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
    const about = action(reference, "push");
    return await uploadBlob((await this.#hostsFor(reference, "push")).writer(about), this.#settings, {
      repository: reference.path,
      action: about,
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
    const about = action(reference, "push");
    const connection = (await this.#hostsFor(reference, "push")).writer(about);
    const upload = {
      repository: reference.path,
      action: about,
      descriptor,
      bytes,
      tag: options.tag,
      signal: options.signal,
    };
    if (!(await uploadManifest(connection, upload))) await addToFallbackIndex(connection, upload);
  }

  /**
   * All tags of a repository.
   *
   * @throws SampanError `not-found`, `permission-denied`, `unavailable`, `cancelled`, `data-loss`
   */
  async tags(reference: Reference, { signal }: FetchOptions = {}): Promise<readonly string[]> {
    const about = `Cannot list the tags of "${familiarRepository(reference)}"`;
    const hosts = await this.#hostsFor(reference);
    const request = { repository: reference.path, action: about, signal, limit: this.#settings.maxManifestSize };
    return await hosts.first(
      "resolve",
      about,
      async (connection, patience) => await listTags(connection, { ...request, ...patience }),
    );
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
    const limit = this.#settings.maxManifestSize;
    const request = { repository: reference.path, action: about, signal, limit, digest, artifactType };
    const hosts = await this.#hostsFor(reference);
    return await hosts.first(
      "referrers",
      about,
      async (connection, patience) => await listReferrers(connection, { ...request, ...patience }),
    );
  }

  /**
   * Deletes from a registry: a tag, or the manifest or (with `blob`) the blob of a digest.
   *
   * @param options.force also a manifest with further tags, in place of a tag that the registry can't delete alone
   * @returns what was deleted
   * @throws SampanError `not-found`, `permission-denied`, `failed-precondition`, `unavailable`, `cancelled`
   */
  async remove(
    reference: Reference,
    options: FetchOptions & { readonly blob?: boolean; readonly force?: boolean } = {},
  ): Promise<"tag" | "manifest" | "blob"> {
    const about = `Cannot delete "${familiarName(reference)}"`;
    const { signal, blob = false, force = false } = options;
    const connection = (await this.#hostsFor(reference, "push")).writer(about);
    const request = { repository: reference.path, action: about, signal };
    const { domain, path, digest, tag = "latest" } = reference;
    if (digest !== undefined) {
      await removeByDigest(connection, request, blob ? "blobs" : "manifests", digest);
      return blob ? "blob" : "manifest";
    }
    if (blob) throw invalidArgument(`${about}: a blob has a digest, and no tag`);
    return await removeTag(connection, request, tag, {
      force,
      resolve: async (other) => (await this.resolve({ domain, path, tag: other }, { signal })).digest,
      tags: async () => await this.tags(reference, { signal }),
    });
  }

  /** Names are for hosts that may say what they stand for; a digest is what it is wherever it comes from. */
  async #head(reference: Reference, options: FetchOptions): Promise<Descriptor> {
    const hosts = await this.#hostsFor(reference);
    const capability = reference.digest === undefined ? "resolve" : "pull";
    return await hosts.first(
      capability,
      action(reference),
      async (connection, patience) => await this.#headAt(connection, patience, reference, options),
    );
  }

  async #headAt(
    connection: Connection,
    patience: Patience,
    reference: Reference,
    options: FetchOptions,
  ): Promise<Descriptor> {
    const response = await connection.send({
      ...this.#manifestRequest(reference, reference.digest ?? reference.tag ?? "latest", options),
      ...patience,
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
    return await this.#resolveByGet(connection, patience, reference, options);
  }

  async #resolveByGet(
    connection: Connection,
    patience: Patience,
    reference: Reference,
    options: FetchOptions,
  ): Promise<Descriptor> {
    const about = action(reference);
    const name = reference.digest ?? reference.tag ?? "latest";
    const { maxManifestSize } = this.#settings;
    const { response, bytes } = await this.#get(connection, patience, reference, name, options, maxManifestSize);
    const claimed = response.header("docker-content-digest");
    const type = mediaTypeOf(response);
    if (bytes === undefined) throw tooLarge(about, "its manifest is longer", maxManifestSize);
    const digest = reference.digest ?? `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    if (!isDigest(digest)) throw dataLoss(`${about}: the registry names no digest`);
    verify(about, bytes, digest);
    if (claimed !== undefined && isDigest(claimed)) verify(about, bytes, claimed);
    if (isSchema1MediaType(type)) throw schema1(about);
    const document = parseManifestDocument(decode(about, bytes), isServedType(type) ? type : "");
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

  async #get(
    connection: Connection,
    patience: Patience,
    reference: Reference,
    name: string,
    options: FetchOptions,
    limit: number,
  ): Promise<{ readonly response: HttpResponse; readonly bytes: Uint8Array | undefined }> {
    const request = this.#manifestRequest(reference, name, options);
    const { response, bytes } = await connection.sendForBytes({ ...request, ...patience, method: "GET" }, limit);
    if (response.status === 200) return { response, bytes };
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

  async #hostsFor(reference: Reference, verb: "pull" | "push" = "pull"): Promise<HostList> {
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
    return await this.#hostsOf(reference.domain);
  }

  /** Read once for each registry. */
  async #hostsOf(domain: string): Promise<HostList> {
    const known = this.#hosts.get(domain);
    if (known !== undefined) return await known;
    const made = this.#readHosts(domain);
    this.#hosts.set(domain, made);
    // What could not be read may be there the next time.
    made.catch(() => this.#hosts.delete(domain));
    return await made;
  }

  async #readHosts(domain: string): Promise<HostList> {
    const configs = await readHosts(domain, this.#settings.hostsDirectories);
    const hosts = registryHosts(domain, configs, this.#settings.insecure);
    const connections = hosts.map((host) => new Connection(host, this.#client, this.#settings));
    return new HostList(domain, connections, this.#settings);
  }
}

function tooLarge(about: string, state: string, limit: number): Error {
  return resourceExhausted(`${about}: ${state}, at most ${limit} bytes are allowed`, {
    remedy: "Report it to whoever made the image, or allow more with maxManifestSize",
  });
}

function action(reference: Reference, verb: "pull" | "push" = "pull"): string {
  return `Cannot ${verb} "${familiarName(reference)}"`;
}

function scope(reference: Reference): string {
  return `repository:${reference.path}:pull`;
}
