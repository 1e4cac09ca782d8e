import { createServer, connect, type Socket } from "node:net";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Connection } from "./connection.ts";

/** A socket whose other side has closed it before anybody looked. */
async function closedSocket(): Promise<Socket> {
  const directory = mkdtempSync(join(tmpdir(), "sampan-connection-"));
  const server = createServer((socket) => socket.end());
  server.listen(join(directory, "socket"));
  await once(server, "listening");
  const socket = connect(join(directory, "socket"));
  socket.resume();
  await once(socket, "close");
  server.close();
  rmSync(directory, { recursive: true });
  return socket;
}

test("ask() fails on a socket that was closed before the connection was made of it", async () => {
  const connection = new Connection(await closedSocket());
  expect(connection.ended).toBe(true);
  await expect(connection.ask({ kind: "wait" })).rejects.toMatchObject({ code: "unavailable" });
});
