/**
 * HTTP/1.1 and HTTP/2 on one socket without TLS. A client of HTTP/2 begins with a preface that no request of HTTP/1.1 can
 * begin with (RFC 9113, 3.4), so the first bytes tell which server gets the connection.
 */
import type { Socket } from "node:net";

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
/** A client that has not said that much in this time is let go, in milliseconds. */
const patience = 10_000;

/** Takes a connection by its event. */
interface Taker {
  emit(name: "connection", socket: Socket): boolean;
}

export function serveEither(socket: Socket, http1: Taker, http2: Taker): void {
  let seen: Buffer = Buffer.alloc(0);
  const giveUp = setTimeout(() => socket.destroy(), patience).unref();
  const stop = (): void => {
    clearTimeout(giveUp);
    socket.off("data", onData);
    socket.off("close", stop);
    socket.off("error", ignore);
  };
  const onData = (chunk: Buffer): void => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const length = Math.min(seen.length, preface.length);
    const isPreface = seen.subarray(0, length).equals(preface.subarray(0, length));
    if (isPreface && length < preface.length) return;
    stop();
    socket.pause();
    socket.unshift(seen);
    (isPreface ? http2 : http1).emit("connection", socket);
    // A server that reads the socket's handle itself has taken what was put back already.
    if (!isPreface) socket.resume();
  };
  socket.on("error", ignore);
  socket.on("close", stop);
  socket.on("data", onData);
}

const ignore = (): void => undefined;
