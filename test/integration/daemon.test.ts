/** `sampan daemon`: what it serves and to whom, how it is configured, and how it takes its leave. */
import { stat, writeFile } from "node:fs/promises";
import { connect as connectSocket } from "node:net";
import { join } from "node:path";
import { createClient, ConnectError } from "@connectrpc/connect";
import { createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type EngineClient } from "#client";
import { ErrorDetailSchema } from "../../src/api/native/gen/sampan/v1/error_pb.ts";
import { Containers } from "../../src/api/native/gen/sampan/v1/containers_pb.ts";
import { System } from "../../src/api/native/gen/sampan/v1/system_pb.ts";
import { TestDaemon } from "../support/daemon.ts";
import { eventually, StockedHost } from "../support/stocked-host.ts";

const user = 4321;
const group = 4322;
/** In the host: its directory is closed to others. */
const socket = "/run/sampan.sock";
const config = `
[socket]
group = "${group}"
[log]
level = "debug"
[[allow]]
gid = ${group}
calls = ["containers"]
binds = ["/usr/share"]
`;

let stocked: StockedHost;
let daemon: TestDaemon;
let client: EngineClient;
beforeAll(async () => {
  stocked = await StockedHost.create(["busybox"]);
  daemon = await TestDaemon.start(stocked.host, { config, socket });
  client = await connect({ host: daemon.socket });
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await daemon[Symbol.asyncDispose]();
  await stocked[Symbol.asyncDispose]();
});

const shell = (script: string): readonly string[] => ["sh", "-c", script];
const options = { network: "none" } as const;
const post = async (call: string, body: object): Promise<{ readonly status: number; readonly json: object }> => {
  const { status, text } = await daemon.http(`/sampan.v1.${call}`, body);
  return { status, json: JSON.parse(text) as object };
};

/** What a process of another user hears of the daemon. */
const asUser = async (call: string, body: object): Promise<object> => {
  const program = ["setpriv", `--reuid=${user}`, `--regid=${group}`, "--clear-groups", "curl", "-s"];
  const address = ["--unix-socket", socket, `http://daemon/sampan.v1.${call}`];
  const data = ["-H", "content-type: application/json", "-d", JSON.stringify(body)];
  return JSON.parse(await stocked.host.must([...program, ...data, ...address])) as object;
};

