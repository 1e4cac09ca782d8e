import { notFound, resourceExhausted } from "#errdefs";
import {
  formatPlatform,
  maxDocumentSize,
  parseImageConfig,
  parseManifestDocument,
  platformDistance,
  selectManifest,
  type Descriptor,
  type Digest,
  type ImageManifest,
  type ManifestDocument,
  type Platform,
} from "#spec";
import { hostPlatform, snapshotKey, type ImageStore, type ResolvedImage } from "./image-store.ts";
import type { Key, Lease } from "./leases.ts";
import type { OnProgress, TransferStatus } from "./progress.ts";
import type { ImageReader } from "./transfer/endpoints.ts";
import {
  checkIsImage,
  planLayers,
  retryDamaged,
  unpackLayers,
  whenVisible,
  type Layer,
  type UnpackTools,
} from "./unpack.ts";

interface InstallRequest {
  /** Canonical names; without one the image dangles. */
  readonly names: readonly string[];
  /** How people call it, for messages. */
  readonly shown: string;
  /** `pull` or `load`. */
  readonly verb: string;
  readonly status: TransferStatus;
  /** Undefined for this machine's, where an image for another one is taken when it is the only one. */
  readonly platform: Platform | undefined;
  readonly onProgress: OnProgress | undefined;
  readonly signal: AbortSignal;
  /** Further blobs that are to be kept with it. */
  readonly keep?: readonly Digest[];
}

export type InstallTools = UnpackTools & { readonly store: ImageStore };

export const maxIndexDepth = 4;

/** A manifest with the blobs that lead to it. */
export interface Found {
  readonly descriptor: Descriptor;
  readonly manifest: ImageManifest;
  readonly path: readonly Descriptor[];
}

/**
 * Stores an image's manifests, configuration and layers, unpacks these, and records it.
 *
 * @returns the image, which is not looked up: another process may have removed it again
 */
export async function installImage(context: InstallContext, target: Descriptor): Promise<ResolvedImage> {
  return await installManifest(context, target, await findManifest(context, target));
}

/** What an installation works with. */
export interface InstallContext {
  readonly request: InstallRequest;
  readonly tools: InstallTools;
  readonly reader: ImageReader;
  readonly lease: Lease;
  /** Gets everything that is new, also when it fails. */
  readonly made: Key[];
}

/** Keeps a blob from being removed, and notes whether it is new. */
export async function hold({ request, tools, lease, made }: InstallContext, { digest }: Descriptor): Promise<void> {
  await lease.use([digest], request.signal);
  if (!tools.content.has(digest)) made.push(digest);
}

/** Stores the configuration and the layers of a manifest, unpacks these, and records the image. */
export async function installManifest(
  context: InstallContext,
  target: Descriptor,
  found: Found,
): Promise<ResolvedImage> {
  const { request, tools, reader, lease, made } = context;
  const { shown, signal, verb } = request;
  const { content, store } = tools;
  const { config: configDescriptor } = found.manifest;
  checkIsImage(shown, found.manifest);

  await hold(context, configDescriptor);
  const fetchBlob = (descriptor: Descriptor, blobSignal: AbortSignal) => (offset: number) =>
    reader.readBlob(descriptor, offset, blobSignal);
  checkSize(context, configDescriptor);
  await retryDamaged(tools, configDescriptor, reader.distrust, async () => {
    await content.write(configDescriptor, fetchBlob(configDescriptor, signal), signal, whenVisible(tools.unflushed));
  });
  const configText = decode(await content.readBytes(configDescriptor.digest, maxDocumentSize));
  const config = parseImageConfig(configText);
  if (request.platform !== undefined && platformDistance(request.platform, config.platform) === undefined) {
    throw notFound(
      `Cannot ${verb} "${shown}" for platform "${formatPlatform(request.platform)}": the image is for ${formatPlatform(config.platform)}`,
      { path: shown, remedy: "Choose the image's platform with --platform" },
    );
  }

  const layers = planLayers(shown, found.manifest, config, tools.limits);
  for (const { descriptor } of layers) await hold(context, descriptor);
  await lease.use(
    layers.map(({ chainId }) => snapshotKey(chainId)),
    signal,
  );
  await unpackLayers(layers, tools, fetchBlob, {
    onProgress: request.onProgress,
    status: request.status,
    signal,
    distrust: reader.distrust,
    onLayer: (chainId, size) => {
      made.push(snapshotKey(chainId));
      store.setLayerSize(chainId, size);
    },
  });
  store.put({
    names: request.names,
    target,
    manifest: found.descriptor.digest,
    configDigest: configDescriptor.digest,
    configText,
    keys: [...keysOf(found, layers), ...(request.keep ?? [])],
    now: Date.now(),
  });
  return {
    name: request.names[0] ?? configDescriptor.digest,
    id: configDescriptor.digest,
    target: target.digest,
    manifest: found.descriptor.digest,
    platform: config.platform,
    config,
    layers: layers.map(({ chainId }) => chainId),
    chainId: layers.at(-1)?.chainId,
  };
}

/** Everything that an image needs to be kept. */
function keysOf({ path, manifest }: Found, layers: readonly Layer[]): readonly Key[] {
  return [
    ...path.map(({ digest }) => digest),
    manifest.config.digest,
    ...layers.map(({ descriptor }) => descriptor.digest),
    ...layers.map(({ chainId }) => snapshotKey(chainId)),
  ];
}

/** Goes from the target through indexes to the manifest of one image, storing each on the way. */
async function findManifest(context: InstallContext, target: Descriptor): Promise<Found> {
  const { shown, verb, platform } = context.request;
  const path: Descriptor[] = [];
  let descriptor = target;
  for (;;) {
    path.push(descriptor);
    const document = await storeDocument(context, descriptor);
    if (document.kind === "manifest") return { descriptor, manifest: document.manifest, path };
    if (path.length > maxIndexDepth) {
      throw notFound(`Cannot ${verb} "${shown}": its indexes are nested too deep`);
    }
    descriptor = selectManifest(document.index, platform ?? hostPlatform());
  }
}

/** Stores and parses a manifest or index. */
export async function storeDocument(context: InstallContext, descriptor: Descriptor): Promise<ManifestDocument> {
  const { tools, reader, request } = context;
  const { content } = tools;
  checkSize(context, descriptor);
  await hold(context, descriptor);
  if (!content.has(descriptor.digest)) {
    const bytes = await reader.readManifest(descriptor, request.signal);
    const expected = { digest: descriptor.digest, size: bytes.length };
    const source = (offset: number): AsyncIterable<Uint8Array> => once(bytes.subarray(offset));
    await content.write(expected, source, request.signal, whenVisible(tools.unflushed));
  }
  return parseManifestDocument(
    decode(await content.readBytes(descriptor.digest, maxDocumentSize)),
    descriptor.mediaType,
  );
}

function checkSize({ request, tools }: InstallContext, { digest, size }: Descriptor): void {
  const { documentSize } = tools.limits;
  if (size <= documentSize) return;
  throw resourceExhausted(
    `Cannot ${request.verb} "${request.shown}": document ${digest} has ${size} bytes, at most ${documentSize} are allowed`,
    { path: request.shown },
  );
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}
