import { createHash } from "node:crypto";
import { dataLoss, permissionDenied, unavailable, type SampanError } from "#errdefs";
import { digestAlgorithm, digestHex, type Descriptor } from "#spec";
import type { Connection } from "./connection.ts";
import { errorDetail } from "./error-detail.ts";
import { abortError, ConnectionFailure, statusError, toSampanError } from "./failure.ts";
import type { HttpResponse } from "./http.ts";
import type { Settings } from "./options.ts";
import { backOff, isRetriableStatus, retryAfter } from "./retry.ts";

/** Gives a blob's bytes from `offset` to its end; called again for each try. */
export type UploadSource = (offset: number) => AsyncIterable<Uint8Array>;

export interface UploadRequest {
  /** `library/nginx` */
  readonly repository: string;
  readonly action: string;
  readonly descriptor: Descriptor;
  readonly source: UploadSource;
  /** Repositories of the same registry that may have the blob. */
  readonly mountFrom: readonly string[];
  /** Bytes that the registry has, or is being sent; goes back when a part is sent again. */
  readonly onProgress: ((sent: number) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** What became of a blob: sent, there already, or taken over from another repository. */
export type Uploaded = "done" | "exists" | "mounted";

/** Parts that are tried when a registry refuses the whole as too large, in bytes. */
const smallerChunk = 32 * 1024 * 1024;

/** An upload under way (distribution-spec, "Pushing blobs"). */
interface Session {
  readonly location: string;
  /** Bytes that the registry has. */
  readonly offset: number;
}

/**
 * Gives a blob to a registry: asks whether it is there, then whether it can be mounted, then sends it. What a broken
 * connection has left is gone on with, where the registry can tell how much that is.
 *
 * @throws SampanError `data-loss` when the source has other bytes than the descriptor says; `permission-denied`,
 * `unavailable`, `cancelled`
 */
export async function uploadBlob(
  connection: Connection,
  settings: Settings,
  request: UploadRequest,
): Promise<Uploaded> {
  const { action, signal } = request;
  try {
    return await new Upload(connection, settings, request).run();
  } catch (error) {
    if (signal?.aborted === true) throw abortError(action, signal);
    throw toSampanError(error, action);
  }
}

/** Token scope for pushing to a repository. */
export function pushScope(repository: string): string {
  return `repository:${repository}:pull,push`;
}

class Upload {
  readonly #connection: Connection;
  readonly #settings: Settings;
  readonly #request: UploadRequest;
  #chunk: number;

  constructor(connection: Connection, settings: Settings, request: UploadRequest) {
    this.#connection = connection;
    this.#settings = settings;
    this.#request = request;
    this.#chunk = settings.uploadChunk;
  }

  async run(): Promise<Uploaded> {
    const { digest } = this.#request.descriptor;
    const head = await this.#send("HEAD", `blobs/${digest}`);
    head.discard();
    if (head.status === 200) return "exists";
    for (const from of this.#request.mountFrom) {
      const query = new URLSearchParams({ mount: digest, from });
      const scope = `${pushScope(this.#request.repository)} repository:${from}:pull`;
      // One that may not be read there is no reason to fail.
      const response = await this.#send("POST", `blobs/uploads/?${query.toString()}`, scope).catch(() => undefined);
      response?.discard();
      if (response?.status === 201) return "mounted";
      if (response?.status === 202) return this.#transfer(this.#session(response));
    }
    return this.#transfer(undefined);
  }

  /** Sends until the registry has it all; gives up when `attempts` tries in a row brought it no further. */
  async #transfer(begun: Session | undefined): Promise<Uploaded> {
    const { signal, descriptor, action } = this.#request;
    const { retry } = this.#settings;
    let session = begun;
    let reached = 0;
    let failure: unknown;
    for (let attempt = 1; attempt <= retry.attempts; attempt++) {
      try {
        session ??= await this.#begin();
        while (this.#chunk < descriptor.size && session.offset + this.#chunk < descriptor.size) {
          session = await this.#patch(session, session.offset + this.#chunk);
          if (session.offset <= reached) continue;
          reached = session.offset;
          attempt = 1;
        }
        // A rest goes with PATCH, as a PUT after one may have no body at some registries.
        if (session.offset > 0) session = await this.#patch(session, descriptor.size);
        await this.#finish(session);
        return "done";
      } catch (error) {
        if (signal?.aborted === true) throw error;
        const refused = error instanceof Refused ? error : undefined;
        if (refused === undefined && !(error instanceof ConnectionFailure && error.retriable)) throw error;
        failure = refused?.error ?? error;
        if (refused?.status === 413 && this.#chunk > smallerChunk) this.#chunk = smallerChunk;
        else if (refused !== undefined && !refused.retriable) throw refused.error;
        if (attempt === retry.attempts || (refused?.asked ?? 0) > retry.maxDelay) break;
        await backOff(attempt + 1, retry, signal, refused?.asked);
        session = session && (await this.#resume(session));
      }
    }
    if (failure instanceof ConnectionFailure) {
      throw unavailable(`${action}: ${failure.reason} while layer ${descriptor.digest} is sent`, {
        remedy: failure.remedy,
        cause: failure.cause,
      });
    }
    throw failure;
  }

  async #begin(): Promise<Session> {
    const response = await this.#send("POST", "blobs/uploads/");
    if (response.status !== 202) throw await this.#refused(response);
    response.discard();
    return this.#session(response);
  }

  /** Where an upload stands; undefined when the registry does not know it any more. */
  async #resume({ location }: Session): Promise<Session | undefined> {
    const { repository, action, signal, descriptor } = this.#request;
    const scope = pushScope(repository);
    try {
      const response = await this.#connection.sendOnce({ method: "GET", path: location, scope, action, signal });
      response.discard();
      const end = /^(?:bytes=)?0-(\d+)$/.exec(response.headers["range"] as string)?.[1];
      if (response.status !== 204 || end === undefined) return undefined;
      // An empty upload is 0-0 in some registries, as is one with its first byte: that is sent again from the start.
      const offset = Number(end) === 0 ? 0 : Number(end) + 1;
      return offset > 0 && offset <= descriptor.size ? this.#session(response, offset, location) : undefined;
    } catch (error) {
      if (signal?.aborted === true || !(error instanceof ConnectionFailure)) throw error;
      return undefined;
    }
  }

  async #patch(session: Session, end: number): Promise<Session> {
    const { offset } = session;
    if (offset === end) return session;
    const response = await this.#body("PATCH", session.location, offset, end, {
      "content-range": `${offset}-${end - 1}`,
    });
    if (response.status !== 202) throw await this.#refused(response);
    response.discard();
    return this.#session(response, end);
  }

  /** The last request, with all of the content where none was sent before. */
  async #finish({ location, offset }: Session): Promise<void> {
    const { descriptor, action } = this.#request;
    const end = new URL(location, "http://registry.invalid");
    end.searchParams.set("digest", descriptor.digest);
    const path = /^https?:/.test(location) ? end.href : end.pathname + end.search;
    const response = await this.#body("PUT", path, offset, descriptor.size, {});
    if (response.status !== 201) throw await this.#refused(response);
    response.discard();
    const stored = response.header("docker-content-digest");
    if (stored === undefined || stored === descriptor.digest) return;
    throw dataLoss(`${action}: layer ${descriptor.digest} was stored by ${this.#connection.host} as ${stored}`, {
      remedy: "Report it to whoever runs the registry",
    });
  }

  async #body(
    method: "PATCH" | "PUT",
    path: string,
    start: number,
    end: number,
    headers: Readonly<Record<string, string>>,
  ): Promise<HttpResponse> {
    const { repository, action, signal } = this.#request;
    return await this.#connection.sendOnce({
      method,
      path,
      scope: pushScope(repository),
      action,
      signal,
      headers: { ...headers, "content-type": "application/octet-stream", "content-length": String(end - start) },
      body: () => this.#part(start, end),
    });
  }

  /** Bytes from `start` to before `end`; the whole is verified as it passes. */
  async *#part(start: number, end: number): AsyncGenerator<Uint8Array> {
    if (start === end) return;
    const { descriptor, source, onProgress, action } = this.#request;
    const { digest, size } = descriptor;
    const hash = start === 0 && end === size ? createHash(digestAlgorithm(digest)) : undefined;
    const damaged = (state: string): SampanError =>
      dataLoss(`${action}: layer ${digest} ${state}`, {
        remedy: "Remove the image, pull it again, and check the disk",
      });
    let position = start;
    for await (const chunk of source(start)) {
      if (position + chunk.length > size) throw damaged(`has more than its ${size} bytes here`);
      const part = position + chunk.length > end ? chunk.subarray(0, end - position) : chunk;
      position += part.length;
      hash?.update(part);
      // Before the last bytes go, so that the registry never has the whole of what is wrong.
      if (position === size && hash !== undefined && hash.digest("hex") !== digestHex(digest)) {
        throw damaged("has other bytes here");
      }
      yield part;
      onProgress?.(position);
      if (position === end) return;
    }
    throw damaged(`has only ${position} of its ${size} bytes here`);
  }

  #session(response: HttpResponse, offset = 0, known?: string): Session {
    const location = response.headers.location ?? known;
    if (location !== undefined) return { location: new URL(location, response.url).href, offset };
    throw unavailable(`${this.#request.action}: ${this.#connection.host} does not say where layers are sent to`, {
      remedy: "Report it to whoever runs the registry",
    });
  }

  async #send(method: "HEAD" | "POST", path: string, scope?: string): Promise<HttpResponse> {
    const { repository, action, signal } = this.#request;
    return await this.#connection.send({
      method,
      path: `/v2/${repository}/${path}`,
      scope: scope ?? pushScope(repository),
      action,
      signal,
      ...(method === "POST" && { headers: { "content-length": "0" } }),
    });
  }

  async #refused(response: HttpResponse): Promise<Refused> {
    const asked = retryAfter(response, Date.now());
    const { detail } = await errorDetail(response);
    return new Refused(
      response.status,
      asked,
      pushError(this.#request.action, response.status, this.#connection.host, detail),
    );
  }
}

/** An answer that is no success: `asked` milliseconds are to pass before another try. */
class Refused extends Error {
  readonly status: number;
  readonly asked: number;
  readonly error: SampanError;

  constructor(status: number, asked: number, error: SampanError) {
    super(error.message);
    this.status = status;
    this.asked = asked;
    this.error = error;
  }

  /** An upload that is not known any more, or is elsewhere than we think, is begun again. */
  get retriable(): boolean {
    return isRetriableStatus(this.status) || this.status === 404 || this.status === 416;
  }
}

/** What a status means when something is pushed. */
export function pushError(action: string, status: number, host: string, detail: string): SampanError {
  const said = detail === "" ? "" : ` (${detail})`;
  if (status === 405) {
    return permissionDenied(`${action}: ${host} takes no images${said}`, {
      status,
      remedy: "Push to the registry itself, not to its mirror",
    });
  }
  return statusError(action, status, host, detail);
}
