import { notFound } from "#errdefs";
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
  type Platform,
} from "#spec";
import { hostPlatform, snapshotKey, type ImageStore } from "./image-store.ts";
import type { Key, Lease } from "./leases.ts";
import type { OnProgress, TransferStatus } from "./progress.ts";
import type { ImageReader } from "./transfer/endpoints.ts";
import { checkIsImage, planLayers, unpackLayers, type Layer, type UnpackTools } from "./unpack.ts";

export interface InstallRequest {
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

const maxIndexDepth = 4;

/** A manifest with the blobs that lead to it. */
interface Found {
  readonly descriptor: Descriptor;
  readonly manifest: ImageManifest;
  readonly path: readonly Descriptor[];
}

/**
 * Stores an image's manifests, configuration and layers, unpacks these, and records it.
 *
 * @param made gets everything that is new, also when this fails
 * @returns the image's id
 */
export async function installImage(
  request: InstallRequest,
  tools: InstallTools,
  reader: ImageReader,
  target: Descriptor,
  lease: Lease,
  made: Key[],
): Promise<Digest> {
  const { shown, signal, verb } = request;
  const { content, store } = tools;

  const hold = async (descriptor: Descriptor): Promise<void> => {
    await lease.use([descriptor.digest], signal);
    if (!content.has(descriptor.digest)) made.push(descriptor.digest);
  };
  const found = await findManifest(request, tools, reader, target, hold);
  const { config: configDescriptor } = found.manifest;
  checkIsImage(shown, found.manifest);

  await hold(configDescriptor);
  const fetchBlob = (descriptor: Descriptor, blobSignal: AbortSignal) => (offset: number) =>
    reader.readBlob(descriptor, offset, blobSignal);
  const configLimit = { ...configDescriptor, size: Math.min(configDescriptor.size, maxDocumentSize + 1) };
  await content.write(configLimit, fetchBlob(configDescriptor, signal));
  const configText = decode(await content.readBytes(configDescriptor.digest, maxDocumentSize));
  const config = parseImageConfig(configText);
  if (request.platform !== undefined && platformDistance(request.platform, config.platform) === undefined) {
    throw notFound(
      `Cannot ${verb} "${shown}" for platform "${formatPlatform(request.platform)}": the image is for ${formatPlatform(config.platform)}`,
      { path: shown, remedy: "Choose the image's platform with --platform" },
    );
  }

  const layers = planLayers(shown, found.manifest, config);
  for (const { descriptor } of layers) await hold(descriptor);
  await lease.use(
    layers.map(({ chainId }) => snapshotKey(chainId)),
    signal,
  );
  await unpackLayers(layers, tools, fetchBlob, {
    onProgress: request.onProgress,
    status: request.status,
    signal,
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
  return configDescriptor.digest;
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
async function findManifest(
  { shown, verb, platform, signal }: InstallRequest,
  { content }: InstallTools,
  reader: ImageReader,
  target: Descriptor,
  hold: (descriptor: Descriptor) => Promise<void>,
): Promise<Found> {
  const path: Descriptor[] = [];
  let descriptor = target;
  for (;;) {
    await hold(descriptor);
    path.push(descriptor);
    if (!content.has(descriptor.digest)) {
      const bytes = await reader.readManifest(descriptor, signal);
      await content.write({ digest: descriptor.digest, size: bytes.length }, (offset) => once(bytes.subarray(offset)));
    }
    const text = decode(await content.readBytes(descriptor.digest, maxDocumentSize));
    const document = parseManifestDocument(text, descriptor.mediaType);
    if (document.kind === "manifest") return { descriptor, manifest: document.manifest, path };
    if (path.length > maxIndexDepth) {
      throw notFound(`Cannot ${verb} "${shown}": its indexes are nested too deep`);
    }
    descriptor = selectManifest(document.index, platform ?? hostPlatform());
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}
