import { cancelled, isSampanError, notFound } from "#errdefs";
import type { Registry } from "#remotes";
import {
  familiarName,
  formatPlatform,
  maxDocumentSize,
  parseImageConfig,
  parseManifestDocument,
  platformDistance,
  selectManifest,
  type Descriptor,
  type ImageManifest,
  type Platform,
  type Reference,
} from "#spec";
import { hostPlatform, recordName, snapshotKey, type ResolvedImage } from "./image-store.ts";
import { Lease, type Key } from "./leases.ts";
import type { OnProgress } from "./progress.ts";
import { deleteKeys, type RemoveTools } from "./remove.ts";
import { checkIsImage, planLayers, unpackLayers, type Layer, type UnpackTools } from "./unpack.ts";

export type PullTools = UnpackTools & RemoveTools & { readonly registry: Registry };

export interface PullRequest {
  readonly reference: Reference;
  /** Undefined for this machine's, where an image for another one is taken when it is the only one. */
  readonly platform: Platform | undefined;
  readonly onProgress: OnProgress | undefined;
  readonly signal: AbortSignal;
}

export interface PulledImage extends ResolvedImage {
  /** False when the name stood for the same already, and all of it was there. */
  readonly changed: boolean;
}

const maxIndexDepth = 4;

/** A manifest with the blobs that lead to it. */
interface Found {
  readonly descriptor: Descriptor;
  readonly manifest: ImageManifest;
  readonly path: readonly Descriptor[];
}

/**
 * Fetches an image and unpacks it. When it fails, nothing of it is visible; what came whole and verified stays for a next
 * try when the failure was the network's or the user's (`unavailable`, `cancelled`), and goes otherwise.
 */
export async function pullImage(request: PullRequest, tools: PullTools): Promise<PulledImage> {
  const { reference, signal } = request;
  const { registry, store } = tools;
  const name = recordName(reference);
  const target = await registry.resolve(reference, { signal });
  if (store.isCurrent(name, target.digest, request.platform)) {
    const image = store.resolve(name, request.platform);
    if (image.chainId === undefined || (await tools.snapshotter.has(image.chainId))) {
      return { ...image, changed: false };
    }
  }
  // What pulls that were killed had half unpacked goes before there is more.
  await tools.snapshotter.cleanup();
  using lease = new Lease(tools.database);
  const made: Key[] = [];
  try {
    await fetchAndUnpack(request, tools, target, lease, made);
  } catch (error) {
    const transient = isSampanError(error, "unavailable") || isSampanError(error, "cancelled") || signal.aborted;
    const unwanted = made.filter((key) => !transient || key.startsWith("snapshot:"));
    await deleteKeys(lease.claim(unwanted.toReversed()), tools);
    if (signal.aborted && !isSampanError(error)) {
      throw cancelled(`Cannot pull "${familiarName(reference)}": it was cancelled`, { cause: error });
    }
    throw error;
  }
  return { ...store.resolve(name, request.platform), changed: true };
}

async function fetchAndUnpack(
  request: PullRequest,
  tools: PullTools,
  target: Descriptor,
  lease: Lease,
  made: Key[],
): Promise<void> {
  const { reference, signal } = request;
  const { content, registry, store } = tools;
  const shown = familiarName(reference);

  const hold = async (descriptor: Descriptor): Promise<void> => {
    await lease.use([descriptor.digest], signal);
    if (!content.has(descriptor.digest)) made.push(descriptor.digest);
  };
  const found = await findManifest(request, tools, target, hold);
  const { config: configDescriptor } = found.manifest;
  checkIsImage(shown, found.manifest);

  await hold(configDescriptor);
  const fetchBlob = (descriptor: Descriptor, blobSignal: AbortSignal) => (offset: number) =>
    registry.fetchBlob(reference, descriptor, { offset, signal: blobSignal });
  const configLimit = { ...configDescriptor, size: Math.min(configDescriptor.size, maxDocumentSize + 1) };
  await content.write(configLimit, fetchBlob(configDescriptor, signal));
  const configText = decode(await content.readBytes(configDescriptor.digest, maxDocumentSize));
  const config = parseImageConfig(configText);
  if (request.platform !== undefined && platformDistance(request.platform, config.platform) === undefined) {
    throw notFound(
      `Cannot pull "${shown}" for platform "${formatPlatform(request.platform)}": the image is for ${formatPlatform(config.platform)}`,
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
    signal,
    onLayer: (chainId, size) => {
      made.push(snapshotKey(chainId));
      store.setLayerSize(chainId, size);
    },
  });
  store.put({
    name: recordName(reference),
    target,
    manifest: found.descriptor.digest,
    configDigest: configDescriptor.digest,
    configText,
    keys: keysOf(found, layers),
    now: Date.now(),
  });
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
  { reference, platform, signal }: PullRequest,
  { content, registry }: PullTools,
  target: Descriptor,
  hold: (descriptor: Descriptor) => Promise<void>,
): Promise<Found> {
  const path: Descriptor[] = [];
  let descriptor = target;
  for (;;) {
    await hold(descriptor);
    path.push(descriptor);
    if (!content.has(descriptor.digest)) {
      const { bytes } = await registry.fetchManifest(reference, descriptor, { signal });
      await content.write({ digest: descriptor.digest, size: bytes.length }, (offset) => once(bytes.subarray(offset)));
    }
    const text = decode(await content.readBytes(descriptor.digest, maxDocumentSize));
    const document = parseManifestDocument(text, descriptor.mediaType);
    if (document.kind === "manifest") return { descriptor, manifest: document.manifest, path };
    if (path.length > maxIndexDepth) {
      throw notFound(`Cannot pull "${familiarName(reference)}": its indexes are nested too deep`);
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
