import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { ExecStream } from "./backend.ts";
import { StreamingServer } from "./server.ts";
import { frameType, initialWindowSetting, words } from "./spdy/frames.ts";
import { TestBackend } from "./testing/backend.ts";
import { SpdyClient, text, type ClientStream } from "./testing/spdy-client.ts";

let backend = new TestBackend();
let server: StreamingServer;

beforeEach(async () => {
  backend = new TestBackend();
  server = new StreamingServer({ backend });
  await server.listen();
  return async () => await server[Symbol.asyncDispose]();
});

const exec = (command: readonly string[], options: Partial<ExecStream> = {}): string =>
  server.url({
    kind: "exec",
    container: "web",
    command,
    tty: false,
    stdin: true,
    stdout: true,
    stderr: true,
    ...options,
  });

const v4 = ["v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"];

/** Opens the streams as kubectl does. */
async function command(
  url: string,
  kinds: readonly string[] = ["error", "stdin", "stdout", "stderr"],
  protocols: readonly string[] = v4,
): Promise<{ client: SpdyClient; streams: Record<string, ClientStream> }> {
  const client = await SpdyClient.connect(url, protocols);
  const streams: Record<string, ClientStream> = {};
  for (const kind of kinds) streams[kind] = await client.open({ streamType: kind });
  return { client, streams };
}

const output = async (streams: Record<string, ClientStream>, kind: string): Promise<string> => {
  const stream = streams[kind];
  return stream === undefined ? "" : await text(stream.output);
};

describe("exec by SPDY", () => {
  it("carries stdin, stdout and stderr apart, and the exit code", async () => {
    const { client, streams } = await command(exec(["both", "3"]));
    using _ = client;
    expect(client.protocol).toBe("v4.channel.k8s.io");
    const [stdout, stderr, error] = await Promise.all(["stdout", "stderr", "error"].map((k) => output(streams, k)));
    expect([stdout, stderr]).toEqual(["out", "err"]);
    expect(JSON.parse(error ?? "")).toEqual({
      metadata: {},
      status: "Failure",
      message: "command terminated with non-zero exit code: exit status 3",
      reason: "NonZeroExitCode",
      details: { causes: [{ reason: "ExitCode", message: "3" }] },
    });
    await client.closed();
  });

  it("ends stdin when the client ends its side, and answers with success", async () => {
    const { client, streams } = await command(exec(["cat"]));
    using _ = client;
    client.send(streams["stdin"]?.id ?? 0, "one ");
    client.send(streams["stdin"]?.id ?? 0, "two", true);
    expect(await output(streams, "stdout")).toBe("one two");
    expect(JSON.parse(await output(streams, "error"))).toEqual({ metadata: {}, status: "Success" });
  });

  it("says in words what failed", async () => {
    const { client, streams } = await command(exec(["missing"]));
    using _ = client;
    expect(JSON.parse(await output(streams, "error"))).toMatchObject({
      reason: "InternalError",
      message: 'Cannot execute "missing" in container "web": it is not there',
      code: 500,
    });
  });

  it.each([
    [["v2.channel.k8s.io"], "v2.channel.k8s.io"],
    [[], "channel.k8s.io"],
  ])("speaks the older protocols (%j): errors are plain text", async (protocols, chosen) => {
    const { client, streams } = await command(exec(["both", "5"]), undefined, protocols);
    using _ = client;
    expect(client.protocol).toBe(chosen);
    expect(await output(streams, "error")).toBe("command terminated with non-zero exit code: exit status 5");
  });

  it("passes on the sizes of a terminal, and has no stderr then", async () => {
    const { client, streams } = await command(exec(["sizes", "2"], { tty: true }), [
      "error",
      "stdin",
      "stdout",
      "resize",
    ]);
    using _ = client;
    client.send(streams["resize"]?.id ?? 0, '{"Width":80,"Hei');
    client.send(streams["resize"]?.id ?? 0, 'ght":24}\n{"Width":0,"Height":1}{"Width":132,"Height":50}');
    expect(JSON.parse(await output(streams, "error"))).toMatchObject({ status: "Success" });
    expect(backend.sizes).toEqual(["80x24", "132x50"]);
  });

  it("sends more than a window to a client that keeps none, as Kubernetes' does", async () => {
    const { client, streams } = await command(exec(["zeros", "3000000"]));
    using _ = client;
    expect((await output(streams, "stdout")).length).toBe(3_000_000);
  });

  it("keeps the windows of a client that has them", async () => {
    const { client, streams } = await command(exec(["zeros", "200000"]), []);
    using _ = client;
    client.control(frameType.settings, 0, words(1, initialWindowSetting, 10_000));
    for (const kind of ["error", "stdin", "stdout", "stderr"]) streams[kind] = await client.open({ streamType: kind });
    const { output: stdout, id } = streams["stdout"] as ClientStream;
    let size = 0;
    stdout.on("data", (part: Buffer) => (size += part.length));
    await expect.poll(() => size).toBe(10_000);
    await delay(50);
    expect(size).toBe(10_000);
    client.control(frameType.windowUpdate, 0, words(0, 1_000_000));
    client.control(frameType.windowUpdate, 0, words(id, 190_000));
    await once(stdout, "end");
    expect(size).toBe(200_000);
  });

  it("reads no more than it can hold while a command does not read", async () => {
    const { client, streams } = await command(exec(["slow"]));
    using _ = client;
    const chunk = Buffer.alloc(64 * 1024);
    let sent = 0;
    // The kernel's buffers take some; then the client has to wait.
    while (client.socket.writableLength === 0 && sent < 64 * 1024 * 1024) {
      client.send(streams["stdin"]?.id ?? 0, chunk);
      sent += chunk.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(sent).toBeLessThan(32 * 1024 * 1024);
    expect(backend.read).toBeLessThan(sent);
  });

  it("tells the command when the client has gone", async () => {
    const { client } = await command(exec(["never"]));
    await delay(20);
    client.socket.destroy();
    await backend.aborted.promise;
  });

  it("resets streams that were not asked for, answers pings, and refuses a second stream of a kind", async () => {
    const { client } = await command(exec(["never"]), ["error", "stdout"]);
    using _ = client;
    const strange = await client.open({ streamType: "tea" });
    const again = await client.open({ streamType: "stdout" });
    expect(await strange.reset).toBe(5);
    expect(await again.reset).toBe(5);
    client.control(frameType.ping, 0, words(7));
    await expect.poll(() => client.seen).toContain(frameType.ping);
  });

  it("cuts a connection that unpacks a header block without end, or is no SPDY", async () => {
    const { client } = await command(exec(["never"]), []);
    const bomb = await client.open({ streamType: "x".repeat(200_000) });
    expect(await text(bomb.output)).toBe("");
    await client.closed();
    const { client: other } = await command(exec(["never"]), []);
    // Another version.
    other.socket.write(Buffer.from("8002000100000008", "hex"));
    await other.closed();
  });

  it("survives random frames", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(12), fc.nat(255), fc.uint8Array({ maxLength: 40 })), { maxLength: 20 }),
        async (frames) => {
          const { client } = await command(exec(["cat"]), ["error"]);
          for (const [type, flags, body] of frames) client.control(type, flags, body);
          client.socket.end();
          await client.closed();
        },
      ),
      { numRuns: 60 },
    );
    const { client, streams } = await command(exec(["both", "0"]));
    using _ = client;
    expect(await output(streams, "stdout")).toBe("out");
  });
});

