/**
 * Port forwarding by SPDY: for each connection the client opens two streams of one `requestid`, first for errors, then for the
 * data, both with the port (kubernetes/cri-streaming, portforward).
 */
import { pipeline } from "node:stream/promises";
import type { Duplex, Readable, Writable } from "node:stream";
import { invalidArgument, unavailable } from "#errdefs";
import type { PortForwardStream, StreamBackend } from "./backend.ts";
import { describe, endStream } from "./session.ts";
import { SpdyConnection } from "./spdy/connection.ts";
import type { SpdyStream } from "./spdy/stream.ts";

export const portForwardProtocol = "portforward.k8s.io";

/** Milliseconds in which the second stream of a connection has to follow. */
const pairTimeout = 30_000;
const maxStreams = 4096;

interface Pair {
  readonly timer: NodeJS.Timeout;
  data?: SpdyStream;
  error?: SpdyStream;
}

export async function servePortForward(
  socket: Duplex,
  request: PortForwardStream,
  backend: StreamBackend,
): Promise<void> {
  const pairs = new Map<string, Pair>();
  const abort = new AbortController();
  const add = (stream: SpdyStream): void => {
    const kind = stream.headers.get("streamtype");
    const port = Number(stream.headers.get("port"));
    if ((kind !== "data" && kind !== "error") || !Number.isInteger(port) || port < 1 || port > 0xffff) {
      stream.destroy(invalidArgument("Cannot forward a port: a stream has no kind or no port"));
      return;
    }
    // Old clients send none, and open the two streams of a connection one after the other.
    const id = stream.headers.get("requestid") ?? String(kind === "error" ? stream.id : stream.id - 2);
    let pair = pairs.get(id);
    if (pair === undefined) {
      const timer = setTimeout(() => {
        pairs.delete(id);
        for (const part of [pair?.data, pair?.error])
          part?.destroy(unavailable("Cannot forward a port: the client did not open the second stream"));
      }, pairTimeout);
      pair = { timer };
      pairs.set(id, pair);
    }
    if (pair[kind] !== undefined) {
      stream.destroy(invalidArgument(`Cannot forward a port: request "${id}" has a ${kind} stream`));
      return;
    }
    pair[kind] = stream;
    if (pair.data === undefined || pair.error === undefined) return;
    clearTimeout(pair.timer);
    pairs.delete(id);
    const { data, error } = pair;
    // Clients close their side of it at once.
    error.resume();
    void forward(backend, request.pod, port, { input: data, output: data, error, signal: abort.signal }).then(() =>
      data.destroy(),
    );
  };
  const connection = new SpdyConnection(socket, { maxStreams, onStream: add });
  await connection.run();
  abort.abort();
  for (const { timer } of pairs.values()) clearTimeout(timer);
}

/** The client's side of a forwarded connection. */
export interface ForwardStreams {
  readonly input: Readable;
  readonly output: Writable;
  readonly error: Writable;
  readonly signal: AbortSignal;
}

/** Joins one connection to the pod. Never rejects: what fails is told on the error stream. */
export async function forward(
  backend: StreamBackend,
  pod: string,
  port: number,
  { input, output, error, signal }: ForwardStreams,
): Promise<void> {
  let failure = "";
  try {
    const peer = await backend.connect(pod, port, signal);
    try {
      const results = await Promise.allSettled([pipeline(input, peer, { signal }), pipeline(peer, output, { signal })]);
      const broken = results.find((result) => result.status === "rejected");
      if (broken !== undefined && !signal.aborted) failure = describe(broken.reason);
    } finally {
      peer.destroy();
    }
  } catch (cause) {
    failure = `Cannot forward port ${port} to pod "${pod}": ${describe(cause)}`;
  }
  await endStream(error, failure);
  await endStream(output);
}
