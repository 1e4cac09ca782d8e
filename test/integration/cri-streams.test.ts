/** Exec, attach and port-forward of the CRI, over the wire: by SPDY/3.1 and by WebSocket. */
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { SpdyClient, text, type ClientStream } from "../../src/streaming/testing/spdy-client.ts";
import { NamespaceMode } from "../../src/api/cri/gen/runtime/v1/common_pb.ts";
import { CriHost } from "../support/cri.ts";
import { CriContainers, refusal } from "../support/cri-containers.ts";
import { StreamPort } from "../support/stream-port.ts";

const port = 10_777;
const v4 = ["v4.channel.k8s.io"];

let cri: CriHost;
let pod: CriContainers;
let container: string;
let terminal: string;
let entrance: StreamPort;
beforeAll(async () => {
  cri = await CriHost.create(["busybox"], { flags: ["--set", `cri.streaming-address=127.0.0.1:${port}`] });
  entrance = await StreamPort.open(cri.host, port);
  pod = new CriContainers(cri, await cri.runPod());
  container = await pod.run({ command: ["sh", "-c", "while read line; do echo got $line; done"], stdin: true });
  terminal = await pod.run({ command: ["sh"], stdin: true, tty: true });
});
afterAll(async () => {
  await entrance[Symbol.asyncDispose]();
  await cri[Symbol.asyncDispose]();
});

interface Wanted {
  readonly stdin?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  readonly tty?: boolean;
}

