import type { ImageStore, ResolvedImage } from "./image-store.ts";
import type { Lease } from "./leases.ts";

/**
 * Finds an image and keeps all of it, whoever removes it meanwhile.
 *
 * @param find throws when it is not there
 */
export async function holdImage(
  lease: Lease,
  store: ImageStore,
  find: () => ResolvedImage,
  signal: AbortSignal,
): Promise<ResolvedImage> {
  for (;;) {
    const { target } = find();
    await lease.use([target, ...store.keys(target)], signal);
    // Its name may have come to stand for another one, or it may have been removed, before it was held.
    const image = find();
    if (image.target === target) return image;
  }
}
