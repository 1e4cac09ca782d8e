import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage } from "node:http";
import { isLoopback, type Endpoint } from "./endpoint.ts";
import { connectionFailure, ConnectionFailure } from "./failure.ts";
import type { Settings } from "./options.ts";

export type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";

/** A body, or what makes one: that is called once more when a request is sent again. */
export type Body = string | Uint8Array | (() => AsyncIterable<Uint8Array>);

export interface HttpRequest {
  readonly method: Method;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Body | undefined;
  readonly signal?: AbortSignal | undefined;
}

const maxRedirects = 10;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Client over Node's own http and https, which are loaded with the first request and stream with back-pressure. */
export class HttpClient {
  readonly #settings: Settings;
  readonly #agents = new Map<string, Agent>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /**
   * Sends a request and follows the redirects of a GET or HEAD. The Authorization header goes to the first origin only, and never from https to http.
   *
   * @throws ConnectionFailure; the signal's reason when that is aborted
   */
  async send(request: HttpRequest, endpoint: Pick<Endpoint, "verify">): Promise<HttpResponse> {
    let { url, headers } = request;
    for (let count = 0; ; count++) {
      const response = await this.#sendOnce({ ...request, url, headers }, endpoint.verify);
      const location = response.headers.location;
      const safe = request.method === "GET" || request.method === "HEAD";
      if (!redirects.has(response.status) || location === undefined || !safe) return response;
      response.discard();
      const next = URL.parse(location, url);
      if (count === maxRedirects) throw badRedirect(`${url.host} redirects more than ${maxRedirects} times`);
      if (next === null || !/^https?:$/.test(next.protocol)) {
        throw badRedirect(`${url.host} redirects to no web address`);
      }
      if (url.protocol === "https:" && next.protocol === "http:" && endpoint.verify) {
        throw badRedirect(`${url.host} redirects from https to http`);
      }
      if (next.origin !== url.origin) {
        headers = Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "authorization"));
      }
      url = next;
    }
  }

  async #sendOnce(request: HttpRequest, verify: boolean): Promise<HttpResponse> {
    const { url, signal } = request;
    signal?.throwIfAborted();
    const secure = url.protocol === "https:";
    const { request: start } = secure ? await import("node:https") : await import("node:http");
    const agent = await this.#agent(secure, verify, isLoopback(url.host));
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const outgoing = start(url, {
      method: request.method,
      headers: { "user-agent": "sampan", "accept-encoding": "identity", ...request.headers },
      agent,
      ...(signal && { signal }),
    });
    const expire = (reason: string) => (): void => {
      const remedy = "Check the network and the registry's address";
      outgoing.destroy(new ConnectionFailure(reason, { retriable: true, remedy }));
    };
    let timer = setTimeout(expire(`${url.host} does not answer`), this.#settings.connectTimeout);
    const connected = (): void => {
      clearTimeout(timer);
      timer = setTimeout(expire(`${url.host} connected but sends no answer`), this.#settings.stallTimeout);
    };
    outgoing.once("socket", (socket) => {
      if (socket.connecting) socket.once(secure ? "secureConnect" : "connect", connected);
      else connected();
    });
    outgoing.once("response", resolve);
    outgoing.on("error", reject);
    let failure: { error: unknown } | undefined;
    if (typeof request.body === "function") {
      const source = request.body();
      sendBody(outgoing, source, () => timer.refresh()).catch((error: unknown) => {
        failure = { error };
        outgoing.destroy();
        reject(error);
      });
    } else outgoing.end(request.body);
    try {
      return new HttpResponse(await promise, url, this.#settings.stallTimeout, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (failure !== undefined) throw failure.error;
      throw connectionFailure(error, url.host);
    } finally {
      clearTimeout(timer);
    }
  }

  async #agent(secure: boolean, verify: boolean, direct: boolean): Promise<Agent> {
    const key = `${secure} ${verify} ${direct}`;
    let agent = this.#agents.get(key);
    if (agent === undefined) {
      // HTTP_PROXY and its like count, but never for this machine itself.
      const options = { keepAlive: true, ...(!direct && { proxyEnv: process.env }) };
      agent = secure
        ? new (await import("node:https")).Agent({ ...options, rejectUnauthorized: verify })
        : new (await import("node:http")).Agent(options);
      this.#agents.set(key, agent);
    }
    return agent;
  }

  /** Closes idle and busy connections. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }
}

/**
 * Writes a body no faster than it is taken. A server that answers before it has all of it wants no more.
 *
 * @throws what the source throws
 */
async function sendBody(
  outgoing: ClientRequest,
  source: AsyncIterable<Uint8Array>,
  onProgress: () => void,
): Promise<void> {
  let over = false;
  let wake = (): void => {};
  const end = (): void => {
    over = true;
    // What was not sent can't be followed by another request.
    if (!outgoing.writableEnded) outgoing.shouldKeepAlive = false;
    wake();
  };
  for (const event of ["response", "close", "error"]) outgoing.once(event, end);
  outgoing.on("drain", () => wake());
  for await (const chunk of source) {
    // oxlint-disable-next-line typescript/no-unnecessary-condition -- set by an event
    if (over) break;
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    if (!outgoing.write(chunk)) await promise;
    onProgress();
  }
  // oxlint-disable-next-line typescript/no-unnecessary-condition -- set by an event
  if (!over) outgoing.end();
}

function badRedirect(reason: string): ConnectionFailure {
  return new ConnectionFailure(reason, { retriable: false, remedy: "Report it to whoever runs the registry" });
}

/** An answer whose body is still to be read, or discarded. */
export class HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Where it came from, after redirects. */
  readonly url: URL;
  readonly #message: IncomingMessage;
  readonly #stallTimeout: number;
  readonly #signal: AbortSignal | undefined;

  constructor(message: IncomingMessage, url: URL, stallTimeout: number, signal: AbortSignal | undefined) {
    this.status = message.statusCode ?? 0;
    this.headers = message.headers;
    this.url = url;
    this.#message = message;
    this.#stallTimeout = stallTimeout;
    this.#signal = signal;
  }

  /** A header that stands once. */
  header(name: string): string | undefined {
    const value = this.headers[name];
    return typeof value === "string" ? value : value?.[0];
  }

  /**
   * The body's chunks. A slow reader slows the sender down, and is no stall.
   *
   * @throws ConnectionFailure when the connection breaks or stalls; the signal's reason when that is aborted
   */
  async *body(): AsyncGenerator<Uint8Array> {
    const message = this.#message;
    let waiting = true;
    const timer = setTimeout(() => {
      const reason = `${this.url.host} stopped sending`;
      if (waiting) message.destroy(new ConnectionFailure(reason, { retriable: true, remedy: "Check the network" }));
    }, this.#stallTimeout);
    try {
      for await (const chunk of message) {
        waiting = false;
        yield chunk as Uint8Array;
        waiting = true;
        timer.refresh();
      }
    } catch (error) {
      this.#signal?.throwIfAborted();
      throw connectionFailure(error, this.url.host);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The whole body, or undefined when it has more than `limit` bytes. */
  async bytes(limit: number): Promise<Uint8Array | undefined> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this.body()) {
      size += chunk.length;
      if (size > limit) return undefined;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  /** Lets go of the body; a short one is read to its end, so that the connection can be used again. */
  discard(): void {
    const length = Number(this.headers["content-length"] ?? Number.NaN);
    this.#message.on("error", () => {});
    if (length <= 64 * 1024) this.#message.resume();
    else this.#message.destroy();
  }
}
