import { failedPrecondition, isSampanError, notFound, permissionDenied } from "#errdefs";
import type { Digest } from "#spec";
import type { Connection } from "./connection.ts";
import { errorDetail } from "./error-detail.ts";
import { statusError } from "./failure.ts";
import type { HttpResponse } from "./http.ts";

export interface RemoveRequest {
  readonly repository: string;
  /** Start of an error's message. */
  readonly action: string;
  readonly signal: AbortSignal | undefined;
}

/** Tags that are compared before a manifest is deleted in place of one of them. */
const maxTags = 10_000;
const done: ReadonlySet<number> = new Set([200, 202, 204]);

/**
 * Deletes a manifest, with all its tags, or a blob.
 *
 * @throws SampanError `not-found`, `permission-denied` (also where the registry deletes nothing), `unavailable`
 */
export async function removeByDigest(
  connection: Connection,
  request: RemoveRequest,
  kind: "manifests" | "blobs",
  digest: Digest,
): Promise<void> {
  const response = await send(connection, request, `${kind}/${digest}`);
  if (!done.has(response.status)) throw await refused(connection, request, response, digest);
  response.discard();
}

/**
 * Deletes a tag. Older registries only delete manifests: that is done where the manifest has no other tag.
 *
 * @param options.resolve what a tag stands for
 * @param options.force deletes the manifest also when that takes other tags along
 * @returns `manifest` when that was deleted
 * @throws SampanError like {@link removeByDigest}; `failed-precondition` when other tags would go too
 */
export async function removeTag(
  connection: Connection,
  request: RemoveRequest,
  tag: string,
  options: {
    readonly force: boolean;
    readonly resolve: (tag: string) => Promise<Digest>;
    readonly tags: () => Promise<readonly string[]>;
  },
): Promise<"tag" | "manifest"> {
  const response = await send(connection, request, `manifests/${tag}`);
  if (done.has(response.status)) {
    response.discard();
    return "tag";
  }
  // Those that don't know tags here take it for a bad digest, or for nothing that can be deleted.
  if (response.status !== 400 && response.status !== 405) throw await refused(connection, request, response, tag);
  response.discard();
  const digest = await options.resolve(tag);
  if (!options.force) {
    const sharing = await othersOf(tag, digest, options);
    if (sharing.length > 0) {
      throw failedPrecondition(
        `${request.action}: ${connection.host} deletes manifests only, and this one has the tag ${sharing.join(", ")} too`,
        { path: digest, remedy: "Delete all of them with --force" },
      );
    }
  }
  await removeByDigest(connection, request, "manifests", digest);
  return "manifest";
}

async function othersOf(
  tag: string,
  digest: Digest,
  {
    tags,
    resolve,
  }: { readonly resolve: (tag: string) => Promise<Digest>; readonly tags: () => Promise<readonly string[]> },
): Promise<readonly string[]> {
  const others = (await tags()).filter((other) => other !== tag);
  if (others.length > maxTags) throw failedPrecondition(`Cannot compare ${others.length} tags: too many`);
  const sharing: string[] = [];
  for (const other of others) {
    try {
      if ((await resolve(other)) === digest) sharing.push(other);
    } catch (error) {
      // One that went meanwhile, or stands for nothing.
      if (!isSampanError(error, "not-found")) throw error;
    }
  }
  return sharing;
}

async function send(
  connection: Connection,
  { repository, action, signal }: RemoveRequest,
  path: string,
): Promise<HttpResponse> {
  const scope = `repository:${repository}:delete,pull,push`;
  return await connection.send({ method: "DELETE", path: `/v2/${repository}/${path}`, scope, action, signal });
}

async function refused(
  connection: Connection,
  { action }: RemoveRequest,
  response: HttpResponse,
  name: string,
): Promise<Error> {
  const { status } = response;
  const { detail } = await errorDetail(response);
  if (status === 404) return notFound(`${action}: ${connection.host} has no ${name}`, { status, path: name });
  if (status === 405 || status === 400) {
    const said = detail === "" ? "" : ` (${detail})`;
    return permissionDenied(`${action}: ${connection.host} lets nothing be deleted${said}`, {
      status,
      remedy: "Allow it in the registry's configuration (docker-registry: REGISTRY_STORAGE_DELETE_ENABLED=true)",
    });
  }
  return statusError(action, status, connection.host, detail);
}
