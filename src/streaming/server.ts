/**
 * The streaming server of the CRI: `Exec`, `Attach` and `PortForward` answer an address of it, to which the client connects by
 * SPDY/3.1 or WebSocket (kubernetes/cri-streaming). An address is good once, for a minute.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import { unavailable } from "#errdefs";
import type { StreamBackend, StreamRequest } from "./backend.ts";
import { portForwardProtocol, servePortForward } from "./port-forward.ts";
import { commandProtocols, serveSpdyCommand } from "./spdy-command.ts";
import { Tokens } from "./tokens.ts";
import { hideTunnel, showTunnel } from "./tunnel.ts";
import { serveWebSocketCommand, webSocketCommandProtocols } from "./websocket-command.ts";
import { serveWebSocketForward, webSocketForwardProtocols } from "./websocket-forward.ts";

export interface StreamingOptions {
  readonly backend: StreamBackend;
  /** Address to listen on; 127.0.0.1 by default. */
  readonly host?: string;
  /** 0 (default) takes a free one. */
  readonly port?: number;
  /** Host and port as clients reach it, e.g. behind a proxy; the address itself by default. */
  readonly advertise?: string;
  /** Certificate chain and key as PEM, and a CA of which clients need a certificate. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
}

/** Bytes of a WebSocket message: clients send some 32 KiB. */
const maxMessage = 1024 * 1024;

export class StreamingServer implements AsyncDisposable {
  readonly #backend: StreamBackend;
  readonly #options: StreamingOptions;
  readonly #tokens = new Tokens();
  readonly #sockets = new Set<Duplex>();
  readonly #webSockets: WebSocketServer;
  #server: Server | undefined;
  #base = "";

  constructor(options: StreamingOptions) {
    this.#backend = options.backend;
    this.#options = options;
    this.#webSockets = new WebSocketServer({
      noServer: true,
      maxPayload: maxMessage,
      perMessageDeflate: false,
      handleProtocols: (offered, request) => chooseWebSocketProtocol(offered, request),
    });
    this.#webSockets.on("headers", showTunnel);
  }

  /** @throws SampanError `unavailable` when the address can't be listened on */
  async listen(): Promise<void> {
    const { host = "127.0.0.1", port = 0, tls } = this.#options;
    const answer = (request: IncomingMessage, response: ServerResponse): void => refuse(request, response);
    const server =
      tls === undefined
        ? (await import("node:http")).createServer(answer)
        : (await import("node:https")).createServer(
            { ...tls, requestCert: tls.ca !== undefined, rejectUnauthorized: tls.ca !== undefined },
            answer,
          );
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#upgrade(request, socket, head);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", (cause) =>
        reject(unavailable(`Cannot listen on "${host}:${port}" for streams: ${cause.message}`, { cause })),
      );
      server.listen(port, host, resolve);
    });
    this.#server = server;
    const address = server.address() as AddressInfo;
    const shown = address.family === "IPv6" ? `[${address.address}]` : address.address;
    this.#base = `${tls === undefined ? "http" : "https"}://${this.#options.advertise ?? `${shown}:${address.port}`}`;
  }

  /** What addresses of streams begin with, e.g. `http://127.0.0.1:33221`. */
  get address(): string {
    return this.#base;
  }

  /**
   * The address at which a client finds the stream.
   *
   * @throws SampanError `resource-exhausted` when too many wait
   */
  url(request: StreamRequest): string {
    return `${this.#base}/${request.kind}/${this.#tokens.add(request)}`;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => undefined);
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    const [, kind = "", token = ""] = /^\/([a-z]+)\/([^/?]+)(?:\?|$)/.exec(request.url ?? "") ?? [];
    const upgrade = (request.headers.upgrade ?? "").toLowerCase();
    if (upgrade !== "spdy/3.1" && upgrade !== "websocket") {
      answerError(socket, "400 Bad Request", `Cannot upgrade to "${upgrade}": only SPDY/3.1 and websocket are spoken`);
      return;
    }
    const found = this.#tokens.take(token);
    if (found === undefined || found.kind !== kind) {
      answerError(socket, "404 Not Found", "Cannot find this stream: it was used, or has expired");
      return;
    }
    if (upgrade === "websocket") {
      (request as RequestWithStream).streamKind = found.kind;
      hideTunnel(request);
      this.#webSockets.handleUpgrade(request, socket, head, (client) => void this.#serveWebSocket(client, found));
      return;
    }
    void this.#serveSpdy(request, socket, head, found);
  }

  async #serveWebSocket(client: WebSocket, request: StreamRequest): Promise<void> {
    if (request.kind === "portforward") await serveWebSocketForward(client, request, this.#backend);
    else await serveWebSocketCommand(client, request, this.#backend);
  }

  async #serveSpdy(message: IncomingMessage, socket: Duplex, head: Buffer, request: StreamRequest): Promise<void> {
    const offered = (message.headersDistinct["x-stream-protocol-version"] ?? []).flatMap((value) =>
      value.split(",").map((one) => one.trim()),
    );
    const known = request.kind === "portforward" ? [portForwardProtocol] : commandProtocols;
    // Clients from before there were versions name none.
    const protocol = offered.length === 0 ? known.at(-1) : known.find((one) => offered.includes(one));
    if (protocol === undefined) {
      answerError(
        socket,
        "403 Forbidden",
        `Cannot serve a stream: of its protocols (${offered.join(", ")}) none is known`,
      );
      return;
    }
    socket.write(
      [
        "HTTP/1.1 101 Switching Protocols",
        "Connection: Upgrade",
        "Upgrade: SPDY/3.1",
        `X-Stream-Protocol-Version: ${protocol}`,
        "\r\n",
      ].join("\r\n"),
    );
    if (head.length > 0) socket.unshift(head);
    if (request.kind === "portforward") await servePortForward(socket, request, this.#backend);
    else await serveSpdyCommand(socket, request, protocol, this.#backend);
  }

  /** Ends all streams. */
  async [Symbol.asyncDispose](): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }
}

interface RequestWithStream extends IncomingMessage {
  streamKind?: StreamRequest["kind"];
}

function chooseWebSocketProtocol(offered: Set<string>, request: RequestWithStream): string | false {
  const known = request.streamKind === "portforward" ? webSocketForwardProtocols : webSocketCommandProtocols;
  return known.find((protocol) => offered.has(protocol)) ?? false;
}

function refuse(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(400, { "content-type": "text/plain", connection: "close" });
  response.end(`Cannot ${request.method} "${request.url}": a stream needs an upgrade to SPDY/3.1 or websocket\n`);
}

function answerError(socket: Duplex, status: string, message: string): void {
  const body = `${message}\n`;
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
