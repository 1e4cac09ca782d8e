import { permissionDenied } from "#errdefs";
import { Authorizer } from "./authorizer.ts";
import { endpointsOf, type Endpoint } from "./endpoint.ts";
import { abortError, ConnectionFailure, toSampanError } from "./failure.ts";
import type { Body, HttpClient, HttpResponse, Method } from "./http.ts";
import type { Settings } from "./options.ts";
import { backOff, isRetriableStatus, retryAfter } from "./retry.ts";

export interface RegistryRequest {
  readonly method: Method;
  /** Below the registry's origin, with a leading slash; or a whole URL that the registry gave. */
  readonly path: string;
  /** Token scope, e.g. `repository:library/nginx:pull`; several are separated by spaces. */
  readonly scope: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body;
  readonly signal?: AbortSignal | undefined;
  /** Start of an error's message, e.g. `Cannot pull "nginx:latest"`. */
  readonly action: string;
  /** Tries in all, in place of the setting. */
  readonly attempts?: number;
}

/** One registry: where it is, and what it wants in the Authorization header. */
export class Connection {
  readonly #client: HttpClient;
  readonly #settings: Settings;
  readonly #authorizer: Authorizer;
  #endpoints: readonly Endpoint[];

  constructor(domain: string, client: HttpClient, settings: Settings) {
    this.#client = client;
    this.#settings = settings;
    this.#authorizer = new Authorizer(domain, settings.credentials, client);
    this.#endpoints = endpointsOf(domain, settings.insecure);
  }

  /** Where the registry is, for messages. */
  get host(): string {
    return new URL(this.#endpoints[0]?.origin ?? "").host;
  }

  /**
   * Sends a request, logs in when asked to, and tries again after a broken connection or a status that may pass.
   *
   * @returns the answer, of any status but 401
   * @throws SampanError `unavailable`, `permission-denied` or `cancelled`
   */
  async send(request: RegistryRequest): Promise<HttpResponse> {
    const { action, signal } = request;
    const attempts = request.attempts ?? this.#settings.retry.attempts;
    try {
      for (let attempt = 1; ; attempt++) {
        const last = attempt >= attempts;
        let asked = 0;
        try {
          const response = await this.sendOnce(request);
          if (!isRetriableStatus(response.status) || last) return response;
          asked = retryAfter(response, Date.now());
          // Waiting less than the registry asks for is no use.
          if (asked > this.#settings.retry.maxDelay) return response;
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
      if (response.status !== 401) return response;
      response.discard();
      const { scope, signal } = request;
      if (round < 2 && (await this.#authorizer.answer(response, scope, endpoint, authorization, signal))) continue;
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
        const url = targetOf(request.path, endpoint);
        // A registry may have its uploads elsewhere; what logs in here is nobody else's business.
        const trusted = authorization !== undefined && url.origin === endpoint.origin;
        const { method, headers, body, signal } = request;
        const response = await this.#client.send(
          { method, url, headers: { ...headers, ...(trusted && { authorization }) }, body, signal },
          endpoint,
        );
        this.#endpoints = [endpoint];
        return { response, endpoint };
      } catch (error) {
        const more = index + 1 < this.#endpoints.length;
        if (!(error instanceof ConnectionFailure) || !error.tryPlain || !more) throw error;
      }
    }
  }
}

/** A registry behind a proxy that ends TLS may give URLs of its own with http. */
function targetOf(path: string, endpoint: Endpoint): URL {
  const origin = new URL(endpoint.origin);
  const url = new URL(path, origin);
  if (url.host === origin.host) url.protocol = origin.protocol;
  if (!/^https?:$/.test(url.protocol) || (origin.protocol === "https:" && url.protocol === "http:")) {
    throw new ConnectionFailure(`${origin.host} wants data to be sent to ${url.origin}`, {
      retriable: false,
      remedy: "Report it to whoever runs the registry",
    });
  }
  return url;
}