const execUrl = async (cmd: readonly string[], wanted: Wanted = { stdout: true, stderr: true }): Promise<string> => {
  const { url } = await cri.runtime.exec({ containerId: container, cmd: [...cmd], ...wanted });
  expect(url).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${port}/exec/[A-Za-z0-9_-]{8,}$`));
  return entrance.through(url);
};

async function spdy(url: string, kinds: readonly string[], protocols: readonly string[] = v4) {
  const client = await SpdyClient.connect(url, protocols);
  const streams = new Map<string, ClientStream>();
  for (const kind of kinds) streams.set(kind, await client.open({ streamType: kind }));
  const said = async (kind: string): Promise<string> => await text((streams.get(kind) as ClientStream).output);
  const send = (kind: string, data: string, end = false): void => client.send(streams.get(kind)?.id ?? 0, data, end);
  return { client, said, send, [Symbol.dispose]: () => client[Symbol.dispose]() };
}

/** What a WebSocket's channels say until it ends; `input` is sent at its start. */
async function webSocket(url: string, protocol: string, input: readonly (Buffer | string)[] = []) {
  const socket = new WebSocket(url.replace("http:", "ws:"), protocol);
  const channels: string[] = ["", "", "", ""];
  socket.on("message", (data: Buffer) => {
    const number = data[0] ?? 0;
    channels[number] += data.subarray(1).toString();
  });
  await once(socket, "open");
  for (const message of input) socket.send(message);
  await once(socket, "close");
  return { protocol: socket.protocol, channels };
}

const success = { metadata: {}, status: "Success" };

describe("exec", () => {
  it("by SPDY carries input, output and errors apart, and the exit code", async () => {
    const url = await execUrl(["sh", "-c", "cat; echo no >&2; exit 5"], { stdin: true, stdout: true, stderr: true });
    using session = await spdy(url, ["error", "stdin", "stdout", "stderr"]);
    session.send("stdin", "one ");
    session.send("stdin", "two", true);
    expect([await session.said("stdout"), await session.said("stderr")]).toEqual(["one two", "no\n"]);
    expect(JSON.parse(await session.said("error"))).toMatchObject({
      status: "Failure",
      reason: "NonZeroExitCode",
      details: { causes: [{ reason: "ExitCode", message: "5" }] },
    });
    await expect(SpdyClient.connect(url, v4)).rejects.toThrow(/^404 /);
  });

  it("by SPDY has a terminal that takes the client's sizes", async () => {
    const script = "stty size; while [ \"$(stty size)\" != '50 132' ]; do sleep 0.05; done; stty size";
    const url = await execUrl(["sh", "-c", script], { stdin: true, stdout: true, tty: true });
    using session = await spdy(url, ["error", "stdin", "stdout", "resize"]);
    session.send("resize", '{"Width":132,"Height":50}\n');
    expect(await session.said("stdout")).toMatch(/50 132\r\n$/);
    expect(JSON.parse(await session.said("error"))).toEqual(success);
  });

  it("by WebSocket, also with a stdin whose end is told", async () => {
    const url = await execUrl(["cat"], { stdin: true, stdout: true });
    const input = [Buffer.from("\0hello"), Buffer.from([255, 0])];
    const { protocol, channels } = await webSocket(url, "v5.channel.k8s.io", input);
    expect([protocol, channels[1], JSON.parse(channels[3] ?? "")]).toEqual(["v5.channel.k8s.io", "hello", success]);
    const failing = await webSocket(await execUrl(["sh", "-c", "echo a; echo b >&2; exit 3"]), "v4.channel.k8s.io");
    expect(failing.channels.slice(1, 3)).toEqual(["a\n", "b\n"]);
    expect(failing.channels[3]).toContain('"ExitCode","message":"3"');
  });

  it("carries much to a client that reads late, and says why a command can't be run", async () => {
    const { channels } = await webSocket(await execUrl(["sh", "-c", "yes | head -c 5000000"]), "v4.channel.k8s.io");
    expect(channels[1]?.length).toBe(5_000_000);
    const missing = await webSocket(await execUrl(["/nosuch"]), "v4.channel.k8s.io");
    expect(JSON.parse(missing.channels[3] ?? "")).toMatchObject({ status: "Failure" });
    expect(missing.channels[3]).toContain("/nosuch");
  });

  it("many at once, and clients that leave, cost nothing that stays", async () => {
    const count = async (): Promise<number> => {
      const pid = await cri.host.must(["sh", "-c", `pgrep -f 'sampan.cjs daemon' | head -1`]);
      return Number(await cri.host.must(["sh", "-c", `ls /proc/${pid}/fd | wc -l`]));
    };
    const before = await count();
    const runs = Array.from({ length: 16 }, async (_, index) => {
      const { channels } = await webSocket(await execUrl(["echo", String(index)]), "v4.channel.k8s.io");
      return channels[1];
    });
    expect(await Promise.all(runs)).toEqual(runs.map((_, index) => `${index}\n`));
    for (let round = 0; round < 4; round += 1) {
      using session = await spdy(await execUrl(["sleep", "30"]), ["error", "stdout", "stderr"]);
      session.client.socket.destroy();
    }
    await expect.poll(count, { timeout: 10_000 }).toBeLessThanOrEqual(before + 2);
  });
});

describe("attach", () => {
  it("carries input to the container's first process and its output back, by both protocols", async () => {
    const attach = async (): Promise<string> =>
      entrance.through(
        (await cri.runtime.attach({ containerId: container, stdin: true, stdout: true, stderr: true })).url,
      );
    using session = await spdy(await attach(), ["error", "stdin", "stdout", "stderr"]);
    const lines: string[] = [];
    session.client.socket.on("error", () => undefined);
    const socket = new WebSocket((await attach()).replace("http:", "ws:"), "v4.channel.k8s.io");
    socket.on("message", (data: Buffer) => lines.push(data.toString()));
    await once(socket, "open");
    session.send("stdin", "spdy\n");
    await expect.poll(() => lines.join("")).toContain("got spdy");
    socket.send(Buffer.from("\0websocket\n"));
    await expect.poll(() => lines.join("")).toContain("got websocket");
    socket.close();
  });

  it("to a terminal takes its size, and lives as the container does", async () => {
    const { url } = await cri.runtime.attach({ containerId: terminal, stdin: true, stdout: true, tty: true });
    using session = await spdy(entrance.through(url), ["error", "stdin", "stdout", "resize"]);
    session.send("resize", '{"Width":77,"Height":33}\n');
    session.send("stdin", "while [ \"$(stty size)\" != '33 77' ]; do sleep 0.05; done; echo size $((30+3)); exit\n");
    expect(await session.said("stdout")).toContain("size 33\r\n");
    expect(JSON.parse(await session.said("error"))).toEqual(success);
  });
});

describe("port-forward", () => {
  const forward = async (podSandboxId: string, ports: readonly number[] = []): Promise<string> => {
    const { url } = await cri.runtime.portForward({ podSandboxId, port: [...ports] });
    return entrance.through(url);
  };
  /** What a port says to a client that says `words` first. */
  const ask = async (client: SpdyClient, number: number, id: string, words: string) => {
    const headers = { port: String(number), requestID: id };
    const error = await client.open({ streamType: "error", ...headers });
    const data = await client.open({ streamType: "data", ...headers });
    client.send(error.id, "", true);
    client.send(data.id, words, true);
    return { said: await text(data.output), failure: await text(error.output) };
  };

  it("connects to the pod's loopback of both families, many times over one connection, and tells what fails", async () => {
    const network = `--net=${cri.host.state}/pods/${pod.podId}/net`;
    for (const listen of ["TCP4-LISTEN:7001,bind=127.0.0.1,fork", "TCP6-LISTEN:7002,bind=[::1],fork"])
      cri.host.spawn(["nsenter", network, "socat", listen, "EXEC:cat"]);
    const listening = "netstat -ltn | grep -c ':700[12] '; true";
    await expect.poll(async () => await pod.sh(container, listening)).toBe("2");
    using client = await SpdyClient.connect(await forward(pod.podId, [7001]), ["portforward.k8s.io"]);
    const asked = await Promise.all(
      [7001, 7002, 7001].map(async (number, index) => await ask(client, number, `r${index}`, `hello ${index}`)),
    );
    expect(asked).toEqual([0, 1, 2].map((index) => ({ said: `hello ${index}`, failure: "" })));
    expect(await ask(client, 7003, "r9", "x")).toEqual({
      said: "",
      failure: expect.stringMatching(/port 7003 .*nobody listens on it/) as string,
    });
  });

  it("by WebSocket has two channels for a port", async () => {
    const socket = new WebSocket((await forward(pod.podId, [7001])).replace("http:", "ws:"), "v4.channel.k8s.io");
    let data = Buffer.alloc(0);
    socket.on("message", (part: Buffer) => {
      if (part[0] === 0) data = Buffer.concat([data, part.subarray(1)]);
    });
    await once(socket, "open");
    socket.send(Buffer.from("\0over channels"));
    await expect.poll(() => data.subarray(2).toString()).toBe("over channels");
    expect(data.readUInt16LE(0)).toBe(7001);
    socket.close();
  });

  it("to a pod on the host's network connects to the host's ports, and ends with the pod", async () => {
    cri.host.spawn(["socat", "TCP-LISTEN:7101,fork,bind=127.0.0.1", "EXEC:cat"]);
    const id = await cri.runPod({ linux: { securityContext: { namespaceOptions: { network: NamespaceMode.NODE } } } });
    using client = await SpdyClient.connect(await forward(id), ["portforward.k8s.io"]);
    await expect.poll(async () => (await ask(client, 7101, String(Math.random()), "host")).said).toBe("host");
    const headers = { port: "7101", requestID: "stays" };
    await client.open({ streamType: "error", ...headers });
    const open = await client.open({ streamType: "data", ...headers });
    client.send(open.id, "a");
    await once(open.output, "data");
    await cri.runtime.removePodSandbox({ podSandboxId: id });
    expect(await text(open.output)).toBe("");
    const forwarders = async (): Promise<string> => (await cri.host.run(["pgrep", "-c", "keel-forward"])).stdout.trim();
    await expect.poll(forwarders).toBe("0");
  });
});

it("streams are refused for what does not run, and for fields that can't be", async () => {
  const { runtime } = cri;
  const containerId = container;
  expect(await refusal(runtime.exec({ containerId, cmd: [], stdout: true }))).toMatch(
    /^InvalidArgument: .*cmd is empty/,
  );
  expect(await refusal(runtime.exec({ containerId, cmd: ["a"] }))).toMatch(/^InvalidArgument: .*stdin, stdout, stderr/);
  const both = { containerId, cmd: ["a"], tty: true, stdout: true, stderr: true };
  expect(await refusal(runtime.exec(both))).toMatch(/^InvalidArgument: .*stderr goes not with tty/);
  expect(await refusal(runtime.attach({ containerId, tty: true, stdout: true }))).toMatch(
    /^InvalidArgument: .*tty is true/,
  );
  expect(await refusal(runtime.exec({ containerId: pod.podId, cmd: ["a"], stdout: true }))).toMatch(/^NotFound: /);
  const waiting = await pod.create();
  const wanted = { containerId: waiting, stdout: true };
  expect(await refusal(runtime.exec({ ...wanted, cmd: ["a"] }))).toMatch(/^FailedPrecondition: .*is not running/);
  expect(await refusal(runtime.attach(wanted))).toMatch(/^FailedPrecondition: /);
  expect(await refusal(runtime.checkpointContainer(wanted))).toMatch(/^Unimplemented: .*yet/);
  const call = runtime.portForward({ podSandboxId: pod.podId, port: [0] });
  expect(await refusal(call)).toMatch(/^InvalidArgument: .*port\[0\] 0 is no port/);
});
