/**
 * exec and attach by SPDY: the client opens a stream for each of stdin, stdout and stderr that it wants, one for errors and,
 * with a terminal, one for its sizes, each with its kind in the header `streamtype` (kubernetes/cri-streaming, remotecommand).
 */
import type { Duplex } from "node:stream";
import { invalidArgument, unavailable } from "#errdefs";
import type { StreamBackend, TerminalSize } from "./backend.ts";
import { readSizes } from "./resize.ts";
import { endStream, runCommand, type CommandRequest } from "./session.ts";
import { SpdyConnection } from "./spdy/connection.ts";
import type { SpdyStream } from "./spdy/stream.ts";
import { encodeStatus, statusText } from "./status.ts";

/** Versions of the protocol, the best first. The third brought sizes, the fourth the exit code. */
export const commandProtocols = ["v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"];

type Kind = "stdin" | "stdout" | "stderr" | "error" | "resize";

/** Milliseconds in which the client has to open its streams. */
const creationTimeout = 30_000;

const noSizes: AsyncIterable<TerminalSize> = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
};

export async function serveSpdyCommand(
  socket: Duplex,
  request: CommandRequest,
  protocol: string,
  backend: StreamBackend,
): Promise<void> {
  const wanted = new Set<Kind>(["error"]);
  for (const kind of ["stdin", "stdout", "stderr"] as const)
    if (request[kind] && !(kind === "stderr" && request.tty)) wanted.add(kind);
  if (request.tty && (protocol.startsWith("v4") || protocol.startsWith("v3"))) wanted.add("resize");

  const streams = new Map<Kind, SpdyStream>();
  const opened = Promise.withResolvers<void>();
  const abort = new AbortController();
  const connection = new SpdyConnection(socket, {
    maxStreams: wanted.size,
    onStream(stream) {
      const kind = stream.headers.get("streamtype") as Kind | undefined;
      if (kind === undefined || !wanted.has(kind) || streams.has(kind))
        stream.destroy(invalidArgument(`Cannot open a stream of kind "${kind ?? ""}": it is not expected`));
      else streams.set(kind, stream);
      if (streams.size === wanted.size) opened.resolve();
    },
  });
  const served = connection.run().finally(() => {
    abort.abort();
    opened.reject(unavailable("Cannot serve a stream: the client has gone"));
  });
  const timer = setTimeout(
    () => opened.reject(unavailable("Cannot serve a stream: its streams were not opened")),
    creationTimeout,
  );
  try {
    await opened.promise;
  } catch {
    socket.destroy();
    await served;
    return;
  } finally {
    clearTimeout(timer);
  }
  const resize = streams.get("resize");
  const outcome = await runCommand(backend, request, {
    stdin: streams.get("stdin"),
    stdout: streams.get("stdout"),
    stderr: streams.get("stderr"),
    resizes: resize === undefined ? noSizes : readSizes(resize as AsyncIterable<Buffer>),
    signal: abort.signal,
  });
  await Promise.all([endStream(streams.get("stdout")), endStream(streams.get("stderr"))]);
  await endStream(streams.get("error"), protocol.startsWith("v4") ? encodeStatus(outcome) : statusText(outcome));
  connection.close();
  await served;
}