describe("addresses", () => {
  it("are good once, and only for what they were made for", async () => {
    const url = exec(["both", "0"]);
    const { client } = await command(url);
    client.socket.destroy();
    await expect(SpdyClient.connect(url, v4)).rejects.toThrow(
      "404 Cannot find this stream: it was used, or has expired",
    );
    await expect(SpdyClient.connect(exec(["cat"]).replace("/exec/", "/attach/"), v4)).rejects.toThrow("404");
    await expect(SpdyClient.connect(exec(["cat"]), ["v9.channel.k8s.io"])).rejects.toThrow("403 Cannot serve a stream");
  });

  it("need an upgrade", async () => {
    const answer = await fetch(exec(["cat"]));
    expect(answer.status).toBe(400);
    expect(await answer.text()).toMatch(/a stream needs an upgrade to SPDY\/3\.1 or websocket/);
  });

  it("are at most a thousand at once", () => {
    for (let i = 0; i < 1000; i += 1) exec(["cat"]);
    expect(() => exec(["cat"])).toThrow(/1000 others wait/);
  });
});

it("attach carries output", async () => {
  const url = server.url({ kind: "attach", container: "db", tty: false, stdin: false, stdout: true, stderr: true });
  const { client, streams } = await command(url, ["error", "stdout", "stderr"]);
  using _ = client;
  expect(await output(streams, "stdout")).toBe("attached to db");
});

/** All messages of a WebSocket by channel, and how it was closed. */
async function talk(
  url: string,
  protocol: string[],
  begin: (socket: WebSocket) => void,
): Promise<{ channels: Record<number, string>; code: number; protocol: string }> {
  const socket = new WebSocket(url.replace("http", "ws"), protocol);
  const channels: Record<number, string> = {};
  socket.on("message", (data: Buffer) => {
    const base64 = socket.protocol.includes("base64");
    const channel = base64 ? (data[0] ?? 0) - 48 : (data[0] ?? 0);
    const part = base64 ? Buffer.from(data.toString("latin1", 1), "base64") : data.subarray(1);
    channels[channel] = (channels[channel] ?? "") + part.toString("latin1");
  });
  await once(socket, "open");
  begin(socket);
  const [code] = (await once(socket, "close")) as [number];
  return { channels, code, protocol: socket.protocol };
}

