import { unsupported } from "#errdefs";
import { parseAnnotations, parseDescriptor } from "./descriptor.ts";
import { isIndexMediaType, isManifestMediaType, isSchema1MediaType, mediaTypes } from "./media-types.ts";
import { DocumentReader, type JsonObject } from "./reader.ts";
import type { Descriptor, ImageIndex, ImageManifest } from "./types.ts";

/** Most layers of one image; overlayfs takes 500 below one mount, Docker 128. */
export const maxLayers = 1000;
/** Most manifests of one index. */
export const maxManifests = 1000;
/** Largest layer in bytes that a manifest may name (1 TiB). */
export const maxLayerSize: number = 2 ** 40;

export type ManifestDocument =
  | { readonly kind: "manifest"; readonly manifest: ImageManifest }
  | { readonly kind: "index"; readonly index: ImageIndex };

/**
 * Reads a manifest or an index, whichever `mediaType` says it is. A document that could be taken for both, or that
 * calls itself something else than its media type, is refused (CVE-2021-41190).
 *
 * @param mediaType Content-Type or descriptor's media type it came with; without one the document's own `mediaType`,
 * or else its fields, decide
 * @throws SampanError `invalid-argument` with the field's path, `unsupported` for schema 1 and other artifacts,
 * `resource-exhausted` when it is too large
 */
export function parseManifestDocument(text: string, mediaType = ""): ManifestDocument {
  const reader = new DocumentReader("the image manifest");
  const object = reader.parse(text);
  refuseSchema1(object, mediaType);
  refuseAmbiguous(object, reader);
  const own = reader.optionalString(object["mediaType"], "mediaType");
  if (mediaType !== "" && own !== "" && own !== mediaType) {
    reader.fail("mediaType", `is "${own}", but it was served as "${mediaType}"`);
  }
  const given = mediaType || own;
  const guessed = object["manifests"] === undefined ? mediaTypes.ociManifest : mediaTypes.ociIndex;
  const type = given === "" ? guessed : given;
  if (isIndexMediaType(type)) return { kind: "index", index: readIndex(object, type) };
  if (isManifestMediaType(type)) return { kind: "manifest", manifest: readManifest(object, type, reader) };
  throw unsupported(`Cannot read the image manifest: "${type}" is no image manifest or index`, {
    remedy: "Use an image in OCI or Docker schema 2 format",
  });
}

/** {@link parseManifestDocument} for a document that must be the manifest of one image. */
export function parseManifest(text: string, mediaType = ""): ImageManifest {
  const document = parseManifestDocument(text, mediaType);
  if (document.kind === "manifest") return document.manifest;
  return new DocumentReader("the image manifest").fail("", "is an index of several images");
}

/** {@link parseManifestDocument} for a document that must be an index. */
export function parseIndex(text: string, mediaType = ""): ImageIndex {
  const document = parseManifestDocument(text, mediaType);
  if (document.kind === "index") return document.index;
  return new DocumentReader("the image index").fail("", "is the manifest of one image");
}

function readManifest(object: JsonObject, mediaType: string, reader: DocumentReader): ImageManifest {
  checkVersion(object, reader);
  const annotations = parseAnnotations(object["annotations"], "annotations", reader);
  if (object["layers"] === undefined) reader.fail("layers", "is missing, must be a list");
  const layers = reader.list(object["layers"], "layers", maxLayers).map((value, index): Descriptor => {
    const layer = parseDescriptor(value, `layers[${index}]`, reader);
    if (layer.size > maxLayerSize) {
      reader.fail(`layers[${index}].size`, `is ${layer.size}, at most ${maxLayerSize} is allowed`);
    }
    return layer;
  });
  return {
    mediaType,
    config: parseDescriptor(object["config"], "config", reader),
    layers,
    ...readReference(object, reader),
    ...(annotations && { annotations }),
  };
}

function readIndex(object: JsonObject, mediaType: string): ImageIndex {
  const reader = new DocumentReader("the image index");
  checkVersion(object, reader);
  const annotations = parseAnnotations(object["annotations"], "annotations", reader);
  if (object["manifests"] === undefined) reader.fail("manifests", "is missing, must be a list");
  const manifests = reader
    .list(object["manifests"], "manifests", maxManifests)
    .map((value, index) => parseDescriptor(value, `manifests[${index}]`, reader));
  return { mediaType, manifests, ...readReference(object, reader), ...(annotations && { annotations }) };
}

/** What only OCI's own documents have. */
function readReference(object: JsonObject, reader: DocumentReader): Pick<ImageManifest, "subject" | "artifactType"> {
  const { subject, artifactType } = object;
  return {
    ...(subject !== undefined && subject !== null && { subject: parseDescriptor(subject, "subject", reader) }),
    ...(artifactType !== undefined && { artifactType: reader.optionalString(artifactType, "artifactType") }),
  };
}

function checkVersion(object: JsonObject, reader: DocumentReader): void {
  const version = object["schemaVersion"];
  if (version !== 2) reader.fail("schemaVersion", `is ${JSON.stringify(version) ?? "missing"}, must be 2`);
}

function refuseSchema1(object: JsonObject, mediaType: string): void {
  if (!isSchema1MediaType(mediaType) && object["schemaVersion"] !== 1) return;
  throw unsupported("Cannot read the image manifest: it is in Docker's schema 1, which cannot be verified", {
    remedy: "Push the image again with a current tool",
  });
}

/** Other readers match names without regard to case, so what they could read counts too. */
function refuseAmbiguous(object: JsonObject, reader: DocumentReader): void {
  const names = new Set(Object.keys(object).map((name) => name.toLowerCase()));
  if (!names.has("manifests")) return;
  for (const name of ["layers", "config", "fslayers"]) {
    if (names.has(name)) reader.fail("", `has both manifests and ${name}, and could be an index or a manifest`);
  }
}
