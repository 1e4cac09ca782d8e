/** Images by what they are made from. */
import { isSampanError } from "#errdefs";
import type { Images } from "#images";

/**
 * Ids of the image and of those that are made from it, for a filter; the word itself where there is no such image.
 */
export function withDescendants(images: Images, nameOrId: string): readonly string[] {
  try {
    const { id, chainId } = images.resolve(nameOrId);
    if (chainId === undefined) return [id];
    // Images with this one's layers at their bottom.
    const others = images.list().flatMap(({ id: other }) => {
      const image = images.resolve(other);
      return image.layers.includes(chainId) ? [image.id] : [];
    });
    return [id, ...others];
  } catch (error) {
    if (isSampanError(error, "not-found") || isSampanError(error, "invalid-argument")) return [nameOrId];
    throw error;
  }
}
