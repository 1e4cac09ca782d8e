import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { MonitorClient, type Attachment, type Exited } from "#keel";
import { checkout } from "../support/checkout.ts";
import {
  alive,
  buildKeel,
  containerProgram,
  execProgram,
  Monitored,
  parseLog,
  proportionalSize,
  shell,
  until,
} from "../support/monitored.ts";

beforeAll(buildKeel);

const exec = (command: readonly string[], openStdin = false) => ({
  program: execProgram(command),
  terminal: false,
  openStdin,
  output: true,
});

async function collect(attachment: Attachment): Promise<readonly [stdout: string, stderr: string, exited: Exited]> {
  const text = ["", ""];
  attachment.onOutput((stream, data) => {
    text[stream - 1] += Buffer.from(data).toString("latin1");
  });
  const exited = await attachment.exited;
  return [text[0] ?? "", text[1] ?? "", exited];
}

const pidNamespace = (pid: number): string => readlinkSync(`/proc/${pid}/ns/pid`);

function length(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function frame(request: number, kind: number, fields = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt32LE(6 + fields.length, 0);
  head.writeUInt32LE(request, 4);
  head.writeUInt16LE(kind, 8);
  return Buffer.concat([head, fields]);
}

/** What comes on a connection until there is this much, or it is closed. */
async function receive(socket: Socket, size: number): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let all = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    all = Buffer.concat([all, chunk]);
    if (all.length >= size) resolve();
  });
  socket.on("error", () => resolve());
  socket.on("close", () => resolve());
  await promise;
  return all;
}

