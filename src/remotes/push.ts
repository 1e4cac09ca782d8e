import { createHash } from "node:crypto";
import { dataLoss } from "#errdefs";
import { digestAlgorithm, digestHex, type Descriptor } from "#spec";
import type { Connection } from "./connection.ts";
import { errorDetail } from "./error-detail.ts";
import { pushError, pushScope } from "./upload.ts";

export interface ManifestUpload {
  readonly repository: string;
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  /** Undefined to have it by its digest only. */
  readonly tag: string | undefined;
  readonly action: string;
  readonly signal: AbortSignal | undefined;
}

/**
 * Gives a manifest or index to a registry, which must have what that refers to. Idempotent.
 *
 * @returns whether the registry keeps account of what it refers to
 * @throws SampanError `data-loss` when the bytes, or what the registry says it stored, have another digest
 */
export async function uploadManifest(connection: Connection, upload: ManifestUpload): Promise<boolean> {
  const { repository, descriptor, bytes, tag, action, signal } = upload;
  const { digest } = descriptor;
  const actual = createHash(digestAlgorithm(digest)).update(bytes).digest("hex");
  if (actual !== digestHex(digest)) {
    throw dataLoss(`${action}: its manifest ${digest} has digest ${actual} here`, {
      remedy: "Remove the image, pull it again, and check the disk",
    });
  }
  const response = await connection.send({
    method: "PUT",
    path: `/v2/${repository}/manifests/${tag ?? digest}`,
    scope: pushScope(repository),
    action,
    signal,
    headers: { "content-type": descriptor.mediaType, "content-length": String(bytes.length) },
    body: bytes,
  });
  if (response.status !== 201 && response.status !== 200) {
    const { detail } = await errorDetail(response);
    throw pushError(action, response.status, connection.host, detail);
  }
  response.discard();
  const stored = response.header("docker-content-digest");
  if (stored === undefined || stored === digest) return response.header("oci-subject") !== undefined;
  throw dataLoss(`${action}: its manifest ${digest} was stored by ${connection.host} as ${stored}`, {
    remedy: "Report it to whoever runs the registry",
  });
}
