/**
 * exec and attach by WebSocket: one connection, whose messages begin with the number of their channel, as a byte or, in the
 * base64 forms, as a digit before base64 text. The fifth version can also close a channel, and so tell the end of stdin.
 */
import { once } from "node:events";
import { Readable, Writable } from "node:stream";
import type { RawData, WebSocket } from "ws";
import type { StreamBackend } from "./backend.ts";
import { parseSize, SizeQueue } from "./resize.ts";
import { endStream, runCommand, type CommandRequest } from "./session.ts";
import { encodeStatus, statusText } from "./status.ts";

/** The best first. An empty one, or none, is the first binary form. */
export const webSocketCommandProtocols = [
  "v5.channel.k8s.io",
  "v4.channel.k8s.io",
  "v4.base64.channel.k8s.io",
  "channel.k8s.io",
  "base64.channel.k8s.io",
];

const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** How messages and their channels become bytes. */
interface Framing {
  decode(message: Buffer): { readonly channel: number; readonly data: Buffer };
  encode(channel: number, data: Buffer): Buffer | string;
}

const binary: Framing = {
  decode: (message) => ({ channel: message[0] ?? -1, data: message.subarray(1) }),
  encode: (channel, data) => Buffer.concat([Buffer.from([channel]), data]),
};

const base64: Framing = {
  decode: (message) => ({
    channel: (message[0] ?? 0) - 0x30,
    data: Buffer.from(message.toString("latin1", 1), "base64"),
  }),
  encode: (channel, data) => `${channel}${data.toString("base64")}`,
};

export function framingOf(protocol: string): Framing {
  return protocol.includes("base64") ? base64 : binary;
}

/** Bytes of all parts of a message. */
export function messageBytes(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

/** What is written goes out as messages of a channel, and is done when the socket has taken it. */
export function channelWriter(socket: WebSocket, framing: Framing, number: number): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      socket.send(framing.encode(number, chunk), (error) => done(error ?? null));
    },
  });
}

/** Stops the reading of a socket as long as one of its channels is full. */
export class Gate {
  readonly #socket: WebSocket;
  readonly #full = new Set<ChannelReader>();

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  close(reader: ChannelReader): void {
    this.#full.add(reader);
    this.#socket.pause();
  }

  open(reader: ChannelReader): void {
    if (this.#full.delete(reader) && this.#full.size === 0) this.#socket.resume();
  }
}

/** What arrives for a channel. */
export class ChannelReader extends Readable {
  readonly #gate: Gate;

  constructor(gate: Gate) {
    super({ highWaterMark: 256 * 1024 });
    this.#gate = gate;
  }

  receive(data: Buffer): void {
    if (!this.destroyed && !this.readableEnded && !this.push(data)) this.#gate.close(this);
  }

  override _read(): void {
    this.#gate.open(this);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#gate.open(this);
    done(error);
  }
}

export async function serveWebSocketCommand(
  socket: WebSocket,
  request: CommandRequest,
  backend: StreamBackend,
): Promise<void> {
  const { protocol } = socket;
  const framing = framingOf(protocol);
  const sizes = new SizeQueue();
  const abort = new AbortController();
  const stdin = request.stdin ? new ChannelReader(new Gate(socket)) : undefined;
  let stdinOpen = true;
  const endStdin = (): void => {
    if (stdinOpen) stdin?.push(null);
    stdinOpen = false;
  };
  socket.on("message", (raw) => {
    const { channel: number, data } = framing.decode(messageBytes(raw));
    if (number === channel.stdin && stdinOpen) stdin?.receive(data);
    else if (number === channel.resize) {
      const size = parseSize(data.toString("utf8"));
      if (size !== undefined) sizes.push(size);
    } else if (number === channel.close && protocol.startsWith("v5") && data[0] === channel.stdin) endStdin();
  });
  socket.on("error", () => undefined);
  socket.on("close", () => {
    endStdin();
    sizes.end();
    abort.abort();
  });
  // Those that a client sees an empty message of are there.
  const outputs = (["stdout", "stderr"] as const).map((name) => {
    if (!request[name] || (name === "stderr" && request.tty)) return undefined;
    if (socket.readyState === socket.OPEN) socket.send(framing.encode(channel[name], Buffer.alloc(0)));
    return channelWriter(socket, framing, channel[name]);
  });
  const [stdout, stderr] = outputs;
  const outcome = await runCommand(backend, request, { stdin, stdout, stderr, resizes: sizes, signal: abort.signal });
  await Promise.all([endStream(stdout), endStream(stderr)]);
  const text = /^v[45]\./.test(protocol) ? encodeStatus(outcome) : statusText(outcome);
  if (text !== "") await endStream(channelWriter(socket, framing, channel.error), text);
  await closeSocket(socket);
}

/** Milliseconds in which the client has to answer the close. */
const closeTimeout = 10_000;

export async function closeSocket(socket: WebSocket): Promise<void> {
  if (socket.readyState === socket.CLOSED) return;
  const closed = once(socket, "close", { signal: AbortSignal.timeout(closeTimeout) });
  socket.resume();
  socket.close(1000);
  await closed.catch(() => socket.terminate());
}