describe.each(["keel", "keel-sanitized"])("%s sessions", (binary) => {
  const keel = join(checkout, "build/native", binary);
  /** Memory that the sanitizers take beside what is measured. */
  const slack = binary === "keel" ? 1 : 1000;

  test("exec runs processes beside each other, each with its own streams and status", async () => {
    await using host = new Monitored(keel);
    const { client, log } = await host.create(containerProgram(["sleep", "60"]));
    await client.start();
    const sessions = await Promise.all(
      Array.from({ length: 60 }, (_, i) => client.exec(exec(shell(`echo out ${i}; echo err ${i} >&2; exit ${i}`)))),
    );
    const results = await Promise.all(sessions.map((session) => collect(session)));
    expect(results.map(([out, err, { status }]) => [out, err, status])).toEqual(
      Array.from({ length: 60 }, (_, i) => [`out ${i}\n`, `err ${i}\n`, i]),
    );
    expect(new Set(sessions.map((session) => session.pid)).size).toBe(60);
    expect((await client.status()).execs).toEqual([]);
    expect(readFileSync(log, "utf8")).toBe("");
  });

  test("exec joins the container", async () => {
    await using host = new Monitored(keel);
    const { client, pid } = await host.create(containerProgram(["sleep", "60"]));
    await client.start();
    const session = await client.exec(exec(["readlink", "/proc/self/ns/pid_for_children"]));
    expect((await collect(session))[2].status).toBe(0);
    const other = await client.exec(exec(["sleep", "60"]));
    expect(pidNamespace(other.pid)).toBe(pidNamespace(pid));
    expect(await client.status()).toMatchObject({ execs: [other.pid] });
    await client.kill(15, other.pid);
    expect(await other.exited.catch((error: unknown) => error)).toMatchObject({ status: 143, signal: 15 });
  });

  test("exec that fails says which step, and leaves nothing", async () => {
    await using host = new Monitored(keel);
    const { client } = await host.create(containerProgram(["sleep", "60"]));
    await client.start();
    const program = execProgram(["/no/such/command"]);
    await expect(client.exec({ program, terminal: false, openStdin: true, output: true })).rejects.toMatchObject({
      code: "not-found",
      fields: { step: program.length, errno: 2 },
    });
    expect(await client.status()).toMatchObject({ state: "running", execs: [] });
  });

  test("exec takes 4 MiB of input and its end", async () => {
    await using host = new Monitored(keel);
    const { client } = await host.create(containerProgram(["sleep", "60"]));
    await client.start();
    const session = await client.exec(exec(["sha256sum"], true));
    const output = collect(session);
    const data = randomBytes(4 << 20);
    for (let at = 0; at < data.length; at += 100_000) await session.write(data.subarray(at, at + 100_000));
    session.closeInput();
    expect((await output)[0]).toBe(`${createHash("sha256").update(data).digest("hex")}  -\n`);
  });

  test("exec with a terminal takes size and input that come at once", async () => {
    await using host = new Monitored(keel);
    const { client } = await host.create(containerProgram(["sleep", "60"]));
    await client.start();
    const session = await client.exec({
      program: execProgram(shell("tty >/dev/null && read line && stty size && echo got $line"), { terminal: true }),
      terminal: true,
      openStdin: true,
      output: true,
    });
    session.resize(90, 30);
    void session.write(Buffer.from("word\r"));
    const [output, , { status }] = await collect(session);
    expect([output, status]).toEqual(["word\r\n30 90\r\ngot word\r\n", 0]);
  });

  test("exec'd processes outlive their connection, and what they leave behind doesn't hold them up", async () => {
    await using host = new Monitored(keel);
    const { client } = await host.create(containerProgram(["sleep", "60"]));
    await client.start();
    const [one, two] = [join(host.directory, "one"), join(host.directory, "two")];
    const session = await client.exec(exec(shell(`sleep 0.3; echo ignored; echo ignored; touch ${one}`)));
    session.close();
    await expect(session.exited).rejects.toMatchObject({ code: "cancelled" });
    const quiet = await client.exec({ ...exec(shell(`echo nowhere; touch ${two}; exit 9`)), output: false });
    expect((await quiet.exited).status).toBe(9);
    await until(() => existsSync(one) && existsSync(two));
    const begun = performance.now();
    const leaver = await client.exec(exec(shell("(sleep 3; echo late) & echo early")));
    expect((await collect(leaver))[0]).toBe("early\n");
    expect(performance.now() - begun).toBeLessThan(2900);
    expect((await client.status()).state).toBe("running");
  });

  test("the container's end ends its exec'd processes, and each client learns of it", async () => {
    await using host = new Monitored(keel);
    const { client, monitor } = await host.create(containerProgram(["sleep", "60"]));
    await client.start();
    const sessions = await Promise.all(Array.from({ length: 5 }, () => client.exec(exec(shell("echo up; sleep 60")))));
    const results = sessions.map((session) => collect(session));
    await sleep(100);
    const exited = client.wait();
    await client.kill(9);
    expect((await exited).status).toBe(137);
    const ends = await Promise.all(results);
    expect(ends.map(([out, , { status, signal }]) => [out, status, signal])).toEqual(
      Array.from({ length: 5 }, () => ["up\n", 137, 9]),
    );
    await until(() => !alive(monitor));
  });

  test("without namespaces of its own, exec'd processes end with the container too", async () => {
    await using host = new Monitored(keel);
    const { client } = await host.create(containerProgram(shell("sleep 1"), { namespaces: 0n }));
    const exited = client.wait();
    await client.start();
    const program = execProgram(["sleep", "60"]).slice(1);
    const session = await client.exec({ program, terminal: false, openStdin: false, output: true });
    const end = collect(session);
    expect((await exited).status).toBe(0);
    expect((await end)[2]).toMatchObject({ status: 137, signal: 9 });
  });

  test("10,000 attaches, waits and requests cost no memory", async () => {
    await using host = new Monitored(keel);
    const { client, monitor } = await host.create(containerProgram(["sleep", "60"]), { openStdin: true });
    await client.start();
    const round = async (): Promise<void> => {
      const next = await MonitorClient.connect(join(host.directory, "0"));
      const attachment = await next.attach({ stdin: true, output: true });
      attachment.close();
      await client.status();
    };
    for (let i = 0; i < 100; i += 1) await round();
    const before = proportionalSize(monitor);
    for (let i = 0; i < (binary === "keel" ? 10_000 : 200); i += 1) await round();
    await client.status();
    expect(proportionalSize(monitor) - before).toBeLessThan(64 * slack);
    expect(readdirSync(`/proc/${monitor}/fd`).length).toBeLessThan(30);
  });

  test("malformed frames end their connection and nothing else", async () => {
    await using host = new Monitored(keel);
    const { client, directory } = await host.create(containerProgram(["sleep", "60"]));
    await client.start();
    const path = join(directory, "monitor.sock");
    const bad: readonly Buffer[] = [
      length(0),
      Buffer.concat([length(5), Buffer.alloc(5)]),
      length(0xffffffff),
      Buffer.concat([length(8 * 1024 * 1024 + 1), Buffer.alloc(100_000)]),
      frame(1, 0),
      frame(1, 999),
      frame(1, 11, Buffer.from([2, 0])),
      frame(1, 11, Buffer.from([1])),
      frame(1, 17, Buffer.from([0])),
      frame(1, 12, Buffer.concat([length(65_537), Buffer.alloc(65_537)])),
      frame(1, 18, Buffer.concat([Buffer.from([0, 0, 1]), length(0xffffffff)])),
    ];
    for (const bytes of bad) {
      const socket = connect(path);
      // In two parts, so that frames are put together as well.
      socket.write(bytes.subarray(0, 3));
      await sleep(2);
      socket.write(bytes.subarray(3));
      expect((await receive(socket, 1)).length).toBe(0);
      expect(socket.readyState).not.toBe("open");
    }
    expect((await client.status()).state).toBe("running");
  });

  test("requests that a monitor doesn't serve are refused, and many in one write are answered in order", async () => {
    await using host = new Monitored(keel);
    const { client, directory } = await host.create(containerProgram(["sleep", "60"]));
    await client.start();
    const socket = connect(join(directory, "monitor.sock"));
    const parts = [
      frame(1, 1, Buffer.alloc(4)),
      ...Array.from({ length: 500 }, (_, i) => frame(i + 2, 17)),
      frame(502, 10),
    ];
    socket.write(Buffer.concat(parts));
    // Twice `failed` (EOPNOTSUPP for `execute`, EALREADY for a second `start`), and 500 `status-is`.
    const all = await receive(socket, 2 * 28 + 500 * 19);
    socket.destroy();
    const seen: [number, number][] = [];
    for (let at = 0; at < all.length; at += 4 + all.readUInt32LE(at))
      seen.push([all.readUInt32LE(at + 4), all.readUInt16LE(at + 8)]);
    expect(seen).toEqual([[1, 101], ...Array.from({ length: 500 }, (_, i) => [i + 2, 107]), [502, 101]]);
  });

  test("a log that can't be written is counted, and the container goes on", async () => {
    await using host = new Monitored(keel);
    const { client, directory } = await host.create(containerProgram(["seq", "1", "1000"]), { log: "/dev/full" });
    const exited = client.wait();
    await client.start();
    expect((await exited).status).toBe(0);
    // Each entry: its header of 40 bytes, the number, a newline.
    expect(readFileSync(join(directory, "log-lost"), "utf8")).toBe(`${1000 * 41 + 9 + 90 * 2 + 900 * 3 + 4}\n`);
  });

  test("a log on a full filesystem ends with a whole entry", async () => {
    await using host = new Monitored(keel);
    const mount = join(host.directory, "small");
    mkdirSync(mount);
    expect(spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "none", mount]).status).toBe(0);
    try {
      const { client, directory } = await host.create(containerProgram(["seq", "1", "5000"]), {
        log: join(mount, "log"),
      });
      const exited = client.wait();
      await client.start();
      expect((await exited).status).toBe(0);
      const lines = parseLog(join(mount, "log")).map((entry) => entry.text);
      expect(lines.length).toBeGreaterThan(500);
      expect(lines.every((text, i) => text === String(i + 1))).toBe(true);
      expect(Number(readFileSync(join(directory, "log-lost"), "utf8"))).toBeGreaterThan(0);
    } finally {
      spawnSync("umount", [mount]);
    }
  });

  test("a peer that is neither root nor the monitor's user is turned away, whatever the socket's mode", async () => {
    await using host = new Monitored(keel);
    const { client, directory } = await host.create(containerProgram(["sleep", "60"]));
    await client.start();
    for (const open of [host.directory, directory]) chmodSync(open, 0o755);
    const path = join(directory, "monitor.sock");
    chmodSync(path, 0o666);
    const script = `use Socket; socket(S, AF_UNIX, SOCK_STREAM, 0) && connect(S, sockaddr_un($ARGV[0])) || die "connect: $!";
      $SIG{PIPE} = "IGNORE"; syswrite(S, pack("VVv", 6, 1, 17)); my $n = sysread(S, my $b, 100); print defined $n ? $n : "reset";`;
    const ask = (uid: number): string => spawnSync("perl", ["-e", script, path], { uid, gid: uid }).stdout.toString();
    expect(ask(65534)).toMatch(/^(0|reset)$/);
    expect(ask(0)).toBe("19");
  });

  test("an OOM kill is reported, and the exit program removes the cgroup after it was read", async () => {
    await using host = new Monitored(keel);
    const mount = "/sys/fs/cgroup/memory";
    const path = join(mount, `sampan-test-monitor-${process.pid}`);
    const before = [
      { op: "cgroup-create", path, mount, cpuset: false, controllers: [] },
      { op: "write-file", path: `${path}/memory.limit_in_bytes`, data: String(32 << 20), tolerate: false },
      { op: "write-file", path: `${path}/memory.memsw.limit_in_bytes`, data: String(32 << 20), tolerate: true },
    ] as const;
    const { client } = await host.create(
      containerProgram(["tail", "/dev/zero"], {
        before,
        after: [{ op: "join-cgroup", paths: [path], unshare: false }],
      }),
      {
        oomFile: `${path}/memory.oom_control`,
        exitProgram: [
          { op: "cgroup-kill", path },
          { op: "cgroup-remove", path },
        ],
      },
    );
    const exited = client.wait();
    await client.start();
    expect(await exited).toMatchObject({ status: 137, signal: 9, oomKilled: true });
    expect(existsSync(path)).toBe(false);
  });
});
