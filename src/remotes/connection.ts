import { permissionDenied } from "#errdefs";
import { Authorizer } from "./authorizer.ts";
import type { Endpoint, RegistryHost } from "./endpoint.ts";
import { abortError, ConnectionFailure, toSampanError } from "./failure.ts";
import type { Body, HttpClient, HttpResponse, Method, Target, Timeouts } from "./http.ts";
import type { Settings } from "./options.ts";
import { backOff, isRetriableStatus, retryAfter } from "./retry.ts";

export interface RegistryRequest {
  readonly method: Method;
  /** Begins with `/v2/`, wherever the host has its API; or a whole URL that the registry gave. */
  readonly path: string;
  /** Token scope, e.g. `repository:library/nginx:pull`; several are separated by spaces. */
  readonly scope: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body;
  readonly signal?: AbortSignal | undefined;
  /** Start of an error's message, e.g. `Cannot pull "nginx:latest"`. */
  readonly action: string;
  /** Tries in all, in place of the setting. */
  readonly attempts?: number | undefined;
  /** In place of the settings'. */
  readonly timeouts?: Timeouts | undefined;
}

/** One host of a registry: where it is, and what it wants in the Authorization header. */
export class Connection {
  readonly #client: HttpClient;
  readonly #settings: Settings;
  readonly #authorizer: Authorizer;
  readonly #registry: RegistryHost;
  #endpoints: readonly Endpoint[];

  constructor(registry: RegistryHost, client: HttpClient, settings: Settings) {
    this.#client = client;
    this.#settings = settings;
    this.#registry = registry;
    this.#authorizer = new Authorizer(registry.domain, settings.credentials, client);
    this.#endpoints = registry.endpoints;
  }

  /** Where the registry is, for messages. */
  get host(): string {
    return this.#registry.host;
  }

  /** What the host may be asked for, and how. */
  get registry(): RegistryHost {
    return this.#registry;
  }

  /**
   * Sends a request, logs in when asked to, and tries again after a broken connection or a status that may pass.
   *
   * @returns the answer, of any status but 401
   * @throws SampanError `unavailable`, `permission-denied` or `cancelled`
   */
  async send(request: RegistryRequest): Promise<HttpResponse> {
    return await this.#retry(request, async (response) => await Promise.resolve(response));
  }

  /**
   * Like {@link send}, and reads the body of a 200, where a connection may break too.
   *
   * @returns no bytes for another status, and where there are more than `limit`
   */
  async sendForBytes(
    request: RegistryRequest,
    limit: number,
  ): Promise<{ readonly response: HttpResponse; readonly bytes: Uint8Array | undefined }> {
    return await this.#retry(request, async (response) => ({
      response,
      bytes: response.status === 200 ? await response.bytes(limit) : undefined,
    }));
  }

  async #retry<T>(request: RegistryRequest, take: (response: HttpResponse) => Promise<T>): Promise<T> {
    const { action, signal } = request;
    const attempts = request.attempts ?? this.#settings.retry.attempts;
    try {
      for (let attempt = 1; ; attempt++) {
        const last = attempt >= attempts;
        let asked = 0;
        try {
          const response = await this.sendOnce(request);
          if (!isRetriableStatus(response.status) || last) return await take(response);
          asked = retryAfter(response, Date.now());
          // Waiting less than the registry asks for is no use.
          if (asked > this.#settings.retry.maxDelay) return await take(response);
          response.discard();
        } catch (error) {
          if (!(error instanceof ConnectionFailure) || !error.retriable || last) throw error;
        }
        await backOff(attempt + 1, this.#settings.retry, signal, asked);
      }
    } catch (error) {
      if (signal?.aborted === true) throw abortError(action, signal);
      throw toSampanError(error, action);
    }
  }

  /**
   * Like {@link send}, with one try only.
   *
   * @throws ConnectionFailure; SampanError `permission-denied`; the signal's reason
   */
  async sendOnce(request: RegistryRequest): Promise<HttpResponse> {
    // A second answer to a challenge is for a token that ran out on the way.
    for (let round = 0; ; round++) {
      const authorization = await this.#authorizer.header(request.scope);
      const { response, endpoint } = await this.#sendToEndpoint(request, authorization);
      // A host that this one redirects to, or has its uploads at, is told no password whatever it asks for.
      if (response.status !== 401 || response.url.origin !== endpoint.origin) return response;
      response.discard();
      const { scope, signal } = request;
      const target = this.#target(endpoint);
      if (round < 2 && (await this.#authorizer.answer(response, scope, target, authorization, signal))) continue;
      const state =
        authorization === undefined
          ? "wants a login"
          : request.scope === ""
            ? "does not accept the user name and password"
            : "does not accept the login for this, or the image does not exist";
      throw permissionDenied(`${request.action}: ${endpoint.origin} ${state}`, {
        status: 401,
        remedy: "Log in to the registry, and check the image's name",
      });
    }
  }

  async #sendToEndpoint(
    request: RegistryRequest,
    authorization: string | undefined,
  ): Promise<{ response: HttpResponse; endpoint: Endpoint }> {
    for (let index = 0; ; index++) {
      const endpoint = this.#endpoints[index] as Endpoint;
      try {
        const url = targetOf(request, endpoint, this.#registry.mirrorOf);
        // A registry may have its uploads elsewhere; what logs in here is nobody else's business.
        const trusted = authorization !== undefined && url.origin === endpoint.origin;
        const { method, headers, body, signal } = request;
        const { connectTimeout, stallTimeout } = this.#settings;
        const { connect, stall } = request.timeouts ?? { connect: connectTimeout, stall: stallTimeout };
        const timeouts = { connect: this.#registry.dialTimeout ?? connect, stall };
        const response = await this.#client.send(
          { method, url, headers: { ...headers, ...(trusted && { authorization }) }, body, signal, timeouts },
          this.#target(endpoint),
        );
        this.#endpoints = [endpoint];
        return { response, endpoint };
      } catch (error) {
        const more = index + 1 < this.#endpoints.length;
        if (!(error instanceof ConnectionFailure) || !error.tryPlain || !more) throw error;
      }
    }
  }

  #target({ origin, verify, trust }: Endpoint): Target {
    return { origin, verify, trust, headers: this.#registry.headers };
  }
}

/** A registry behind a proxy that ends TLS may give URLs of its own with http. */
function targetOf(request: RegistryRequest, endpoint: Endpoint, mirrorOf: string | undefined): URL {
  const { path, method } = request;
  const origin = new URL(endpoint.origin);
  const url = path.startsWith("/v2/")
    ? new URL(endpoint.origin + endpoint.path + path.slice(3))
    : new URL(path, origin);
  // A mirror of several registries is told which one's image is meant.
  const isRead = method === "GET" || method === "HEAD";
  if (mirrorOf !== undefined && isRead && path.startsWith("/v2/")) url.searchParams.append("ns", mirrorOf);
  if (url.host === origin.host) url.protocol = origin.protocol;
  if (!/^https?:$/.test(url.protocol) || (origin.protocol === "https:" && url.protocol === "http:")) {
    throw new ConnectionFailure(`${origin.host} wants data to be sent to ${url.origin}`, {
      retriable: false,
      remedy: "Report it to whoever runs the registry",
    });
  }
  return url;
}
