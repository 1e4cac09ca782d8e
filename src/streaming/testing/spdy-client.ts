/** A client of SPDY 3.1 as Kubernetes' is one: opens streams, keeps no windows unless it is told to. For tests. */
import { once } from "node:events";
import { request } from "node:http";
import type { Socket } from "node:net";
import { PassThrough, type Readable } from "node:stream";
import {
  decodeHead,
  encodeControl,
  encodeDataHead,
  flagFin,
  frameType,
  headSize,
  word,
  words,
} from "../spdy/frames.ts";
import { HeaderDecoder, HeaderEncoder } from "../spdy/headers.ts";

export interface ClientStream {
  readonly id: number;
  /** What the server sends, until it ends its side. */
  readonly output: Readable;
  /** Resolves with the status of a reset. */
  readonly reset: Promise<number>;
}

export class SpdyClient {
  readonly socket: Socket;
  readonly protocol: string;
  readonly #encoder = new HeaderEncoder();
  readonly #decoder = new HeaderDecoder();
  readonly #streams = new Map<number, { output: PassThrough; reset: (status: number) => void }>();
  #next = 1;
  /** Frames of control that came, by type. */
  readonly seen: number[] = [];

  private constructor(socket: Socket, protocol: string, head: Buffer) {
    this.socket = socket;
    this.protocol = protocol;
    socket.on("error", () => undefined);
    if (head.length > 0) socket.unshift(head);
    void this.#read();
  }

  /** Throws with the server's status and words when it refuses. */
  static async connect(url: string, protocols: readonly string[]): Promise<SpdyClient> {
    const headers: Record<string, string | string[]> = { Connection: "Upgrade", Upgrade: "SPDY/3.1" };
    if (protocols.length > 0) headers["X-Stream-Protocol-Version"] = [...protocols];
    const asked = request(url, { method: "POST", headers });
    asked.end();
    return await new Promise((resolve, reject) => {
      asked.once("error", reject);
      asked.once("upgrade", (response, socket, head) => {
        resolve(new SpdyClient(socket, String(response.headers["x-stream-protocol-version"]), head));
      });
      asked.once("response", (response) => {
        let text = "";
        response.on("data", (part: Buffer) => (text += part.toString()));
        response.on("end", () => reject(new Error(`${response.statusCode} ${text.trim()}`)));
      });
    });
  }

  async open(headers: Readonly<Record<string, string>>): Promise<ClientStream> {
    const id = this.#next;
    this.#next += 2;
    const output = new PassThrough({ highWaterMark: 1 << 30 });
    const reset = Promise.withResolvers<number>();
    this.#streams.set(id, { output, reset: reset.resolve });
    const block = await this.#encoder.encode(new Map(Object.entries(headers)));
    this.socket.write(encodeControl(frameType.synStream, 0, Buffer.concat([words(id, 0), Buffer.alloc(2), block])));
    return { id, output, reset: reset.promise };
  }

  send(id: number, data: Uint8Array | string, fin = false): void {
    const bytes = Buffer.from(data);
    this.socket.write(encodeDataHead(id, fin ? flagFin : 0, bytes.length));
    this.socket.write(bytes);
  }

  control(type: number, flags: number, body: Uint8Array): void {
    this.socket.write(encodeControl(type, flags, body));
  }

  async #read(): Promise<void> {
    let held = Buffer.alloc(0);
    try {
      for await (const chunk of this.socket as AsyncIterable<Buffer>) {
        held = Buffer.concat([held, chunk]);
        while (held.length >= headSize) {
          const head = decodeHead(held);
          if (held.length < headSize + head.length) break;
          const body = held.subarray(headSize, headSize + head.length);
          held = held.subarray(headSize + head.length);
          if (head.control) await this.#control(head.type, body);
          else {
            const stream = this.#streams.get(head.stream);
            stream?.output.write(body);
            if ((head.flags & flagFin) !== 0) stream?.output.end();
          }
        }
      }
    } catch {
      // The server has cut it: the streams end.
    }
    for (const { output } of this.#streams.values()) output.end();
  }

  async #control(type: number, body: Buffer): Promise<void> {
    this.seen.push(type);
    if (type === frameType.synReply) await this.#decoder.decode(body.subarray(4));
    if (type === frameType.rstStream) {
      const stream = this.#streams.get(word(body, 0));
      stream?.reset(word(body, 1));
      stream?.output.end();
    }
  }

  async closed(): Promise<void> {
    if (!this.socket.closed) await once(this.socket, "close");
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

export async function text(stream: Readable): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts).toString();
}
