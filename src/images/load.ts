import { cancelled, isSampanError, notFound } from "#errdefs";
import {
  familiarName,
  defaultDocumentSize,
  parseManifestDocument,
  type Descriptor,
  type Digest,
  type Platform,
} from "#spec";
import { recordName } from "./image-store.ts";
import { deleteKeys } from "./garbage.ts";
import { installImage } from "./install.ts";
import { Lease, type Key } from "./leases.ts";
import type { OnProgress } from "./progress.ts";
import type { RemoveTools } from "./remove.ts";
import { ArchiveFiles } from "./transfer/archive-files.ts";
import { listImages, type ArchivedImage } from "./transfer/archive-index.ts";
import type { ImageReader } from "./transfer/endpoints.ts";
import type { UnpackTools } from "./unpack.ts";

export type LoadTools = UnpackTools & RemoveTools;

export interface LoadRequest {
  readonly stream: AsyncIterable<Uint8Array>;
  readonly platform: Platform | undefined;
  readonly onProgress: OnProgress | undefined;
  readonly signal: AbortSignal;
}

export interface LoadedImage {
  /** As people write them; empty for an image that the archive does not name. */
  readonly names: readonly string[];
  readonly id: Digest;
}

/** Reads images from an archive; when that fails, the images that were complete before stay, and nothing else. */
export async function loadImages(request: LoadRequest, tools: LoadTools): Promise<readonly LoadedImage[]> {
  const { signal, stream } = request;
  const { content, database } = tools;
  await tools.snapshotter.cleanup();
  using lease = new Lease(database);
  const made: Key[] = [];
  try {
    const files = await ArchiveFiles.read(stream, { content, lease }, made, signal);
    const loaded: LoadedImage[] = [];
    for (const image of await listImages(files, content))
      loaded.push(await install(image, request, tools, lease, made));
    return loaded;
  } catch (error) {
    if (signal.aborted && !isSampanError(error)) {
      throw cancelled("Cannot load the archive: it was cancelled", { cause: error });
    }
    throw error;
  } finally {
    // What no image came to need: lists, layers of other platforms, and all of what failed.
    await deleteKeys(lease.claim(made.toReversed()), tools);
  }
}

async function install(
  { root, names }: ArchivedImage,
  { platform, onProgress, signal }: LoadRequest,
  tools: LoadTools,
  lease: Lease,
  made: Key[],
): Promise<LoadedImage> {
  const shown = names[0] === undefined ? root.digest : familiarName(names[0]);
  // Everything is in the store, or not in the archive.
  const reader: ImageReader = {
    readManifest: async ({ digest }) => await Promise.reject(missing(shown, digest)),
    // oxlint-disable-next-line require-yield -- it has none
    readBlob: async function* readBlob({ digest }) {
      await Promise.reject(missing(shown, digest));
    },
  };
  const keep = await present(root, tools, lease);
  const request = {
    names: names.map(recordName),
    shown,
    verb: "load",
    status: "loading" as const,
    platform,
    onProgress,
    signal,
    keep,
  };
  const { id } = await installImage({ request, tools, reader, lease, made }, root);
  return { names: names.map(familiarName), id };
}

function missing(shown: string, digest: Digest): Error {
  return notFound(`Cannot load "${shown}": the archive has no blob ${digest}`, {
    path: digest,
    remedy: "The archive is incomplete; save it again",
  });
}

/** What of an image is there, for all of its platforms: it is kept, so that all can be saved and pushed again. */
async function present(root: Descriptor, tools: LoadTools, lease: Lease): Promise<readonly Digest[]> {
  const { content } = tools;
  const found = new Set<Digest>();
  const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
    await lease.use([descriptor.digest]);
    if (found.has(descriptor.digest) || !content.has(descriptor.digest)) return;
    found.add(descriptor.digest);
    if (depth > 4 || !/manifest|index/.test(descriptor.mediaType)) return;
    const text = new TextDecoder().decode(await content.readBytes(descriptor.digest, defaultDocumentSize));
    const document = parseManifestDocument(text, descriptor.mediaType);
    const children =
      document.kind === "index" ? document.index.manifests : [document.manifest.config, ...document.manifest.layers];
    for (const child of children) await visit(child, depth + 1);
  };
  await visit(root, 0);
  return [...found];
}
