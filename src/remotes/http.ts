import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from "node:http";
import { Agents } from "./agents.ts";
import type { Endpoint } from "./endpoint.ts";
import { connectionFailure, ConnectionFailure } from "./failure.ts";
import type { Settings } from "./options.ts";
import { Slots } from "./slots.ts";
import { Throttle } from "./throttle.ts";

export type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";

/** A body, or what makes one: that is called once more when a request is sent again. */
export type Body = string | Uint8Array | (() => AsyncIterable<Uint8Array>);

export interface HttpRequest {
  readonly method: Method;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Body | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeouts?: Timeouts | undefined;
}

/** Milliseconds; those of the settings where there are none. */
export interface Timeouts {
  readonly connect: number;
  readonly stall: number;
}

type Headers = Readonly<Record<string, string | readonly string[]>>;

/** Where a request goes, and what goes only there and not where that redirects to. */
export interface Target extends Pick<Endpoint, "verify" | "trust"> {
  readonly origin: string;
  readonly headers?: ReadonlyMap<string, readonly string[]>;
}

const maxRedirects = 10;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Client over Node's own http and https, which are loaded with the first request and stream with back-pressure. */
export class HttpClient {
  readonly #settings: Settings;
  readonly #agents = new Agents();
  readonly #slots: Slots;
  readonly #throttle: Throttle;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#slots = new Slots(settings.connections);
    this.#throttle = new Throttle(settings.limitRate);
  }

  /**
   * Sends a request and follows the redirects of a GET or HEAD. The Authorization header and the target's own headers go to
   * the first origin only, our certificates to its host only, and nothing goes from https to http.
   *
   * @throws ConnectionFailure; the signal's reason when that is aborted
   */
  async send(request: HttpRequest, target: Target): Promise<HttpResponse> {
    const { hostname, origin } = new URL(target.origin);
    let { url, headers } = request;
    for (let count = 0; ; count++) {
      const own: Headers = url.origin === origin ? Object.fromEntries(target.headers ?? []) : {};
      const response = await this.#sendTrusting(
        { ...request, url },
        { ...own, ...headers },
        target,
        url.hostname === hostname,
      );
      const location = response.headers.location;
      const safe = request.method === "GET" || request.method === "HEAD";
      if (!redirects.has(response.status) || location === undefined || !safe) return response;
      response.discard();
      const next = URL.parse(location, url);
      if (count === maxRedirects) throw badRedirect(`${url.host} redirects more than ${maxRedirects} times`);
      if (next === null || !/^https?:$/.test(next.protocol)) {
        throw badRedirect(`${url.host} redirects to no web address`);
      }
      if (url.protocol === "https:" && next.protocol === "http:" && target.verify) {
        throw badRedirect(`${url.host} redirects from https to http`);
      }
      if (next.origin !== url.origin) {
        headers = Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "authorization"));
      }
      url = next;
    }
  }

  /** Tries once more with all authorities of this machine. */
  async #sendTrusting(request: HttpRequest, headers: Headers, target: Target, own: boolean): Promise<HttpResponse> {
    try {
      return await this.#sendOnce(request, headers, target, own);
    } catch (error) {
      if (!(error instanceof ConnectionFailure) || !(await this.#agents.widen(error.cause, target))) throw error;
      return await this.#sendOnce(request, headers, target, own);
    }
  }

  async #sendOnce(request: HttpRequest, headers: Headers, target: Target, own: boolean): Promise<HttpResponse> {
    const { url, signal } = request;
    signal?.throwIfAborted();
    const secure = url.protocol === "https:";
    const { request: start } = secure ? await import("node:https") : await import("node:http");
    const agent = await this.#agents.get(url, target, own);
    const release = await this.#slots.take(url.host, signal);
    const timeouts = request.timeouts ?? { connect: this.#settings.connectTimeout, stall: this.#settings.stallTimeout };
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    let outgoing: ClientRequest;
    try {
      outgoing = start(url, {
        method: request.method,
        headers: { "user-agent": "sampan", "accept-encoding": "identity", ...headers },
        maxHeaderSize: this.#settings.maxHeaderSize,
        agent,
        ...(signal && { signal }),
      });
    } catch (error) {
      release();
      throw connectionFailure(error, url.host);
    }
    outgoing.once("close", release);
    const expire = (reason: string) => (): void => {
      const remedy = "Check the network and the registry's address";
      outgoing.destroy(new ConnectionFailure(reason, { retriable: true, remedy }));
    };
    let timer = setTimeout(expire(`${url.host} does not answer`), timeouts.connect);
    const connected = (): void => {
      clearTimeout(timer);
      timer = setTimeout(expire(`${url.host} connected but sends no answer`), timeouts.stall);
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
      const onChunk = async (bytes: number): Promise<void> => {
        await this.#throttle.pass(bytes, signal);
        timer.refresh();
      };
      sendBody(outgoing, source, onChunk).catch((error: unknown) => {
        failure = { error };
        outgoing.destroy();
        reject(error);
      });
    } else outgoing.end(request.body);
    try {
      return new HttpResponse(await promise, url, timeouts.stall, this.#throttle, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (failure !== undefined) throw failure.error;
      throw connectionFailure(error, url.host);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes idle and busy connections. */
  close(): void {
    this.#agents.close();
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
  onChunk: (bytes: number) => Promise<void>,
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
    await onChunk(chunk.length);
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
  readonly #throttle: Throttle;
  readonly #signal: AbortSignal | undefined;

  constructor(
    message: IncomingMessage,
    url: URL,
    stallTimeout: number,
    throttle: Throttle,
    signal: AbortSignal | undefined,
  ) {
    this.status = message.statusCode ?? 0;
    this.headers = message.headers;
    this.url = url;
    this.#message = message;
    this.#stallTimeout = stallTimeout;
    this.#throttle = throttle;
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
        await this.#throttle.pass((chunk as Uint8Array).length, this.#signal);
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
