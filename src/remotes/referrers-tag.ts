/** What refers to an image, in registries that keep no account of it (distribution-spec, "Referrers Tag Schema"). */
import { createHash } from "node:crypto";
import { isSampanError } from "#errdefs";
import { mediaTypes, parseIndex, parseManifestDocument, type Descriptor, type Digest } from "#spec";
import type { Connection } from "./connection.ts";
import { errorDetail } from "./error-detail.ts";
import { uploadManifest, type ManifestUpload } from "./push.ts";
import { pushError, pushScope } from "./upload.ts";

/** Largest list that is read. */
const maxIndex = 4 * 1024 * 1024;

/** Tag under which what refers to a manifest is listed. */
export function referrersTag(digest: Digest): string {
  // Tags are no longer than 128 characters, nor is their hexadecimal part than 64.
  return digest.replace(":", "-").replace(/^(.{0,32}-.{0,64}).*$/, "$1");
}

/**
 * Lists a manifest that was pushed with what it refers to. Two clients that do so at once may lose one entry, as the
 * specification knows: there is no way to change a tag only if it is still the same.
 */
export async function addToFallbackIndex(connection: Connection, upload: ManifestUpload): Promise<void> {
  const entry = describeReferrer(upload);
  if (entry === undefined) return;
  const { subject, descriptor } = entry;
  const tag = referrersTag(subject);
  const known = await readIndex(connection, upload, tag);
  if (known.some(({ digest }) => digest === descriptor.digest)) return;
  const index = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [...known, descriptor],
  });
  const bytes = Buffer.from(index);
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest;
  await uploadManifest(connection, {
    ...upload,
    descriptor: { mediaType: mediaTypes.ociIndex, digest, size: bytes.length },
    bytes,
    tag,
  });
}

/** Undefined for a manifest that refers to nothing, or that is none we know. */
function describeReferrer({
  descriptor,
  bytes,
}: ManifestUpload): { readonly subject: Digest; readonly descriptor: Descriptor } | undefined {
  try {
    const document = parseManifestDocument(Buffer.from(bytes).toString("utf8"), descriptor.mediaType);
    const parsed = document.kind === "index" ? document.index : document.manifest;
    if (parsed.subject === undefined) return undefined;
    const config = document.kind === "manifest" ? document.manifest.config.mediaType : undefined;
    const artifactType = parsed.artifactType ?? config;
    const { mediaType, digest, size } = descriptor;
    return {
      subject: parsed.subject.digest,
      descriptor: {
        mediaType,
        digest,
        size,
        ...(artifactType !== undefined && { artifactType }),
        ...(parsed.annotations && { annotations: parsed.annotations }),
      },
    };
  } catch (error) {
    // The registry took it: what it is to others is not decided here.
    if (isSampanError(error)) return undefined;
    throw error;
  }
}

async function readIndex(
  connection: Connection,
  { repository, action, signal }: ManifestUpload,
  tag: string,
): Promise<readonly Descriptor[]> {
  const response = await connection.send({
    method: "GET",
    path: `/v2/${repository}/manifests/${tag}`,
    scope: pushScope(repository),
    action,
    signal,
    headers: { accept: mediaTypes.ociIndex },
  });
  if (response.status === 404) {
    response.discard();
    return [];
  }
  if (response.status !== 200) {
    const { detail } = await errorDetail(response);
    throw pushError(action, response.status, connection.host, detail);
  }
  const bytes = await response.bytes(maxIndex);
  return bytes === undefined ? [] : parseIndex(Buffer.from(bytes).toString("utf8"), mediaTypes.ociIndex).manifests;
}
