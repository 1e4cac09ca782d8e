import type { ContentStore } from "#content";
import {
  maxDocumentSize,
  parseManifestDocument,
  type Descriptor,
  type Digest,
  type ImageIndex,
  type ImageManifest,
} from "#spec";
import type { ResolvedImage } from "../image-store.ts";

/** What of an image is pushed, saved or copied. */
export interface Root {
  readonly descriptor: Descriptor;
  /** The name stands for an index of several platforms, and only the one that is here is taken. */
  readonly isPart: boolean;
}

/**
 * Chooses what of an image leaves this machine: the whole index where it is here for all its platforms, or the manifest of
 * the one that is.
 *
 * @param one only the resolved platform, also of a complete index
 * @param whole the index in any case; what is missing must then be fetched
 */
export async function chooseRoot(
  image: Pick<ResolvedImage, "target" | "manifest">,
  content: ContentStore,
  { one, whole }: { readonly one: boolean; readonly whole: boolean },
): Promise<Root> {
  const { target, manifest } = image;
  if (target === manifest) return { descriptor: await describe(target, content), isPart: false };
  if (!one && (whole || (await isComplete(target, content)))) {
    return { descriptor: await describe(target, content), isPart: false };
  }
  return { descriptor: await describe(manifest, content), isPart: true };
}

type Read = { readonly size: number; readonly document: ImageIndex | ImageManifest };

async function read(digest: Digest, content: ContentStore): Promise<Read> {
  const bytes = await content.readBytes(digest, maxDocumentSize);
  const parsed = parseManifestDocument(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  return { size: bytes.length, document: parsed.kind === "index" ? parsed.index : parsed.manifest };
}

async function describe(digest: Digest, content: ContentStore): Promise<Descriptor> {
  const { size, document } = await read(digest, content);
  return { mediaType: document.mediaType, digest, size };
}

/** Layers don't count: those that are missing were unpacked from another image, and can be fetched. */
async function isComplete(digest: Digest, content: ContentStore): Promise<boolean> {
  if (!content.has(digest)) return false;
  const { document } = await read(digest, content);
  if (!("manifests" in document)) return content.has(document.config.digest);
  for (const child of document.manifests) if (!(await isComplete(child.digest, content))) return false;
  return true;
}