describe("a daemon", () => {
  it("does what commands of its host ask for, and theirs with --host none beside it", async () => {
    const before = daemon.entries.length;
    await stocked.must([
      "run",
      "-d",
      "--network",
      "none",
      "--name",
      "served",
      stocked.image("busybox"),
      "sleep",
      "1000",
    ]);
    const calls = daemon.entries
      .slice(before)
      .filter(({ msg }) => msg === "call")
      .map(({ method, peer }) => [method, String(peer).replace(/\d+$/, "PID")]);
    const who = "uid 0, gid 0, pid PID";
    expect(calls).toStrictEqual([
      ["sampan.v1.Containers/Create", who],
      ["sampan.v1.Containers/Start", who],
    ]);
    // The same containers, whoever asks; both work on them at once.
    const direct = ["--host", "none"];
    expect(await stocked.must([...direct, "ps", "-q"])).toBe(await stocked.must(["ps", "-q"]));
    const [one, two] = await Promise.all([
      stocked.must(["exec", "served", "echo", "daemon"]),
      stocked.must([...direct, "exec", "served", "echo", "direct"]),
    ]);
    expect([one, two]).toStrictEqual(["daemon", "direct"]);
    await Promise.all([
      stocked.host.sampan([...direct, "rm", "-f", "served"]),
      client.remove("served", { force: true }).catch(() => undefined),
    ]);
    expect(await client.list()).toStrictEqual([]);
  });

  it("speaks JSON over HTTP/1.1, gRPC and gRPC-Web", async () => {
    const missing = 'Cannot find container "nosuch": there is none with this name or id';
    expect(await post("Containers/Get", { container: "nosuch" })).toMatchObject({
      status: 404,
      json: {
        code: "not_found",
        message: missing,
        details: [{ debug: { code: "not-found", remedy: "See sampan ps -a" } }],
      },
    });
    const nodeOptions = { createConnection: () => connectSocket({ path: daemon.socket }) };
    const common = { baseUrl: "http://daemon", httpVersion: "2" as const, nodeOptions };
    const transports = [createGrpcTransport(common), createGrpcWebTransport(common)];
    for (const transport of transports) {
      expect(await createClient(System, transport).version({})).toMatchObject({ api: "sampan.v1" });
      const error = await createClient(Containers, transport)
        .get({ container: "nosuch" })
        .catch((caught: unknown) => caught);
      const [detail] = ConnectError.from(error).findDetails(ErrorDetailSchema);
      expect(detail).toMatchObject({ code: "not-found", message: missing });
    }
  });

  it("tells of its health and of what it has done", async () => {
    expect(await daemon.http("/healthz")).toStrictEqual({ status: 200, text: "ok\n" });
    expect(await daemon.http("/readyz")).toStrictEqual({ status: 200, text: "ready\n" });
    const { text } = await daemon.http("/metrics");
    expect(text).toMatch(/^sampan_calls_total\{method="sampan\.v1\.Containers\/Get",code="not-found"\} [1-9]/m);
    expect(text).toMatch(/^sampan_containers\{status="running"\} 0$/m);
    expect((await daemon.http("/nosuch")).status).toBe(404);
  });

  it("refuses a second one at its socket", async () => {
    const { code, stderr } = await stocked.host.sampan(["daemon", "--socket", socket]);
    expect([code, stderr]).toStrictEqual([
      1,
      `sampan: Cannot listen at "${socket}": another daemon does. End that one first, or give this one another socket\n`,
    ]);
  });

  it("follows a log, a process and events for a client until that one leaves", async () => {
    const container = await client.run(
      stocked.image("busybox"),
      shell("echo a; while :; do sleep 0.1; echo b; done"),
      options,
    );
    const abort = new AbortController();
    const seen: string[] = [];
    for await (const { text } of container.logs({ follow: true, signal: abort.signal })) {
      seen.push(Buffer.from(text).toString());
      if (seen.length === 3) abort.abort();
    }
    expect(seen).toStrictEqual(["a", "b", "b"]);
    const actions: string[] = [];
    for await (const { action } of client.events({
      since: 0,
      until: Date.now(),
      filters: { container: [container.id] },
    }))
      actions.push(action);
    expect(actions).toStrictEqual(["create", "start"]);
    await expect(container.wait({ signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ code: "cancelled" });
    await container.pause();
    expect((await container.summary()).status).toBe("paused");
    await container.unpause();
    await container.rename("other");
    expect((await client.list({ name: ["other"] })).map(({ name }) => name)).toStrictEqual(["other"]);
    expect((await container.top()).titles).toContain("PID");
    await container[Symbol.asyncDispose]();
  });

  it("opens another namespace for a client that names one", async () => {
    await using other = await connect({ host: daemon.socket, namespace: "apart" });
    const container = await client.create({ ...options, image: stocked.image("busybox"), name: "here" });
    expect([(await other.list()).length, (await client.list()).length]).toStrictEqual([0, 1]);
    await container.remove();
  });
});

describe("clients that mean harm, or are slow", () => {
  it("a stalled client that is attached holds up neither the container nor another client, and costs the daemon little", async () => {
    const script = "i=0; while [ $i -lt 100 ]; do i=$((i+1)); head -c 65536 /dev/zero | tr '\\0' x; echo; done";
    const command = shell(`read x; ${script}`);
    const made = { ...options, image: stocked.image("busybox"), command, openStdin: true };
    const container = await client.create(made);
    await container.start();
    const stalled = Promise.withResolvers<void>();
    const attachment = await container.attach({ stdin: true, output: true });
    // Takes the first bytes and no more.
    attachment.onOutput(() => stalled.promise);
    await using second = await connect({ host: daemon.socket });
    const memory = async (): Promise<number> =>
      Number(
        /^VmRSS:\s+(\d+)/m.exec(await stocked.host.must(["cat", `/proc/${await daemon.process.pid()}/status`]))?.[1],
      );
    const before = await memory();
    await attachment.write(Buffer.from("go\n"));
    let bytes = 0;
    for await (const { text } of (await second.get(container.id)).logs({ follow: true })) bytes += text.length;
    expect(bytes).toBe(100 * 65536);
    expect((await memory()) - before).toBeLessThan(60_000);
    // It hears of that once it reads again.
    stalled.resolve();
    await expect(attachment.exited).rejects.toMatchObject({ code: "resource-exhausted" });
    await container[Symbol.asyncDispose]();
  });

  it("half-open connections, half requests, noise and a message that is too large are let go; others are served", async () => {
    const sockets = Array.from({ length: 50 }, () => connectSocket({ path: daemon.socket }));
    for (const [i, socket] of sockets.entries()) {
      socket.on("error", () => undefined);
      socket.write(
        ["", "P", "PRI * HTTP/2.0\r\n", "POST /x HTTP/1.1\r\ncontent-le", "\0\x01\x02garbage\r\n\r\n"][i % 5] ?? "",
      );
    }
    const preface = sockets[2];
    preface?.write("\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff");
    expect(await client.version()).toMatchObject({ api: "sampan.v1" });
    const large = { image: "x", env: ["A=".padEnd(17 * 1024 * 1024, "a")] };
    expect(await post("Containers/Create", { options: large })).toMatchObject({
      status: 429,
      json: { code: "resource_exhausted" },
    });
    expect(await post("Containers/Create", { options: { image: 5 } })).toMatchObject({ status: 400 });
    expect(await post("Containers/Create", {})).toMatchObject({ status: 400, json: { code: "invalid_argument" } });
    for (const socket of sockets) socket.destroy();
    expect(await client.version()).toMatchObject({ api: "sampan.v1" });
  });
});

describe("the policy", () => {
  it("the socket is for its owner and the configured group alone", async () => {
    const { mode, gid } = await stat(daemon.socket);
    expect([(mode & 0o777).toString(8), gid]).toStrictEqual(["660", group]);
  });

  it("a user may do what the rules allow, mount what they name, and nothing else", async () => {
    const denied = (text: string): object => ({ code: "permission_denied", message: expect.stringContaining(text) });
    const image = stocked.image("busybox");
    const mount = (source: string): object => ({
      image,
      network: "none",
      mounts: [{ type: "bind", source, target: "/m" }],
    });
    const create = async (asked: object): Promise<object> => await asUser("Containers/Create", { options: asked });
    expect(await asUser("Containers/List", {})).toStrictEqual({});
    expect(await asUser("Images/Tag", { image, name: "x" })).toMatchObject(
      denied(`Cannot call "sampan.v1.Images/Tag": uid ${user}, gid ${group}, pid`),
    );
    await stocked.host.must(["ln", "-s", "/etc", join(stocked.host.files, "link")]);
    for (const source of ["/etc", "/usr/share/../lib", "/", join(stocked.host.files, "link")])
      expect(await create(mount(source))).toMatchObject(denied("Cannot mount"));
    expect(await create({ image, privileged: true })).toMatchObject(denied("Cannot use --privileged"));
    expect(await create({ image, network: "host" })).toMatchObject(denied("Cannot use the host's network"));
    const made = (await create(mount("/usr/share/doc"))) as { readonly container: { readonly id: string } };
    expect(made.container.id).toMatch(/^[0-9a-f]{64}$/);
    expect(await asUser("Containers/Remove", { container: made.container.id })).toStrictEqual({});
    expect(daemon.entries.filter(({ msg }) => msg === "a call was refused").length).toBeGreaterThanOrEqual(6);
  });

  it("SIGHUP takes rules and the log's level over; a file with a mistake changes nothing", async () => {
    const file = join(stocked.host.files, "config.toml");
    const reload = async (text: string, word: string): Promise<void> => {
      const count = daemon.entries.filter(({ msg }) => msg === word).length;
      await writeFile(file, text);
      await daemon.process.signal("SIGHUP");
      await eventually(word, () => daemon.entries.filter(({ msg }) => msg === word).length > count);
    };
    await reload("[log]\nlevel = 5\n", "the configuration was not reloaded");
    expect(daemon.entries.at(-1)?.["error"]).toContain(`${file}:2`);
    expect(await asUser("Containers/List", {})).toStrictEqual({});
    await reload(
      config.replace('["containers"]', '["images"]').replace("[log]", "[limits]\nstreams = 7\n[log]"),
      "configuration reloaded",
    );
    expect(daemon.entries.at(-1)?.["later"]).toStrictEqual(["limits.streams"]);
    expect(await asUser("Containers/Create", { options: { image: "x" } })).toMatchObject({ code: "permission_denied" });
    await reload(config, "configuration reloaded");
  });
});

describe("as a service", () => {
  it("takes the socket that systemd listens at, and says when it is ready and when it ends", async () => {
    const script = `
import os, socket, sys, signal
directory, program = sys.argv[1], sys.argv[2:]
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
notify.bind(directory + "/notify")
given = socket.socket(socket.AF_UNIX)
given.bind(directory + "/given.sock")
given.listen()
pid = os.fork()
if pid == 0:
    os.dup2(given.fileno(), 3)
    os.set_inheritable(3, True)
    environment = dict(os.environ, LISTEN_FDS="1", LISTEN_PID=str(os.getpid()), NOTIFY_SOCKET=directory + "/notify")
    os.execve(program[0], program, environment)
while True:
    data, control, _, _ = notify.recvmsg(4096, 64)
    sender = int.from_bytes(control[0][2][:4], "little")
    print(data.decode().split("\\n")[0], sender == pid, flush=True)
    if data.startswith(b"READY=1"):
        client = socket.socket(socket.AF_UNIX)
        client.connect(directory + "/given.sock")
        client.sendall(b"GET /readyz HTTP/1.0\\r\\n\\r\\n")
        print(client.recv(4096).decode().split()[1], flush=True)
        os.kill(pid, signal.SIGTERM)
    if data.startswith(b"STOPPING=1"):
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
        break
`;
    const own = join(stocked.host.files, "service");
    const program = [process.execPath, join(import.meta.dirname, "../../dist/sampan.cjs")];
    const flags = ["--root", join(own, "root"), "--state", join(own, "state"), "daemon"];
    await stocked.host.must(["mkdir", own]);
    const output = await stocked.host.must(["python3", "-c", script, own, ...program, ...flags]);
    expect(output.split("\n")).toStrictEqual(["READY=1 True", "200", "STOPPING=1 True", "0"]);
  });

  it("serves TCP with certificates on both sides, and nobody without one", async () => {
    const files = join(stocked.host.files, "tls");
    const make = `
      set -e; mkdir ${files}; cd ${files}
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 2 2>/dev/null
      for name in 127.0.0.1 ci; do
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $name.key -out $name.csr -subj /CN=$name 2>/dev/null
        printf 'subjectAltName=IP:127.0.0.1' > ext
        openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out $name.pem -days 2 -extfile ext 2>/dev/null
      done`;
    await stocked.host.must(["sh", "-c", make]);
    const path = (name: string): string => join(files, name);
    const text = `
      root = "${join(files, "root")}"
      state = "${join(files, "state")}"
      [tcp]
      address = "127.0.0.1:7443"
      certificate = "${path("127.0.0.1.pem")}"
      key = "${path("127.0.0.1.key")}"
      client-ca = "${path("ca.pem")}"
      [[allow]]
      certificate = "ci"
      calls = ["read"]`;
    await using secure = await TestDaemon.start(stocked.host, { config: text });
    expect(secure.entries.length).toBeGreaterThan(0);
    const curl = async (flags: readonly string[], call: string): Promise<string> => {
      const request = ["-H", "content-type: application/json", "-d", "{}", `https://127.0.0.1:7443/sampan.v1.${call}`];
      return (await stocked.host.run(["curl", "-s", "--cacert", path("ca.pem"), ...flags, ...request])).stdout;
    };
    const own = ["--cert", path("ci.pem"), "--key", path("ci.key")];
    expect(JSON.parse(await curl(own, "System/Version"))).toMatchObject({ api: "sampan.v1" });
    expect(JSON.parse(await curl([...own, "--http1.1"], "Images/Tag"))).toMatchObject({
      code: "permission_denied",
      message: 'Cannot call "sampan.v1.Images/Tag": certificate "ci" is not allowed to',
    });
    expect(await curl([], "System/Version")).toBe("");
  });

  it("ends when it is asked to: calls that wait are told, containers run on, commands go on without it", async () => {
    const container = await client.run(stocked.image("busybox"), ["sleep", "1000"], { ...options, name: "stays" });
    const waiting = container.wait().catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await daemon.signal("SIGTERM")).toBe(0);
    expect(await waiting).toMatchObject({ code: "unavailable" });
    expect(daemon.entries.at(-1)).toMatchObject({ level: "info", msg: "ended" });
    expect(await stocked.must(["ps", "--format", "{{.Names}}"])).toBe("stays");
    await stocked.must(["rm", "-f", "stays"]);
  });
});
