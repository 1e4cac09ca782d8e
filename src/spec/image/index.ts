export { parseImageConfig } from "./config.ts";
export { parseDescriptor } from "./descriptor.ts";
export { digestAlgorithm, digestHex, isDigest, parseDigest, type DigestAlgorithm } from "./digest.ts";
export {
  maxLayers,
  maxLayerSize,
  maxManifests,
  parseIndex,
  parseManifest,
  parseManifestDocument,
  type ManifestDocument,
} from "./manifest.ts";
export {
  isConfigMediaType,
  isForeignLayerMediaType,
  isIndexMediaType,
  isManifestMediaType,
  isSchema1MediaType,
  layerCompression,
  manifestMediaTypes,
  mediaTypes,
  type Compression,
} from "./media-types.ts";
export { formatPlatform, normalizePlatform, parsePlatform, platformDistance } from "./platform.ts";
export { defaultDocumentSize, maxDocumentSize } from "./reader.ts";
export {
  familiarName,
  familiarRepository,
  formatReference,
  isLocalReference,
  parseReference,
  repositoryName,
  type Reference,
} from "./reference.ts";
export { platforms, selectManifest } from "./select.ts";
export type * from "./types.ts";
