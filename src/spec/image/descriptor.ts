import { parsePlatformObject } from "./platform.ts";
import { DocumentReader } from "./reader.ts";
import type { Descriptor } from "./types.ts";

const maxAnnotations = 1000;
const maxUrls = 100;

/**
 * Checks a parsed JSON value as a descriptor (image-spec descriptor.md).
 *
 * @param path where it stands in its document, for errors
 * @throws SampanError `invalid-argument` with the field's path
 */
export function parseDescriptor(
  value: unknown,
  path = "",
  reader: DocumentReader = new DocumentReader("the descriptor"),
): Descriptor {
  const object = reader.object(value, path);
  const at = (name: string): string => (path === "" ? name : `${path}.${name}`);
  const mediaType = reader.string(object["mediaType"], at("mediaType"));
  if (mediaType === "") reader.fail(at("mediaType"), "is empty");
  const urls = reader.strings(object["urls"], at("urls"), maxUrls);
  const annotations = parseAnnotations(object["annotations"], at("annotations"), reader);
  const platform = reader.optionalObject(object["platform"], at("platform"));
  const artifactType = reader.optionalString(object["artifactType"], at("artifactType"));
  return {
    mediaType,
    digest: reader.digest(object["digest"], at("digest")),
    size: reader.size(object["size"], at("size")),
    ...(urls.length > 0 && { urls }),
    ...(annotations && { annotations }),
    ...(platform && { platform: parsePlatformObject(platform, at("platform"), reader) }),
    ...(artifactType !== "" && { artifactType }),
  };
}

/** Annotations as an object without prototype, or undefined when there are none (image-spec annotations.md). */
export function parseAnnotations(
  value: unknown,
  path: string,
  reader: DocumentReader,
): Readonly<Record<string, string>> | undefined {
  const entries = reader.stringEntries(value, path, maxAnnotations);
  if (entries.length === 0) return undefined;
  const annotations = Object.create(null) as Record<string, string>;
  for (const [key, text] of entries) annotations[key] = text;
  return annotations;
}