describe("exec by WebSocket", () => {
  it("v5 ends stdin by closing its channel", async () => {
    const { channels, code, protocol } = await talk(exec(["cat"]), ["v5.channel.k8s.io"], (socket) => {
      socket.send(Buffer.from("\0hello"));
      socket.send(Buffer.from([255, 0]));
    });
    expect({ channels, code, protocol }).toEqual({
      channels: { 1: "hello", 2: "", 3: '{"metadata":{},"status":"Success"}' },
      code: 1000,
      protocol: "v5.channel.k8s.io",
    });
  });

  it.each([
    ["v4.channel.k8s.io", '"reason":"NonZeroExitCode"'],
    ["v4.base64.channel.k8s.io", '"reason":"NonZeroExitCode"'],
    ["channel.k8s.io", "command terminated with non-zero exit code: exit status 4"],
    ["base64.channel.k8s.io", "command terminated with non-zero exit code: exit status 4"],
  ])("%s gives output and exit code", async (protocol, error) => {
    const { channels } = await talk(exec(["both", "4"]), [protocol], () => undefined);
    expect(channels).toEqual({ 1: "out", 2: "err", 3: expect.stringContaining(error) as string });
  });

  it("takes sizes, and no protocol at all", async () => {
    const { channels, protocol } = await talk(exec(["sizes", "1"], { tty: true }), [], (socket) => {
      socket.send(Buffer.from('\x04{"Width":100,"Height":30}'));
    });
    expect({ channels, protocol, sizes: backend.sizes }).toEqual({
      channels: { 1: "" },
      protocol: "",
      sizes: ["100x30"],
    });
  });
});

describe("port forwarding", () => {
  let echo: Server;
  let port: number;
  beforeAll(async () => {
    echo = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("data", (data) => socket.write(data.toString().toUpperCase()));
      socket.on("end", () => socket.end("BYE"));
    });
    echo.listen(0, "127.0.0.1");
    await once(echo, "listening");
    ({ port } = echo.address() as AddressInfo);
  });
  afterAll(() => echo.close());
  const forwardUrl = (...ports: number[]): string => server.url({ kind: "portforward", pod: "p1", ports });

  it("joins pairs of streams to ports, several at once", async () => {
    const client = await SpdyClient.connect(forwardUrl(), ["portforward.k8s.io"]);
    using _ = client;
    const answers = await Promise.all(
      ["one", "two", "three"].map(async (word, index) => {
        const headers = { port: String(port), requestID: String(index) };
        const error = await client.open({ ...headers, streamType: "error" });
        client.send(error.id, "", true);
        const data = await client.open({ ...headers, streamType: "data" });
        client.send(data.id, word, true);
        return [await text(data.output), await text(error.output)];
      }),
    );
    expect(answers).toEqual([
      ["ONEBYE", ""],
      ["TWOBYE", ""],
      ["THREEBYE", ""],
    ]);
  });

  it("says on the error stream that nobody listens, and goes on", async () => {
    const client = await SpdyClient.connect(forwardUrl(), ["portforward.k8s.io"]);
    using _ = client;
    const headers = { port: "1", requestID: "9" };
    const error = await client.open({ ...headers, streamType: "error" });
    await client.open({ ...headers, streamType: "data" });
    expect(await text(error.output)).toMatch(/^Cannot forward port 1 to pod "p1": .*ECONNREFUSED/);
    const bad = await client.open({ streamType: "data", port: "99999" });
    expect(await bad.reset).toBe(5);
  });

  it("works through a WebSocket that carries SPDY, by the name that Kubernetes gave that", async () => {
    const asked = httpRequest(forwardUrl(), {
      headers: {
        Connection: "Upgrade",
        Upgrade: "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Protocol": "SPDY/3.1+portforward.k8s.io",
      },
    });
    asked.end();
    const [response, socket] = (await once(asked, "upgrade")) as [IncomingMessage, Socket];
    expect(response.headers["sec-websocket-protocol"]).toBe("SPDY/3.1+portforward.k8s.io");
    // A ping, in a binary message with a mask of zeros; the answer has none.
    const ping = Buffer.from([0x80, 3, 0, 6, 0, 0, 0, 4, 0, 0, 0, 1]);
    socket.write(Buffer.concat([Buffer.from([0x82, 0x80 | ping.length, 0, 0, 0, 0]), ping]));
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer).toStrictEqual(Buffer.concat([Buffer.from([0x82, ping.length]), ping]));
    socket.destroy();
  });

  it("works in a WebSocket's channels", async () => {
    const { channels } = await talk(forwardUrl(port), ["v4.channel.k8s.io"], (socket) => {
      socket.send(Buffer.from("\0hi"));
      setTimeout(() => socket.close(), 200);
    });
    const head = Buffer.from([port & 0xff, port >> 8]).toString("latin1");
    expect(channels).toEqual({ 0: `${head}HI`, 1: head });
  });
});
