import { dataLoss, invalidArgument, notFound } from "#errdefs";
import { mediaTypes, parseIndex, type Descriptor, type Digest } from "#spec";
import type { Connection } from "./connection.ts";
import { errorDetail } from "./error-detail.ts";
import { statusError } from "./failure.ts";
import type { Patience } from "./host-list.ts";
import type { HttpResponse } from "./http.ts";
import { referrersTag } from "./referrers-tag.ts";

export interface ListRequest extends Partial<Patience> {
  readonly repository: string;
  /** Start of an error's message. */
  readonly action: string;
  readonly signal: AbortSignal | undefined;
  /** Bytes of one answer. */
  readonly limit: number;
}

const pageSize = 1000;
const maxPages = 1000;
const tagPattern = /^\w[\w.-]{0,127}$/;

/**
 * All tags of a repository, in the registry's order.
 *
 * @throws SampanError `not-found` (no such repository), `permission-denied`, `unavailable`, `data-loss` (no list of tags)
 */
export async function listTags(connection: Connection, request: ListRequest): Promise<readonly string[]> {
  const { repository, action } = request;
  const tags: string[] = [];
  let path: string | undefined = `/v2/${repository}/tags/list?n=${pageSize}`;
  for (let page = 0; path !== undefined; page++) {
    if (page === maxPages) throw invalidArgument(`${action}: it has more than ${maxPages} pages of tags`);
    const answered: Answer = await get(connection, request, path);
    if (answered.response.status === 404) {
      answered.response.discard();
      throw notFound(`${action}: ${connection.host} has no repository ${repository}`, {
        status: 404,
        path: repository,
        remedy: "Check the repository's name",
      });
    }
    const text = await textOf(connection, request, answered);
    let answer: { tags?: unknown } | null;
    try {
      answer = JSON.parse(text) as typeof answer;
    } catch (error) {
      throw dataLoss(`${action}: ${connection.host} answers no JSON`, { cause: error });
    }
    const given = answer?.tags ?? [];
    if (!Array.isArray(given) || !given.every((tag) => typeof tag === "string" && tagPattern.test(tag))) {
      throw dataLoss(`${action}: ${connection.host} answers no list of tags`);
    }
    tags.push(...(given as string[]));
    path = nextPage(answered.response);
  }
  return tags;
}

/**
 * What refers to a manifest: signatures, attestations, bills of materials (distribution-spec, "Listing Referrers"). From a
 * registry that does not know the question, what clients have listed under the tag made of the digest.
 *
 * @param artifactType only those of this type
 * @throws SampanError `permission-denied`, `unavailable`, `invalid-argument` (no index)
 */
export async function listReferrers(
  connection: Connection,
  request: ListRequest & { readonly digest: Digest; readonly artifactType: string | undefined },
): Promise<readonly Descriptor[]> {
  const { repository, digest, artifactType } = request;
  const query = artifactType === undefined ? "" : `?${new URLSearchParams({ artifactType }).toString()}`;
  let answer = await get(connection, request, `/v2/${repository}/referrers/${digest}${query}`);
  if (answer.response.status === 404) {
    answer.response.discard();
    answer = await get(connection, request, `/v2/${repository}/manifests/${referrersTag(digest)}`);
  }
  if (answer.response.status === 404) {
    answer.response.discard();
    return [];
  }
  const found: Descriptor[] = [];
  for (let page = 1; ; page++) {
    const { manifests } = parseIndex(await textOf(connection, request, answer), mediaTypes.ociIndex);
    found.push(...manifests);
    const next = nextPage(answer.response);
    if (next === undefined) break;
    if (page === maxPages) throw invalidArgument(`${request.action}: it has more than ${maxPages} pages of referrers`);
    answer = await get(connection, request, next);
  }
  return found.filter((one) => artifactType === undefined || one.artifactType === artifactType);
}

interface Answer {
  readonly response: HttpResponse;
  readonly bytes: Uint8Array | undefined;
}

async function get(connection: Connection, request: ListRequest, path: string): Promise<Answer> {
  const { repository, action, signal, attempts, timeouts, limit } = request;
  const scope = `repository:${repository}:pull`;
  const headers = { accept: `${mediaTypes.ociIndex}, application/json` };
  const asked = { method: "GET" as const, path, scope, action, signal, headers, attempts, timeouts };
  return await connection.sendForBytes(asked, limit);
}

async function textOf(connection: Connection, request: ListRequest, { response, bytes }: Answer): Promise<string> {
  const { action, limit } = request;
  if (response.status !== 200) {
    const { detail } = await errorDetail(response);
    throw statusError(action, response.status, connection.host, detail);
  }
  if (bytes !== undefined) return Buffer.from(bytes).toString("utf8");
  throw dataLoss(`${action}: ${connection.host} answers more than ${limit} bytes`);
}

/** Of a Link header (RFC 8288), as a whole URL. One that leads to another host gets no credentials there. */
function nextPage(response: HttpResponse): string | undefined {
  const target = /<([^>]*)>\s*;[^,]*rel="?next"?/.exec(response.header("link") ?? "")?.[1];
  return target === undefined ? undefined : (URL.parse(target, response.url)?.href ?? undefined);
}
