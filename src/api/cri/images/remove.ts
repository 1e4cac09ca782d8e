import { isSampanError } from "#errdefs";
import type { Images } from "#images";

/**
 * Removes an image with all names of it, from whatever registry they are. Containers that were made of it keep their root: what
 * they need stays without a name until they have gone.
 *
 * @param id digest of its configuration
 */
export async function removeImage(images: Images, id: string): Promise<void> {
  const rows = images.list().filter((row) => row.id === id);
  for (const name of new Set(rows.map((row) => row.name ?? id))) {
    try {
      await images.remove(name, { force: true });
    } catch (error) {
      // Another call removes it at the same time.
      if (!isSampanError(error, "not-found")) throw error;
    }
  }
}
