/**
 * An HTTP proxy that stands before a registry and does to its answers what bad networks and bad servers do. Rules are
 * plain data, tried in order; the first that matches a request and still has uses left is applied.
 */
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";

export type Fault =
  /** Close the connection instead of answering. */
  | { readonly kind: "drop" }
  /** Send this many bytes of the body, then close the connection; the length in the header stays right. */
  | { readonly kind: "truncate"; readonly after: number }
  /** Send this many bytes of the body, then nothing more, and keep the connection open. */
  | { readonly kind: "stall"; readonly after: number }
  /** Wait this many milliseconds before the answer. */
  | { readonly kind: "delay"; readonly milliseconds: number }
  /** Invert the byte of the body at this offset. */
  | { readonly kind: "corrupt"; readonly offset: number }
  /** Answer this status, with these headers and body, without asking the registry. */
  | {
      readonly kind: "status";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** Send the whole body under a length that is wrong by this much, as far as HTTP lets it. */
  | { readonly kind: "length"; readonly by: number }
  /** Replace or, with an empty value, remove headers of the answer. */
  | { readonly kind: "headers"; readonly headers: Readonly<Record<string, string>> }
  /** Send endless zeroes after the body, without a length. */
  | { readonly kind: "endless" };

export interface FaultRule {
  readonly fault: Fault;
  /** Method that it applies to, any if not given. */
  readonly method?: string;
  /** Regular expression that must match the request's path with query, e.g. `/blobs/`; any if not given. */
  readonly path?: string;
  /** Matching requests that are let through first, 0 if not given. */
  readonly skip?: number;
  /** How often it is applied, without end if not given. */
  readonly times?: number;
}

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  /** Status that was answered, 0 when the connection was dropped. */
  readonly status: number;
}

interface RuleState {
  readonly rule: FaultRule;
  matched: number;
}

export class FaultProxy implements AsyncDisposable {
  /** `127.0.0.1:<port>`, as it stands in an image reference. */
  readonly address: string;
  readonly port: number;
  /** Every request, in the order in which they were answered or dropped. */
  readonly requests: SeenRequest[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #upstream: string;
  readonly #observe: (request: SeenRequest) => void;
  #rules: RuleState[];

  private constructor(
    server: Server,
    port: number,
    upstream: string,
    rules: readonly FaultRule[],
    observe: (request: SeenRequest) => void,
  ) {
    this.#server = server;
    this.port = port;
    this.address = `127.0.0.1:${port}`;
    this.#upstream = upstream;
    this.#observe = observe;
    this.#rules = rules.map((rule) => ({ rule, matched: 0 }));
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.on("request", (incoming, outgoing) => this.#answer(incoming, outgoing));
  }

  /**
   * Starts a proxy on a free loopback port.
   *
   * @param upstream `host:port` that requests go to
   * @param observe called with each request
   */
  static async start(
    upstream: string,
    rules: readonly FaultRule[] = [],
    observe: (request: SeenRequest) => void = () => undefined,
  ): Promise<FaultProxy> {
    const server = createServer({ keepAliveTimeout: 1000 });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("Cannot start a proxy: no address");
    return new FaultProxy(server, address.port, upstream, rules, observe);
  }

  /** Replaces all rules, whose counts start anew. */
  setRules(rules: readonly FaultRule[]): void {
    this.#rules = rules.map((rule) => ({ rule, matched: 0 }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #faultFor({ method, url = "/" }: IncomingMessage): Fault | undefined {
    for (const state of this.#rules) {
      const { rule } = state;
      if (rule.method !== undefined && rule.method !== method) continue;
      if (rule.path !== undefined && !new RegExp(rule.path).test(url)) continue;
      state.matched++;
      const used = state.matched - (rule.skip ?? 0);
      if (used > 0 && used <= (rule.times ?? Infinity)) return rule.fault;
    }
    return undefined;
  }

  #note({ method = "", url = "", headers }: IncomingMessage, status: number): void {
    const seen = { method, path: url, headers, status };
    this.requests.push(seen);
    this.#observe(seen);
  }

  #answer(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const fault = this.#faultFor(incoming);
    if (fault?.kind === "drop") {
      this.#note(incoming, 0);
      incoming.socket.destroy();
    } else if (fault?.kind === "status") {
      this.#note(incoming, fault.status);
      incoming.resume();
      outgoing.writeHead(fault.status, { ...fault.headers }).end(fault.body ?? "");
    } else {
      const milliseconds = fault?.kind === "delay" ? fault.milliseconds : 0;
      setTimeout(() => this.#forward(incoming, outgoing, fault), milliseconds);
    }
  }

  #forward(incoming: IncomingMessage, outgoing: ServerResponse, fault: Fault | undefined): void {
    const { method, url, headers } = incoming;
    // Host stays as it was asked for, so that the registry's own addresses (Location) lead through the proxy too.
    const asked = request(`http://${this.#upstream}${url}`, { method, headers, agent: false });
    asked.once("error", () => incoming.socket.destroy());
    asked.once("response", (answer) => this.#relay(incoming, outgoing, answer, fault));
    incoming.pipe(asked);
  }

  #relay(incoming: IncomingMessage, outgoing: ServerResponse, answer: IncomingMessage, fault: Fault | undefined): void {
    const status = answer.statusCode ?? 502;
    const headers: Record<string, string | string[] | undefined> = { ...answer.headers };
    delete headers["connection"];
    if (fault?.kind === "length") headers["content-length"] = String(Number(headers["content-length"] ?? 0) + fault.by);
    if (fault?.kind === "endless") delete headers["content-length"];
    if (fault?.kind === "headers")
      for (const [name, value] of Object.entries(fault.headers)) {
        if (value === "") delete headers[name.toLowerCase()];
        else headers[name.toLowerCase()] = value;
      }
    this.#note(incoming, status);
    outgoing.strictContentLength = false;
    outgoing.writeHead(status, headers);
    outgoing.flushHeaders();

    const limit = fault?.kind === "truncate" || fault?.kind === "stall" ? fault.after : Infinity;
    let sent = 0;
    answer.on("data", (data: Buffer) => {
      if (fault?.kind === "corrupt" && fault.offset >= sent && fault.offset < sent + data.length) {
        const at = fault.offset - sent;
        data[at] = (data[at] ?? 0) ^ 0xff;
      }
      const part = data.subarray(0, Math.max(0, limit - sent));
      sent += part.length;
      if (!outgoing.write(part)) {
        answer.pause();
        outgoing.once("drain", () => answer.resume());
      }
      if (sent < limit) return;
      answer.destroy();
      // The bytes that were let through must be on their way before the connection goes.
      if (fault?.kind === "truncate") outgoing.write("", () => incoming.socket.destroySoon());
    });
    answer.once("error", () => incoming.socket.destroy());
    answer.once("end", () => {
      if (fault?.kind === "endless") pourZeroes(outgoing);
      else if (fault?.kind === "length") outgoing.end(() => incoming.socket.destroySoon());
      else if (sent < limit) outgoing.end();
    });
    incoming.socket.once("close", () => answer.destroy());
  }
}

function pourZeroes(outgoing: ServerResponse): void {
  const zeroes = new Uint8Array(65_536);
  const pour = (): void => {
    while (!outgoing.destroyed && outgoing.write(zeroes));
  };
  outgoing.on("drain", pour);
  pour();
}
