import type { ContentStore } from "#content";
import { invalidArgument, notFound } from "#errdefs";
import type { Executor } from "#keel";
import { Registry, type CredentialSource, type RegistryOptions } from "#remotes";
import type { Snapshotter, Usage } from "#snapshots";
import {
  familiarName,
  familiarRepository,
  parsePlatform,
  parseReference,
  type Digest,
  type Platform,
  type Reference,
} from "#spec";
import { ensureBuiltin, isBuiltin, isBuiltinCurrent } from "./builtin/builtin.ts";
import { assembleImage, type AssembleRequest } from "./assemble.ts";
import type { Database } from "./database.ts";
import { checkStore, type CheckOptions, type Finding } from "./check.ts";
import { parseFilters } from "./filter.ts";
import { collectGarbage, type Collected } from "./garbage.ts";
import { imageHistory, type ImageHistory } from "./history.ts";
import { displayName, ImageStore, recordName, type ImageSummary, type ResolvedImage } from "./image-store.ts";
import { defaultLimits, type ImageLimits } from "./layer-stream.ts";
import { importImage, type ImportOptions } from "./import.ts";
import { manifestAnnotations } from "./manifest-annotations.ts";
import { loadImages, type LoadedImage } from "./load.ts";
import { holdImage } from "./hold-image.ts";
import { Lease } from "./leases.ts";
import { NamedLeases, type NamedLeaseOptions } from "./named-leases.ts";
import type { OnProgress } from "./progress.ts";
import { pullImage, type PulledImage } from "./pull.ts";
import { pushImage, type PushedImage } from "./push.ts";
import { saveImages } from "./save.ts";
import type { Sink } from "./transfer/archive-writer.ts";
import { rebuildImages, type Rebuilt } from "./rebuild.ts";
import { repairStore, type Repair } from "./repair.ts";
import { recoverUnflushed } from "./unflushed.ts";
import { imagesUsage, totalUsage, type ImagesUsage } from "./usage.ts";
import { removeImage, removeUnused, type InUse, type RemovedImage } from "./remove.ts";

export interface ImagesOptions {
  readonly database: Database;
  readonly content: ContentStore;
  readonly snapshotter: Snapshotter;
  readonly executor: Pick<Executor, "openLayer">;
  /** Containers that keep an image from being removed; called within a transaction, and synchronous. None by default. */
  readonly inUse?: InUse;
  readonly registry?: RegistryOptions;
  readonly limits?: Partial<ImageLimits>;
  /** Layers of an image that are fetched and unpacked at once, 4 by default. */
  readonly parallel?: number;
  /**
   * Bytes of compressed layers from which on an image is unpacked in threads of their own, which start keel by themselves;
   * never when it is not given.
   */
  readonly threadsFrom?: number;
  /** Whose names; `default` when it is not given. Blobs and layers are everybody's. */
  readonly namespace?: string;
}

export interface PullOptions {
  /** As `os/architecture[/variant]`; this machine's by default. */
  readonly platform?: string | Platform | undefined;
  /** The whole of an index; pushing, also the platforms that are not here and must be fetched first. */
  readonly allPlatforms?: boolean | undefined;
  readonly onProgress?: OnProgress | undefined;
  /** For this pull, in place of those of `ImagesOptions.registry`. */
  readonly credentials?: CredentialSource | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PushOptions extends PullOptions {
  /** Also what refers to the image where it came from: signatures, attestations and the like. */
  readonly referrers?: boolean | undefined;
}

/** Images of one root directory: pull, list, look up, remove. Several processes may work on one root at once. */
export class Images implements Disposable {
  readonly #options: ImagesOptions;
  readonly #store: ImageStore;
  #registry: Registry | undefined;

  constructor(options: ImagesOptions) {
    this.#options = options;
    this.#store = new ImageStore(options.database, options.namespace);
  }

  [Symbol.dispose](): void {
    this.#registry?.[Symbol.dispose]();
  }

