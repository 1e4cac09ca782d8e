import { notFound } from "#errdefs";
import { isIndexMediaType, isManifestMediaType } from "./media-types.ts";
import { formatPlatform, platformDistance } from "./platform.ts";
import type { Descriptor, ImageIndex, Platform } from "./types.ts";

/**
 * Picks the manifest (or nested index) of an index that runs best on `platform`: an exact match before an older variant
 * before another architecture that it also runs; the first of equals. One that names no platform comes last.
 * Attestations and other artifacts that ride along are never picked.
 *
 * @throws SampanError `not-found`, with the platforms that there are
 */
export function selectManifest(index: ImageIndex, platform: Platform): Descriptor {
  let best: Descriptor | undefined;
  let bestDistance = Infinity;
  for (const descriptor of index.manifests) {
    if (!isRunnable(descriptor)) continue;
    const distance = descriptor.platform === undefined ? 1000 : platformDistance(platform, descriptor.platform);
    if (distance === undefined || distance >= bestDistance) continue;
    best = descriptor;
    bestDistance = distance;
  }
  if (best !== undefined) return best;
  const offered = [...new Set(platforms(index).map((offer) => formatPlatform(offer)))];
  throw notFound(
    `Cannot find a manifest for platform "${formatPlatform(platform)}": the image is for ${offered.join(", ") || "none"}`,
    { remedy: "Choose one of the image's platforms with --platform" },
  );
}

/** Platforms that an index has images for, in its order. */
export function platforms(index: ImageIndex): readonly Platform[] {
  return index.manifests.filter(isRunnable).flatMap(({ platform }) => (platform === undefined ? [] : [platform]));
}

/** BuildKit marks its attestations by the platform unknown/unknown and by an annotation. */
function isRunnable({ mediaType, platform, annotations }: Descriptor): boolean {
  if (!isManifestMediaType(mediaType) && !isIndexMediaType(mediaType)) return false;
  if (platform !== undefined && (platform.os === "unknown" || platform.architecture === "unknown")) return false;
  return annotations?.["vnd.docker.reference.type"] !== "attestation-manifest";
}
