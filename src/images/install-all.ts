import { invalidArgument, notFound } from "#errdefs";
import { isConfigMediaType, platformDistance, type Descriptor, type Digest } from "#spec";
import { hostPlatform, type ResolvedImage } from "./image-store.ts";
import { hold, installManifest, maxIndexDepth, storeDocument, type Found, type InstallContext } from "./install.ts";

/** Manifests of one image. */
const maxManifests = 1000;

/**
 * Installs an image for all of its platforms. What an index lists besides (attestations, say) is stored with them, and not
 * unpacked.
 *
 * @returns the image for this machine, or for another one where there is none
 */
export async function installAllPlatforms(context: InstallContext, target: Descriptor): Promise<ResolvedImage> {
  const found = await findAll(context, target);
  const keep: Digest[] = [];
  const images: Found[] = [];
  for (const one of found) {
    if (isImage(one)) images.push(one);
    else keep.push(...(await storeBlobs(context, one)));
  }
  for (const { path } of found) keep.push(...path.map(({ digest }) => digest));
  const installed: ResolvedImage[] = [];
  // An artifact alone is refused with a reason.
  for (const one of images.length === 0 ? found : images) {
    const request = { ...context.request, platform: undefined, keep };
    installed.push(await installManifest({ ...context, request }, target, one));
  }
  const own =
    installed.find(({ platform }) => platformDistance(hostPlatform(), platform) !== undefined) ?? installed[0];
  if (own === undefined) throw notFound(`Cannot ${context.request.verb} "${context.request.shown}": it has no image`);
  return own;
}

/** Attestations of BuildKit are manifests with an image's configuration, for the platform `unknown/unknown`. */
function isImage({ descriptor, manifest }: Found): boolean {
  return isConfigMediaType(manifest.config.mediaType) && descriptor.platform?.os !== "unknown";
}

async function findAll(context: InstallContext, target: Descriptor): Promise<readonly Found[]> {
  const { shown, verb } = context.request;
  const found = new Map<Digest, Found>();
  const visit = async (descriptor: Descriptor, above: readonly Descriptor[]): Promise<void> => {
    const path = [...above, descriptor];
    if (path.length > maxIndexDepth + 1) {
      throw invalidArgument(`Cannot ${verb} "${shown}": its indexes are nested too deep`);
    }
    const document = await storeDocument(context, descriptor);
    if (document.kind === "manifest") {
      found.set(descriptor.digest, { descriptor, manifest: document.manifest, path });
      if (found.size > maxManifests) {
        throw invalidArgument(`Cannot ${verb} "${shown}": it has more than ${maxManifests} manifests`);
      }
      return;
    }
    for (const child of document.index.manifests) if (!found.has(child.digest)) await visit(child, path);
  };
  await visit(target, []);
  return [...found.values()];
}

async function storeBlobs(context: InstallContext, { manifest }: Found): Promise<readonly Digest[]> {
  const { tools, reader, request } = context;
  const blobs = [manifest.config, ...manifest.layers];
  for (const blob of blobs) {
    await hold(context, blob);
    await tools.content.write(blob, (offset) => reader.readBlob(blob, offset, request.signal));
  }
  return blobs.map(({ digest }) => digest);
}