  /**
   * Finds an unpacked image by name, id or beginning of an id; all that a container's start needs, in one quick read. A
   * built-in image counts only while it is made from what the host has now.
   *
   * @param platform must match when it is given; otherwise this machine's is preferred
   * @throws SampanError `not-found`, `failed-precondition` (the beginning of several ids), `invalid-argument`
   */
  resolve(nameOrId: string, platform?: string | Platform): ResolvedImage {
    const image = this.#store.resolve(nameOrId, platformOf(platform));
    if (isBuiltin(image.name) && !isBuiltinCurrent(image.name, this.#options.database, this.#store.namespace)) {
      throw notFound(`Cannot find image "${nameOrId}": it was made from another Node`, {
        path: nameOrId,
        remedy: "Pull it, which makes it anew",
      });
    }
    return image;
  }

  /**
   * Fetches an image from its registry, verifies and unpacks it, and gives it its name. A built-in image is made instead,
   * without any registry.
   *
   * @throws SampanError `not-found` (image, tag or platform), `permission-denied`, `unavailable`, `cancelled`,
   * `data-loss` (damaged), `unsupported`, `resource-exhausted` (too large), `invalid-argument`
   */
  async pull(name: string, options: PullOptions = {}): Promise<PulledImage> {
    const reference = parseReference(name);
    const { onProgress, allPlatforms = false, signal = new AbortController().signal } = options;
    const platform = platformOf(options.platform);
    if (allPlatforms && platform !== undefined) {
      throw invalidArgument(`Cannot pull "${name}": one platform and all of them can't be wanted at once`);
    }
    if (isBuiltin(recordName(reference))) return this.#pullBuiltin(recordName(reference), platform, signal);
    using own = this.#ownRegistry(reference, options);
    const registry = own ?? this.#remote();
    return await pullImage({ reference, platform, allPlatforms, onProgress, signal }, { ...this.#tools(), registry });
  }

  /**
   * The names of all tags of a repository, for {@link pull}; without those that clients keep signatures and the like under
   * (`sha256-…`).
   *
   * @throws SampanError `invalid-argument` when a tag or digest is given, `not-found`, `permission-denied`, `unavailable`
   */
  async remoteNames(repository: string, options: PullOptions = {}): Promise<readonly string[]> {
    const reference = parseReference(repository);
    checkIsRepository(repository, "pull");
    using own = this.#ownRegistry(reference, options);
    const tags = await (own ?? this.#remote()).tags(reference, { signal: options.signal });
    return tags
      .filter((tag) => !/^sha256-[0-9a-f]{64}/.test(tag))
      .map((tag) => displayName(`${repository}:${tag}`))
      .toSorted();
  }

  /**
   * The names of all tags of a repository that are here, for {@link push}.
   *
   * @throws SampanError `invalid-argument` when a tag or digest is given, `not-found` when there is none
   */
  localNames(repository: string): readonly string[] {
    checkIsRepository(repository, "push");
    const wanted = familiarRepository(parseReference(repository));
    const references = this.#store.list().flatMap(({ name }) => (name === undefined ? [] : [parseReference(name)]));
    const found = references.filter((one) => one.digest === undefined && familiarRepository(one) === wanted);
    if (found.length > 0) return [...new Set(found.map(familiarName))].toSorted();
    throw notFound(`Cannot push "${repository}": no image of this repository is on this machine`, {
      path: repository,
      remedy: "Tag one with the repository's name first",
    });
  }

  /** With the credentials of one call, which are for the image's own registry and no mirror of it. */
  #ownRegistry({ domain }: Reference, { credentials }: PullOptions): Registry | undefined {
    if (credentials === undefined) return undefined;
    const others = this.#options.registry?.credentials ?? (() => undefined);
    return new Registry({
      ...this.#registryOptions(),
      credentials: (host) => (host === domain ? credentials(host) : others(host)),
    });
  }

  /**
   * Gives an image to the registry that its name says, byte for byte as it was pulled: under its tag, or by its digest.
   *
   * @throws SampanError `not-found` (no such image here), `failed-precondition` (a layer is neither here nor where the
   * image came from), `permission-denied`, `unavailable`, `cancelled`, `data-loss`, `invalid-argument`
   */
  async push(name: string, options: PushOptions = {}): Promise<PushedImage> {
    const reference = parseReference(name);
    const { onProgress, allPlatforms = false, referrers = false, signal = new AbortController().signal } = options;
    const platform = platformOf(options.platform);
    using own = this.#ownRegistry(reference, options);
    const request = { reference, platform, allPlatforms, referrers, onProgress, signal };
    return await pushImage(request, { ...this.#tools(), registry: own ?? this.#remote() });
  }

  /**
   * Writes images as one archive, an OCI layout and a Docker archive at once, with all platforms that are here.
   *
   * @param sink takes the bytes, one chunk at a time
   * @throws SampanError `not-found`, `failed-precondition`, `data-loss`, `cancelled`; whatever the sink throws
   */
  async save(names: readonly string[], sink: Sink, options: PullOptions = {}): Promise<void> {
    const { onProgress, signal = new AbortController().signal } = options;
    const request = { images: names, platform: platformOf(options.platform), onProgress, signal };
    await saveImages(request, sink, { ...this.#tools(), registry: this.#remote() });
  }

  /**
   * Reads images from a Docker archive or the tar of an OCI layout, which may be compressed with gzip or zstd, as it comes.
   *
   * @throws SampanError `invalid-argument`, `data-loss`, `resource-exhausted` (not an archive of images, or a damaged or
   * hostile one), `not-found` (it is incomplete, or for other platforms), `unsupported`, `cancelled`
   */
  async load(stream: AsyncIterable<Uint8Array>, options: PullOptions = {}): Promise<readonly LoadedImage[]> {
    const { onProgress, signal = new AbortController().signal } = options;
    return await loadImages({ stream, platform: platformOf(options.platform), onProgress, signal }, this.#tools());
  }

  /**
   * Makes an image of a tar archive of files, which may be compressed with gzip or zstd, as its one layer.
   *
   * @param name what it is called, in place of what had the name before; without one it dangles
   * @returns the image's id
   * @throws SampanError `data-loss`, `invalid-argument`, `resource-exhausted` (no archive, or a damaged or hostile one),
   * `cancelled`; nothing is left then
   */
  async import(
    stream: AsyncIterable<Uint8Array>,
    name: string | undefined,
    options: ImportOptions = {},
  ): Promise<Digest> {
    return await importImage(stream, this.#newNames(name), options, this.#tools());
  }

  /**
   * Makes an image of another one's layers and one more.
   *
   * @param name like that of {@link import}
   * @returns the image's id
   * @throws SampanError what the layer's stream throws; nothing is left then
   */
  async assemble(request: Omit<AssembleRequest, "names">, name: string | undefined): Promise<Digest> {
    return await assembleImage({ ...request, names: this.#newNames(name) }, this.#tools());
  }

  /** An image's configuration as it is stored, with fields that are not known here. */
  configText(id: Digest): string {
    return this.#store.configText(id);
  }

  #newNames(name: string | undefined): readonly string[] {
    if (name === undefined) return [];
    const reference = parseReference(name);
    if (reference.digest !== undefined)
      throw invalidArgument(`Cannot name an image "${name}": a digest says itself what it stands for`, { path: name });
    if (isBuiltin(recordName(reference)))
      throw invalidArgument(`Cannot name an image "${name}": that is a built-in one`, { path: name });
    return [recordName(reference)];
  }

  #registryOptions(): RegistryOptions {
    const { limits, registry } = this.#options;
    return { ...(limits?.documentSize !== undefined && { maxManifestSize: limits.documentSize }), ...registry };
  }

  #remote(): Registry {
    return (this.#registry ??= new Registry(this.#registryOptions()));
  }

  async #pullBuiltin(name: string, platform: Platform | undefined, signal: AbortSignal): Promise<PulledImage> {
    const before = this.#store.targetOf(name);
    await this.ensureBuiltin(name, signal);
    const image = this.#store.resolve(name, platform);
    return { ...image, changed: image.target !== before };
  }

  /**
   * Makes the built-in image `localhost/node` from the pinned Node and the libraries that it links to, unless it is there
   * and current.
   *
   * @throws SampanError `not-found` for another name, or when a library is missing
   */
  async ensureBuiltin(name: string, signal: AbortSignal = new AbortController().signal): Promise<void> {
    await ensureBuiltin(recordName(parseReference(name)), this.#tools(), signal);
  }

  /**
   * All images, the newest first, dangling ones last.
   *
   * @param filters as `reference=PATTERN`, `dangling=true`, `label=KEY[=VALUE]`, `before=IMAGE`, `since=IMAGE`; all must fit
   * @throws SampanError `invalid-argument`; `not-found` for the image of a filter
   */
  list(filters: readonly string[] = []): readonly ImageSummary[] {
    const list = this.#store.list();
    return filters.length === 0 ? list : list.filter(parseFilters(filters, this.#store));
  }

  /**
   * Finds an image and keeps all of it, whoever removes it meanwhile, until the lease is disposed of.
   *
   * @throws SampanError as {@link resolve}
   */
  async hold(nameOrId: string): Promise<ResolvedImage & Disposable> {
    const lease = new Lease(this.#options.database);
    try {
      const find = (): ResolvedImage => this.resolve(nameOrId);
      const image = await holdImage(lease, this.#store, find, new AbortController().signal);
      return { ...image, [Symbol.dispose]: () => lease[Symbol.dispose]() };
    } catch (error) {
      lease[Symbol.dispose]();
      throw error;
    }
  }

  /** Remembers that a container is made of an image, so that others are pruned before it. */
  noteUse(image: ResolvedImage): void {
    this.#store.noteUse(image, Date.now());
  }

  /**
   * Keeps an image from being pruned under this name, or lets go of it.
   *
   * @throws SampanError `not-found`, `invalid-argument`
   */
  pin(name: string, pinned: boolean): void {
    if (this.#store.pin(recordName(parseReference(name)), pinned)) return;
    throw notFound(`Cannot find image "${name}": it is not on this machine`, { path: name, remedy: "Pull it first" });
  }

  /** Leases that outlive the process. */
  get leases(): NamedLeases {
    return new NamedLeases(this.#options.database, this.#store.namespace);
  }

  /**
   * Keeps all of images, whatever becomes of their names, until the lease expires or is ended.
   *
   * @returns the lease's id
   * @throws SampanError `not-found`, `already-exists`, `invalid-argument`
   */
  lease(names: readonly string[], options: NamedLeaseOptions = {}): string {
    return this.#options.database.transaction(() => {
      const id = this.leases.create(options);
      for (const name of names) this.leases.add(id, this.#store.keys(this.#store.resolve(name).target));
      return id;
    });
  }

  /** All blobs of the store, with the names of the images of this namespace that need them. */
  blobs(): readonly { readonly digest: Digest; readonly size: number; readonly images: readonly string[] }[] {
    const { content } = this.#options;
    return [...content.list()].map((digest) => ({
      digest,
      size: content.size(digest) ?? 0,
      images: this.#store.namesWith(digest).map(displayName),
    }));
  }

  /** Annotations of an image's manifest; none when that was lost. */
  async annotations({ manifest }: ResolvedImage): Promise<Readonly<Record<string, string>>> {
    return await manifestAnnotations(manifest, this.#options.content);
  }

  /**
   * What a name stands for, with the size of all its blobs that are here, compressed as they came; undefined for a name that
   * nothing has.
   *
   * @throws SampanError `invalid-argument`
   */
  targetOf(name: string): { readonly digest: Digest; readonly mediaType: string; readonly size: number } | undefined {
    const recorded = recordName(parseReference(name));
    const digest = this.#store.targetOf(recorded);
    if (digest === undefined) return undefined;
    const { content } = this.#options;
    const blobs = this.#store.keys(digest).filter((key) => !key.startsWith("snapshot:")) as Digest[];
    const size = blobs.reduce((sum, blob) => sum + (content.size(blob) ?? 0), 0);
    return { digest, mediaType: this.#store.mediaTypeOf(recorded), size };
  }

  /** What all images of the namespace take on disk, each blob and layer once. */
  async totalUsage(): Promise<Usage> {
    return await totalUsage(this.#store.namespace, this.#tools());
  }

  /** All names of an image, canonical and sorted. */
  names(image: ResolvedImage): readonly string[] {
    return this.#store.names(image.target);
  }

  /** How an image came to be, layer by layer, the newest first. */
  history(image: ResolvedImage): readonly ImageHistory[] {
    return imageHistory(image, this.#store);
  }

  /**
   * Gives an image another name; the image that had it may dangle then.
   *
   * @throws SampanError `not-found`, `invalid-argument`
   */
  tag(nameOrId: string, name: string): void {
    const reference = parseReference(name);
    if (reference.digest !== undefined) {
      throw invalidArgument(`Cannot tag image as "${name}": a digest says itself what it stands for`, { path: name });
    }
    this.#store.tag(recordName(reference), this.#store.resolve(nameOrId), Date.now());
  }

  /**
   * Takes a name away, and deletes the image with its last name.
   *
   * @param options.force also an image by its id that has several names; and one that a container uses, whose data stays
   * as a dangling image
   * @throws SampanError `not-found`, `failed-precondition`
   */
  async remove(nameOrId: string, options: { readonly force?: boolean } = {}): Promise<RemovedImage> {
    const image = this.#store.resolve(nameOrId);
    return removeImage(image, image.name === image.id, options.force ?? false, this.#tools());
  }

  /**
   * Deletes what interrupted work left: blobs and layers that no image needs and nobody works with, and partial downloads.
   *
   * @param grace milliseconds since when that must have been known, a day by default; 0 takes all of it
   */
  async collect(grace?: number): Promise<Collected> {
    return await collectGarbage(this.#tools(), grace);
  }

  /** Like {@link remove}, by what its names stand for, with all its names; never a pinned one. */
  async removeUnused(target: Digest): Promise<RemovedImage & { readonly bytes: number }> {
    return await removeUnused(target, this.#tools());
  }

  /** Labels of an image's configuration, by its id. */
  labelsOf(id: Digest): ReadonlyMap<string, string> {
    return this.#store.configOf(id).config.labels;
  }

  /**
   * What images of the namespace take on disk, and what nothing needs.
   *
   * @param options.measure false leaves sizes 0, and reads no tree
   */
  async usage(options: { readonly measure?: boolean } = {}): Promise<ImagesUsage> {
    const tools = this.#tools();
    return await imagesUsage(tools, tools.inUse, options.measure ?? true);
  }

  /**
   * Looks for what is wrong: reads every blob, and compares every layer with its blob, unless `quick`.
   *
   * @throws SampanError `cancelled`
   */
  async check(options: CheckOptions = {}): Promise<readonly Finding[]> {
    return await checkStore(this.#tools(), options);
  }

  /** Puts right what {@link check} has found, as far as that can be; also fetches what is missing. */
  async repair(findings: readonly Finding[], signal: AbortSignal = new AbortController().signal): Promise<Repair> {
    return await repairStore(findings, { ...this.#tools(), registry: this.#remote() }, signal);
  }

  /**
   * Gets again what a power cut may have damaged, since it was not yet on the disk. Before anything is used, and quick when
   * there is nothing to do.
   */
  async recover(signal: AbortSignal = new AbortController().signal): Promise<void> {
    await recoverUnflushed(this.#options.database, () => ({ ...this.#tools(), registry: this.#remote() }), signal);
  }

  /** Finds out again which images there are, after the database was lost. */
  async rebuild(signal: AbortSignal = new AbortController().signal): Promise<Rebuilt> {
    return await rebuildImages(this.#tools(), signal);
  }

  #tools() {
    const { database, content, snapshotter, executor, inUse = () => [] } = this.#options;
    const limits = { ...defaultLimits, ...this.#options.limits };
    const { parallel = 4, threadsFrom } = this.#options;
    return { database, store: this.#store, content, snapshotter, executor, inUse, limits, parallel, threadsFrom };
  }
}

function checkIsRepository(name: string, verb: string): void {
  const { tag, digest } = parseReference(name);
  // A name without a tag may have got the usual one.
  const isTagged = /:[\w.-]+$/.test(name) && tag !== undefined;
  if (!isTagged && digest === undefined) return;
  throw invalidArgument(`Cannot ${verb} all tags of "${name}": it names one already`, {
    path: name,
    remedy: "Give the repository only",
  });
}

function platformOf(platform: string | Platform | undefined): Platform | undefined {
  return typeof platform === "string" ? parsePlatform(platform) : platform;
}
