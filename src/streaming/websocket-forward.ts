/**
 * Port forwarding by WebSocket. In the channel protocol each port that was asked for has two channels, data and errors; the
 * first message of both is the port in two bytes, the low one first. In the tunnelled one the messages carry a SPDY connection.
 */
import { createWebSocketStream, type WebSocket } from "ws";
import type { PortForwardStream, StreamBackend } from "./backend.ts";
import { forward, servePortForward } from "./port-forward.ts";
import { tunnelAlias } from "./tunnel.ts";
import { ChannelReader, channelWriter, closeSocket, Gate, framingOf, messageBytes } from "./websocket-command.ts";

export const webSocketForwardProtocols = [tunnelAlias, "v4.channel.k8s.io", "v4.base64.channel.k8s.io"];

export async function serveWebSocketForward(
  socket: WebSocket,
  request: PortForwardStream,
  backend: StreamBackend,
): Promise<void> {
  if (socket.protocol === tunnelAlias) {
    await servePortForward(createWebSocketStream(socket), request, backend);
    return;
  }
  const framing = framingOf(socket.protocol);
  const abort = new AbortController();
  const gate = new Gate(socket);
  const readers = request.ports.map(() => new ChannelReader(gate));
  socket.on("message", (raw) => {
    const { channel, data } = framing.decode(messageBytes(raw));
    if (channel % 2 === 0) readers[channel / 2]?.receive(data);
  });
  socket.on("error", () => undefined);
  socket.on("close", () => {
    for (const reader of readers) reader.push(null);
    abort.abort();
  });
  await Promise.all(
    readers.map(async (input, index) => {
      const port = request.ports[index] ?? 0;
      const output = channelWriter(socket, framing, index * 2);
      const error = channelWriter(socket, framing, index * 2 + 1);
      const head = Buffer.from([port & 0xff, port >> 8]);
      output.write(head);
      error.write(head);
      await forward(backend, request.pod, port, { input, output, error, signal: abort.signal });
    }),
  );
  await closeSocket(socket);
}
