import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { startOrphan } from "#keel";
import type { Operation } from "#plan";
import { checkout } from "../support/checkout.ts";
import { LineProcess } from "../support/line-process.ts";
import {
  buildKeel,
  containerProgram,
  execProgram,
  Monitored,
  parentOf,
  parseLog,
  shell,
  until,
} from "../support/monitored.ts";
import { OrphanHost } from "../support/orphans.ts";

beforeAll(buildKeel);

const program = (directory: string, command: readonly string[]): readonly Operation[] =>
  containerProgram(command, { before: [{ op: "start-socket", directory }] });

/** Whether a process below this one has come to its sleep(1). */
function sleeps(pid: number): boolean {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
    return children.some((c) => readFileSync(`/proc/${c}/cmdline`, "utf8").startsWith("sleep") || sleeps(c));
  } catch {
    return false;
  }
}

describe.each(["keel", "keel-sanitized"])("%s orphan", (binary) => {
  const keel = join(checkout, "build/native", binary);

  test("is its subreaper's child, waits for its start, and has the caller's stdio", async () => {
    await using host = new OrphanHost(keel);
    const state = host.state();
    const operations = program(state, shell("cat; echo err >&2; exit 7"));
    const orphan = host.create({ program: operations }, state);
    const { answer, children } = await orphan.created;
    const pid = await orphan.pid();
    expect(answer).toEqual({ kind: "created", pid, monitor: 0 });
    // Nothing of keel, and nothing that is to be reaped.
    expect(children).toEqual([pid]);
    const start = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ")[19];
    expect(readFileSync(join(state, "pid"), "utf8")).toBe(`${pid} ${start} 0 0\n`);
    expect(readdirSync(state).sort()).toEqual(["pid", "start.sock"]);
    expect(statSync(join(state, "start.sock")).mode & 0o7777).toBe(0o600);
    expect(parentOf(pid)).toBeGreaterThan(1);
    await startOrphan(state, operations);
    expect(existsSync(join(state, "start.sock"))).toBe(false);
    orphan.stdin.end("through\n");
    expect(await orphan.reaped()).toEqual([{ event: "ended", pid, code: 7 }]);
    expect(String(await orphan.stdout)).toBe("through\n");
    expect(String(await orphan.stderr)).toMatch(/\nerr\n$/);
  });

  test.each(["console", `${"long".repeat(30)}/${"path".repeat(30)}/console`])(
    "sends the terminal's master to a socket (%#)",
    async (name) => {
      await using host = new OrphanHost(keel);
      const path = join(host.directory, name);
      mkdirSync(dirname(path), { recursive: true });
      using receiver = await LineProcess.start("fd-receiver.py", path);
      const state = host.state();
      const operations = containerProgram(shell("read line; echo got $line; tty; exit 4"), {
        before: [{ op: "start-socket", directory: state }],
        terminal: true,
      });
      const orphan = host.create({ program: operations, terminal: true, consoleSocket: path }, state);
      const pid = await orphan.pid();
      const number = (readlinkSync(`/proc/${pid}/fd/0`).match(/\d+$/) ?? [])[0];
      expect(await receiver.next()).toEqual({ text: `/dev/pts/${number}`, count: 1, terminal: true, pids: [] });
      await startOrphan(state, operations);
      expect(await orphan.reaped()).toEqual([{ event: "ended", pid, code: 4 }]);
      expect(await receiver.next()).toBe(`typed\r\ngot typed\r\n/dev/pts/${number}\r\n`);
      expect(String(await orphan.stdout)).toBe("");
    },
  );

  test("sends a pidfd to a socket", async () => {
    await using host = new OrphanHost(keel);
    const path = join(host.directory, "pidfd");
    using receiver = await LineProcess.start("fd-receiver.py", path);
    const state = host.state();
    const orphan = host.create({ program: program(state, ["true"]), pidfdSocket: path }, state);
    const pid = await orphan.pid();
    expect(await receiver.next()).toEqual({ text: "pidfd", count: 1, terminal: false, pids: [pid] });
  });

  test("has the caller's descriptors from 3 on, and no others", async () => {
    await using host = new OrphanHost(keel);
    const descriptors = ["a", "b", "c", "d"].map((name) => openSync(join(host.directory, name), "w+"));
    try {
      const state = host.state();
      const command = shell("echo first >&3; echo fourth >&6; echo $(ls /proc/self/fd)");
      const operations = program(state, command);
      const orphan = host.create({ program: operations, descriptors }, state);
      const pid = await orphan.pid();
      await startOrphan(state, operations);
      expect(await orphan.reaped()).toEqual([{ event: "ended", pid, code: 0 }]);
      // The last is that of ls itself.
      expect(String(await orphan.stdout)).toBe("0 1 2 3 4 5 6 7\n");
      expect(["a", "b", "c", "d"].map((name) => readFileSync(join(host.directory, name), "utf8"))).toEqual([
        "first\n",
        "",
        "",
        "fourth\n",
      ]);
    } finally {
      for (const fd of descriptors) closeSync(fd);
    }
  });

  test.each([1, 2, 3])("with init and %i descriptors gives them to the command alone", async (count) => {
    await using host = new OrphanHost(keel);
    const descriptors = Array.from({ length: count }, (_, i) => openSync(join(host.directory, `kept${i}`), "w+"));
    try {
      const operations = containerProgram(shell("echo $(ls /proc/self/fd); sleep 1000")).map((o) =>
        o.op === "exec" ? { ...o, init: true } : o,
      );
      const orphan = host.create({ program: operations, descriptors });
      const pid = await orphan.pid();
      const fds = (): string[] => readdirSync(`/proc/${pid}/fd`);
      await until(() => fds().length === 3 && sleeps(pid));
      process.kill(pid, "SIGTERM");
      await orphan.reaped();
      expect(String(await orphan.stdout)).toBe(
        `0 1 2 ${descriptors.map((_, i) => `${i + 3} `).join("")}${count + 3}\n`,
      );
    } finally {
      for (const fd of descriptors) closeSync(fd);
    }
  });

  test("while it waits has its descriptors, its start socket, and nothing else of keel's caller", async () => {
    await using host = new OrphanHost(keel);
    const state = host.state();
    const fd = openSync(join(host.directory, "kept"), "w+");
    try {
      const orphan = host.create({ program: program(state, ["true"]), descriptors: [fd] }, state);
      const pid = await orphan.pid();
      const links = readdirSync(`/proc/${pid}/fd`).map((n) => readlinkSync(`/proc/${pid}/fd/${n}`));
      const kinds = links.map((link) =>
        link.replace(/:.*|^\/memfd.*|^.*\//, (m) => (m.startsWith("/memfd") ? "self" : "")),
      );
      // Node's pipes are sockets.
      expect(kinds.sort()).toEqual(["kept", "self", "socket", "socket", "socket", "socket"]);
    } finally {
      closeSync(fd);
    }
  });

  test("is started by one of two, and the other is told so", async () => {
    await using host = new OrphanHost(keel);
    const state = host.state();
    const operations = program(state, shell("exit 9"));
    const orphan = host.create({ program: operations }, state);
    const pid = await orphan.pid();
    const results = await Promise.allSettled([1, 2, 3, 4].map(() => startOrphan(state, operations)));
    expect(results.map((r) => r.status).sort()).toEqual(["fulfilled", "rejected", "rejected", "rejected"]);
    for (const r of results)
      if (r.status === "rejected")
        expect(r.reason).toMatchObject({
          code: "failed-precondition",
          message: "Cannot start the container: it does not wait for its start",
        });
    expect(await orphan.reaped()).toEqual([{ event: "ended", pid, code: 9 }]);
    await expect(startOrphan(state, operations)).rejects.toMatchObject({ code: "failed-precondition" });
  });

  test("goes on waiting when who has connected is gone before it looks", async () => {
    await using host = new OrphanHost(keel);
    const state = host.state();
    const operations = program(state, shell("exit 9"));
    const orphan = host.create({ program: operations }, state);
    const pid = await orphan.pid();
    process.kill(pid, "SIGSTOP");
    const socket = connect(join(state, "start.sock"));
    await once(socket, "connect");
    socket.destroy();
    await once(socket, "close");
    process.kill(pid, "SIGCONT");
    await startOrphan(state, operations);
    expect(await orphan.reaped()).toEqual([{ event: "ended", pid, code: 9 }]);
  });

  test("has a start socket of any length of path", async () => {
    await using host = new OrphanHost(keel);
    const state = host.state(join("s".repeat(100), "t".repeat(100)));
    const operations = program(state, shell("exit 3"));
    const orphan = host.create({ program: operations }, state);
    const pid = await orphan.pid();
    await startOrphan(state, operations);
    expect(await orphan.reaped()).toEqual([{ event: "ended", pid, code: 3 }]);
  });

  test("tells its starter why it can't be executed", async () => {
    await using host = new OrphanHost(keel);
    const state = host.state();
    const operations = program(state, ["/nowhere/command"]);
    const orphan = host.create({ program: operations }, state);
    const pid = await orphan.pid();
    await expect(startOrphan(state, operations)).rejects.toMatchObject({
      code: "not-found",
      message: 'Cannot run "/nowhere/command": no such file or directory',
      fields: { step: 5, syscall: "execve" },
    });
    expect(existsSync(join(state, "start.sock"))).toBe(false);
    expect(await orphan.reaped()).toEqual([{ event: "ended", pid, code: 1 }]);
  });

  test("that has been killed while it waited is told of as such", async () => {
    await using host = new OrphanHost(keel);
    const state = host.state();
    const orphan = host.create({ program: program(state, ["true"]) }, state);
    const pid = await orphan.pid();
    process.kill(pid, "SIGKILL");
    expect(await orphan.reaped()).toEqual([{ event: "ended", pid, code: -9 }]);
    await expect(startOrphan(state, [])).rejects.toMatchObject({ code: "failed-precondition" });
  });

  test("without wait-start runs when create answers", async () => {
    await using host = new OrphanHost(keel);
    const state = host.state();
    const operations = containerProgram(shell("exit 6")).filter((o) => o.op !== "wait-start");
    const orphan = host.create({ program: operations }, state);
    const { answer } = await orphan.created;
    expect(await orphan.reaped()).toEqual([{ event: "ended", pid: answer["pid"], code: 6 }]);
    expect(readdirSync(state)).toEqual(["pid"]);
  });

  test("without a start socket, and without a state directory, a failure of exec is one of create", async () => {
    await using host = new OrphanHost(keel);
    const failed = host.create({ program: containerProgram(["/nowhere/command"]) }, "");
    expect(await failed.created).toMatchObject({ answer: { code: "not-found", fields: { step: 4 } }, children: [] });
  });

  test("in a running container joins its namespaces, if it still is that container", async () => {
    await using host = new OrphanHost(keel);
    await using monitored = new Monitored(keel);
    const { pid, client } = await monitored.create(containerProgram(["sleep", "1000"]));
    await client.start();
    const containerStart = BigInt(startOf(pid));
    const exec = host.create({
      program: execProgram(shell("readlink /proc/self/ns/pid; exit 2")),
      container: pid,
      containerStart,
    });
    await exec.pid();
    await exec.reaped();
    expect(String(await exec.stdout)).toBe(`${readlinkSync(`/proc/${pid}/ns/pid`)}\n`);
    const other = host.create({ program: execProgram(["true"]), container: pid, containerStart: containerStart + 1n });
    expect(await other.created).toMatchObject({
      answer: { fields: { errno: 3, syscall: "pidfd_open" } },
      children: [],
    });
  });

  test("a monitor that stays can start a process in a container of another", async () => {
    await using host = new Monitored(keel);
    const { pid, client } = await host.create(containerProgram(["sleep", "1000"]));
    await client.start();
    const program = [...execProgram(shell("readlink /proc/self/ns/pid; exit 2"))];
    program.splice(-1, 0, { op: "wait-start" });
    const exec = await host.create(program, { container: pid, containerStart: BigInt(startOf(pid)) });
    const waiting = exec.client.wait();
    await exec.client.start();
    expect(await waiting).toMatchObject({ status: 2 });
    expect(parseLog(exec.log).map((e) => e.text)).toEqual([readlinkSync(`/proc/${pid}/ns/pid`)]);
    await expect(host.create(program, { container: pid, containerStart: 1n })).rejects.toMatchObject({
      fields: { errno: 3 },
    });
  });

  test("a failed create leaves no process, and runs the exit program", async () => {
    await using host = new OrphanHost(keel);
    const state = host.state();
    const made = join(host.directory, "made");
    const operations = [
      { op: "host-directory", path: made, mode: 0o700, uid: 0, gid: 0 },
      ...program(state, ["true"]),
    ] as Operation[];
    operations.splice(-2, 0, { op: "hostname", name: "x".repeat(100) });
    const orphan = host.create({ program: operations, exitProgram: [{ op: "remove-tree", path: made }] }, state);
    expect(await orphan.created).toMatchObject({ answer: { fields: { syscall: "sethostname" } }, children: [] });
    expect(existsSync(made)).toBe(false);
    expect(await orphan.reaped()).toEqual([]);
  });

  test.each([
    ["a terminal without a console socket", { terminal: true }],
    ["a console socket without a terminal", { consoleSocket: "/nowhere" }],
    ["a console socket of a monitor that stays", { orphan: false, terminal: true, consoleSocket: "/nowhere" }],
    ["more descriptors than keel has", { preserve: 1 }],
    ["a console socket that is not there", { terminal: true, consoleSocket: "/nowhere" }],
    ["a pidfd socket that is not there", { pidfdSocket: "/nowhere" }],
  ])("%s is refused", async (_, options) => {
    await using host = new OrphanHost(keel);
    const orphan = host.create({ program: containerProgram(["true"]), ...options });
    expect(await orphan.created).toMatchObject({ answer: { message: expect.any(String) }, children: [] });
  });

  /** The host's hook runs below: serve, monitor, executor, the executor's runner of hooks. */
  const killing = (ancestor: number): Operation => ({
    op: "hook",
    parent: true,
    path: "/bin/sh",
    arguments: [
      "sh",
      "-c",
      `p=$PPID; for i in $(seq ${ancestor}); do p=$(awk '/^PPid/ { print $2 }' /proc/$p/status); done; kill -9 $p`,
    ],
    environment: ["PATH=/usr/bin:/bin"],
    directory: "",
    timeout: 0,
    before: "",
    after: "",
  });

  test("ends when its monitor is killed before it is created", async () => {
    await using host = new OrphanHost(keel);
    const state = host.state();
    const operations = containerProgram(["sleep", "1000"], {
      before: [{ op: "start-socket", directory: state }],
      after: [killing(2)],
    });
    const orphan = host.create({ program: operations }, state);
    const { answer } = await orphan.created;
    expect(answer).toMatchObject({ fields: { errno: 32, syscall: "recv" } });
    await orphan.reaped();
    expect(readdirSync(state)).toEqual(["start.sock"]);
    await expect(startOrphan(state, operations)).rejects.toMatchObject({ code: "failed-precondition" });
  });

  test("is created all the same when keel serve is killed, and known by its pid file", async () => {
    await using host = new OrphanHost(keel);
    const state = host.state();
    const operations = containerProgram(shell("exit 8"), {
      before: [{ op: "start-socket", directory: state }],
      after: [killing(3)],
    });
    const orphan = host.create({ program: operations }, state);
    expect((await orphan.created).answer).toMatchObject({ code: "unavailable" });
    await until(() => existsSync(join(state, "pid")));
    const pid = Number(readFileSync(join(state, "pid"), "utf8").split(" ")[0]);
    await startOrphan(state, operations);
    expect(await orphan.reaped()).toContainEqual({ event: "ended", pid, code: 8 });
  });
});

function startOf(pid: number): string {
  return (
    readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ")[19] ?? ""
  );
}
