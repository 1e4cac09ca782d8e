/** HTTP servers of all that the daemon answers, for connections of any kind. */
import { createServer as createHttp1, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import {
  createSecureServer,
  createServer as createHttp2,
  type Http2SecureServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type Http2Session,
} from "node:http2";
import type { Socket } from "node:net";
import { createContextValues } from "@connectrpc/connect";
import { connectNodeAdapter, type ConnectNodeAdapterOptions } from "@connectrpc/connect-node";
import { callerKey } from "#api-calls";
import { fromSystemError } from "#errdefs";
import { serveEither } from "./protocols.ts";
import type { tlsOptions } from "./sockets.ts";

type NodeHandlerFn = ReturnType<typeof connectNodeAdapter>;
type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

/** What is served of one namespace. */
export interface Served {
  readonly routes: ConnectNodeAdapterOptions["routes"];
  readonly interceptors: NonNullable<ConnectNodeAdapterOptions["interceptors"]>;
}

export interface RequestOptions {
  /**
   * Of the namespace that the header `sampan-namespace` names, empty for the default one, and for all where `namespaced` is
   * not. Asked once for each.
   */
  readonly serve: (namespace: string) => Promise<Served>;
  readonly namespaced: boolean;
  readonly shutdown: AbortSignal;
  /** Bytes of one message. */
  readonly messageLimit: number;
  /** Calls at once over one connection. */
  readonly streamLimit: number;
  /** What is known of a connection. */
  readonly caller: (socket: Socket) => unknown;
  readonly isReady: () => boolean;
  readonly metrics: () => Promise<{ readonly type: string; readonly body: string }>;
}

/** How long a client may take to send a whole request, in milliseconds; calls that are streams may take for ever. */
const requestTimeout = 60_000;
const streamingCalls = /^\/sampan\.v1\.(Containers\/(Attach|Exec)|Images\/Load|Builds?\/\w+)$/;

export class Requests {
  readonly #http1: Server;
  readonly #http2: Http2Server;
  readonly #options: RequestOptions;
  readonly #listener: (request: Request, response: Response) => void;
  readonly #callers = new WeakMap<object, unknown>();
  readonly #adapters = new Map<string, Promise<NodeHandlerFn>>();

  constructor(options: RequestOptions) {
    this.#options = options;
    this.#listener = (request: Request, response: Response): void => {
      if (request.method === "GET" && this.#answerPlain(request.url ?? "", response)) return;
      limitTime(request);
      nameHost(request);
      void this.#dispatch(request, response);
    };
    this.#http1 = createHttp1({ requestTimeout, headersTimeout: 10_000 }, this.#listener);
    this.#http2 = createHttp2({ settings: sessionSettings(options) }, this.#listener);
    this.#http2.on("sessionError", () => undefined);
  }

  async #dispatch(request: Request, response: Response): Promise<void> {
    const header = request.headers["sampan-namespace"];
    const namespace = typeof header === "string" && this.#options.namespaced ? header : "";
    let adapter = this.#adapters.get(namespace);
    if (adapter === undefined) {
      adapter = this.#adapter(namespace);
      this.#adapters.set(namespace, adapter);
    }
    try {
      (await adapter)(request, response);
    } catch (error) {
      this.#adapters.delete(namespace);
      const known = fromSystemError(error);
      response.statusCode = known === undefined ? 500 : 400;
      response.setHeader("content-type", "application/json");
      const message = known?.message ?? "Cannot answer: an internal error";
      response.end(JSON.stringify({ code: known === undefined ? "internal" : "invalid_argument", message }));
    }
  }

  async #adapter(namespace: string): Promise<NodeHandlerFn> {
    const { serve, shutdown, messageLimit } = this.#options;
    const { routes, interceptors } = await serve(namespace);
    return connectNodeAdapter({
      routes,
      interceptors,
      shutdownSignal: shutdown,
      readMaxBytes: messageLimit,
      acceptCompression: [],
      contextValues: (request) => {
        const connection = "stream" in request ? request.stream.session : request.socket;
        return createContextValues().set(callerKey, connection && this.#callers.get(connection));
      },
    });
  }

  /** A connection without TLS. */
  accept(socket: Socket): void {
    const caller = this.#options.caller(socket);
    this.#callers.set(socket, caller);
    // Node tells of the session while it takes the connection.
    const onSession = (session: Http2Session): void => {
      this.#callers.set(session, caller);
      session.setLocalWindowSize(4 * callWindow);
    };
    serveEither(socket, this.#http1, {
      emit: (name: string, ...args: unknown[]) => {
        this.#http2.once("session", onSession);
        const taken = this.#http2.emit(name, ...args);
        this.#http2.off("session", onSession);
        return taken;
      },
    });
  }

  /** A server for mutual TLS, which listens to nothing yet. */
  secureServer(tls: ReturnType<typeof tlsOptions>): Http2SecureServer {
    const server = createSecureServer(
      { ...tls, allowHTTP1: true, settings: sessionSettings(this.#options) },
      this.#listener,
    );
    let current: unknown;
    server.prependListener("secureConnection", (socket: Socket) => {
      current = this.#options.caller(socket);
      this.#callers.set(socket, current);
    });
    server.on("session", (session) => {
      this.#callers.set(session, current);
      session.setLocalWindowSize(4 * callWindow);
    });
    server.on("sessionError", () => undefined);
    return server;
  }

  /** A server of metrics and health alone. */
  plainServer(): Server {
    return createHttp1({ requestTimeout, headersTimeout: 10_000 }, (request, response) => {
      if (request.method === "GET" && this.#answerPlain(request.url ?? "", response)) return;
      response.writeHead(404).end("not found\n");
    });
  }

  #answerPlain(url: string, response: Response): boolean {
    const answer = (status: number, body: string, type = "text/plain; charset=utf-8"): true => {
      response.statusCode = status;
      response.setHeader("content-type", type);
      response.end(body);
      return true;
    };
    const [path] = url.split("?", 1);
    switch (path) {
      case "/healthz":
        return answer(200, "ok\n");
      case "/readyz":
        return this.#options.isReady() ? answer(200, "ready\n") : answer(503, "not ready\n");
      case "/metrics":
        this.#options.metrics().then(
          ({ type, body }) => answer(200, body, type),
          () => answer(500, "Cannot collect the metrics\n"),
        );
        return true;
      case undefined:
      default:
        return false;
    }
  }
}

/** Bytes that a client may send of one call before they are taken: what a stalled call may cost. */
const callWindow = 256 * 1024;

function sessionSettings({ streamLimit }: RequestOptions) {
  return { maxConcurrentStreams: streamLimit, initialWindowSize: callWindow };
}

/** Go's older clients of gRPC name a socket's path as the host, percent-encoded, which no URL may have. */
function nameHost({ headers }: Request): void {
  const authority = headers[":authority"];
  if (typeof authority === "string" && !URL.canParse(`http://${authority}`)) headers[":authority"] = "localhost";
}

/** A request that does not come to its end is let go: what came of it would wait for ever. */
function limitTime(request: Request): void {
  if (!("stream" in request) || streamingCalls.test(request.url)) return;
  const { stream } = request;
  const timer = setTimeout(() => stream.close(), requestTimeout).unref();
  const done = (): void => clearTimeout(timer);
  request.once("end", done);
  request.once("close", done);
}
