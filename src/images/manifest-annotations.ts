import type { ContentStore } from "#content";
import { isSampanError } from "#errdefs";
import { defaultDocumentSize, parseManifest, type Digest } from "#spec";

const none: Readonly<Record<string, string>> = {};
/** A manifest never changes. By digest, which says all of it. */
const known = new Map<Digest, Readonly<Record<string, string>>>();
const most = 512;

/** Annotations of a manifest; none when it is not there any more. */
export async function manifestAnnotations(
  digest: Digest,
  content: Pick<ContentStore, "readBytes">,
): Promise<Readonly<Record<string, string>>> {
  const found = known.get(digest);
  if (found !== undefined) return found;
  try {
    const text = Buffer.from(await content.readBytes(digest, defaultDocumentSize)).toString("utf8");
    const { annotations = none } = parseManifest(text);
    if (known.size >= most) known.clear();
    known.set(digest, annotations);
    return annotations;
  } catch (error) {
    if (isSampanError(error, "not-found")) return none;
    throw error;
  }
}
