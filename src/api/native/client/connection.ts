/** One HTTP/2 connection to a daemon, and the calls over it. */
import type { Socket } from "node:net";
import { readFileSync } from "node:fs";
import type { DescService } from "@bufbuild/protobuf";
import { createClient, type Client, type Interceptor, type Transport } from "@connectrpc/connect";
import { createConnectTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { unavailable } from "#errdefs";
import { fromConnectError } from "../codec/errors.ts";
import { Containers } from "../gen/sampan/v1/containers_pb.ts";
import { Events } from "../gen/sampan/v1/events_pb.ts";
import { Images } from "../gen/sampan/v1/images_pb.ts";
import { System } from "../gen/sampan/v1/system_pb.ts";
import { connectSocket, formatHost, type DaemonHost } from "./host.ts";

/** Files for mutual TLS. */
export interface TlsFiles {
  /** Of the authority that signed the daemon's certificate. */
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
}

export interface ConnectionOptions {
  readonly tls?: TlsFiles | undefined;
  readonly namespace?: string | undefined;
}

/** Bytes of one call that may be under way: an archive or a log waits for no answer then. */
const callWindow = 1024 * 1024;

/** Of one message. A log's batch, an archive's chunk and a listing are far below it. */
const maxMessage = 64 * 1024 * 1024;

export class DaemonConnection implements Disposable {
  readonly where: string;
  readonly containers: Client<typeof Containers>;
  readonly events: Client<typeof Events>;
  readonly images: Client<typeof Images>;
  readonly system: Client<typeof System>;
  readonly #sessions: Http2SessionManager;

  private constructor(host: DaemonHost, first: Socket | undefined, { tls = {}, namespace = "" }: ConnectionOptions) {
    this.where = formatHost(host);
    const baseUrl = host.kind === "unix" ? "http://localhost" : this.where.replace("tcp:", "https:");
    let ready = first;
    this.#sessions = new Http2SessionManager(
      baseUrl,
      host.kind === "unix" ? {} : { pingIntervalMs: 30_000 },
      host.kind === "unix"
        ? {
            settings: { initialWindowSize: callWindow },
            createConnection: () => {
              const socket = ready ?? connectLater(host.path);
              ready = undefined;
              return socket;
            },
          }
        : { settings: { initialWindowSize: callWindow }, ...readTls(tls) },
    );
    const transport = createConnectTransport({
      baseUrl,
      httpVersion: "2",
      sessionManager: this.#sessions,
      acceptCompression: [],
      interceptors: namespace === "" ? [] : [namespaceInterceptor(namespace)],
      readMaxBytes: maxMessage,
    });
    const translate = (error: unknown): unknown => fromConnectError(error, this.where);
    this.containers = translatingClient(Containers, transport, translate);
    this.events = translatingClient(Events, transport, translate);
    this.images = translatingClient(Images, transport, translate);
    this.system = translatingClient(System, transport, translate);
  }

  /** @throws SampanError `unavailable` where nobody listens, `permission-denied` */
  static async open(host: DaemonHost, options: ConnectionOptions = {}): Promise<DaemonConnection> {
    const socket = host.kind === "unix" ? await connectSocket(host.path) : undefined;
    const connection = new DaemonConnection(host, socket, options);
    // A daemon lets go who connects and says nothing.
    if ((await connection.#sessions.connect()) === "error") {
      const cause = connection.#sessions.error();
      connection[Symbol.dispose]();
      throw unavailable(`Cannot reach the daemon at "${connection.where}": ${wordOf(cause)}`, { cause });
    }
    return connection;
  }

  [Symbol.dispose](): void {
    this.#sessions.abort();
  }
}

function wordOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : "the connection failed";
}

/** Another connection, after the daemon closed the first. */
function connectLater(path: string): Socket {
  const { connect } = process.getBuiltinModule("node:net");
  return connect({ path });
}

function readTls({ ca, certificate, key }: TlsFiles) {
  return {
    ...(ca !== undefined && { ca: readFileSync(ca) }),
    ...(certificate !== undefined && { cert: readFileSync(certificate) }),
    ...(key !== undefined && { key: readFileSync(key) }),
  };
}

function namespaceInterceptor(namespace: string): Interceptor {
  return (next) => (request) => {
    request.header.set("sampan-namespace", namespace);
    return next(request);
  };
}

/** A client whose calls throw what the engine threw. (An interceptor can't: Connect wraps what it throws.) */
function translatingClient<S extends DescService>(
  service: S,
  transport: Transport,
  translate: (error: unknown) => unknown,
): Client<S> {
  const client = createClient(service, transport) as Readonly<Record<string, (...args: unknown[]) => unknown>>;
  return Object.fromEntries(
    service.methods.map(({ localName, methodKind }) => [
      localName,
      (...args: unknown[]) => {
        const result = client[localName]?.(...args);
        return methodKind === "unary" || methodKind === "client_streaming"
          ? (result as Promise<unknown>).catch((error: unknown) => {
              throw translate(error);
            })
          : translated(result as AsyncIterable<unknown>, translate);
      },
    ]),
  ) as Client<S>;
}

async function* translated<T>(messages: AsyncIterable<T>, translate: (error: unknown) => unknown): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw translate(error);
  }
}
