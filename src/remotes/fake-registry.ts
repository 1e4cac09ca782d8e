import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { mediaTypes, type Descriptor, type Digest } from "#spec";

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
  readonly body: string;
  /** Of the header X-Secret, where one came. */
  readonly secret?: string;
}

type Handler = (request: Seen, response: ServerResponse, message: IncomingMessage) => void;

/** A server for tests that answers as it is told, and remembers what it was asked. */
export class FakeServer implements AsyncDisposable {
  readonly seen: Seen[] = [];
  readonly #server;
  handler: Handler = (_, response) => response.writeHead(404).end();

  private constructor() {
    this.#server = createServer((message, response) => void this.#answer(message, response));
  }

  static async start(handler?: Handler): Promise<FakeServer> {
    const fake = new FakeServer();
    if (handler !== undefined) fake.handler = handler;
    await new Promise<void>((resolve) => {
      fake.#server.listen(0, "127.0.0.1", resolve);
    });
    return fake;
  }

  async #answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of message) chunks.push(chunk as Uint8Array);
    const seen: Seen = {
      method: message.method ?? "",
      path: message.url ?? "",
      authorization: message.headers.authorization,
      range: message.headers.range,
      body: Buffer.concat(chunks).toString(),
      ...(typeof message.headers["x-secret"] === "string" && { secret: message.headers["x-secret"] }),
    };
    this.seen.push(seen);
    this.handler(seen, response, message);
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }
}

export function descriptorOf(bytes: Uint8Array | string, mediaType: string): Descriptor {
  const data = Buffer.from(bytes);
  const digest = `sha256:${createHash("sha256").update(data).digest("hex")}` as Digest;
  return { mediaType, digest, size: data.length };
}

/** Serves a blob with Range, from `from` to its end. */
export function sendBlob(bytes: Uint8Array, { range }: Seen, response: ServerResponse): void {
  const from = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
  const part = bytes.subarray(from);
  const headers = { "content-length": part.length };
  if (range === undefined) response.writeHead(200, headers);
  else response.writeHead(206, { ...headers, "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` });
  response.end(part);
}

/** A manifest without layers. */
export const manifestText: string = JSON.stringify({
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  config: descriptorOf("{}", mediaTypes.ociConfig),
  layers: [],
});

export const manifestDescriptor: Descriptor = descriptorOf(manifestText, mediaTypes.ociManifest);

/** Answers requests for {@link manifestText} under any name. */
export function sendManifest({ method }: Seen, response: ServerResponse): void {
  response.writeHead(200, {
    "content-type": mediaTypes.ociManifest,
    "content-length": manifestDescriptor.size,
    "docker-content-digest": manifestDescriptor.digest,
  });
  response.end(method === "HEAD" ? undefined : manifestText);
}
