import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { MonitorClient, type Attachment, type Exited } from "#keel";
import { checkout } from "../support/checkout.ts";
import {
  alive,
  buildKeel,
  containerProgram,
  Monitored,
  parentOf,
  parseLog,
  proportionalSize,
  shell,
  until,
  type LogEntry,
} from "../support/monitored.ts";

beforeAll(buildKeel);

const sha = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");

/** Starts a container that may end at any time, and waits for that. */
async function run({ client }: { readonly client: MonitorClient }): Promise<Exited> {
  const exited = client.wait();
  await client.start();
  return exited;
}

/** Collects output until the end. */
async function collect(attachment: Attachment): Promise<readonly [stdout: Buffer, stderr: Buffer]> {
  const streams: [Buffer[], Buffer[]] = [[], []];
  attachment.onOutput((stream, data) => void streams[stream - 1]?.push(Buffer.from(data)));
  await attachment.exited;
  return [Buffer.concat(streams[0]), Buffer.concat(streams[1])];
}

/** Entries that containerd's CRI logger makes of one stream's bytes. */
function entries(content: Buffer, stream = "stdout"): LogEntry[] {
  const lines = content.toString("latin1").split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.flatMap((line) => {
    const made: LogEntry[] = [];
    let rest = line;
    while (rest.length > 16384) {
      made.push({ stream, tag: "P", text: rest.slice(0, 16384) });
      rest = rest.slice(16384);
    }
    return [...made, { stream, tag: "F", text: rest }];
  });
}

describe.each(["keel", "keel-sanitized"])("%s monitor", (binary) => {
  const keel = join(checkout, "build/native", binary);
  /** Memory that the sanitizers take beside what is measured. */
  const slack = binary === "keel" ? 1 : 1000;

  test("writes the log, the pid and the exit file", async () => {
    await using host = new Monitored(keel);
    const { pid, monitor, directory, log, client } = await host.create(
      containerProgram(shell("echo out; sleep 0.05; echo err >&2; sleep 0.05; printf rest; exit 3")),
    );
    const [number, start] = readFileSync(join(directory, "pid"), "utf8").split(/[ \n]/);
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    expect([Number(number), start]).toEqual([pid, stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]]);
    expect(statSync(join(directory, "monitor.sock")).mode & 0o7777).toBe(0o600);
    expect(await client.status()).toEqual({ state: "created", pid, execs: [] });
    await client.start();
    const waiting = client.wait();
    expect(await client.status()).toEqual({ state: "running", pid, execs: [] });
    const exited = await waiting;
    expect(exited).toMatchObject({ status: 3, signal: 0, oomKilled: false });
    expect(readFileSync(join(directory, "exit"), "utf8")).toBe(
      `3 0 0 ${exited.seconds} ${String(exited.nanoseconds).padStart(9, "0")}\n`,
    );
    expect(Math.abs(Number(exited.seconds) * 1000 - Date.now())).toBeLessThan(5000);
    expect(parseLog(log)).toEqual([
      { stream: "stdout", tag: "F", text: "out" },
      { stream: "stderr", tag: "F", text: "err" },
      { stream: "stdout", tag: "F", text: "rest" },
    ]);
    await until(() => !alive(monitor));
    expect(readdirSync(directory).sort()).toEqual(["exit", "log", "pid"]);
  });

  test("splits lines of more than 16 KiB as containerd does", async () => {
    await using host = new Monitored(keel);
    const lengths = [0, 1, 16383, 16384, 16385, 0, 32768, 32769, 50000, 5, 70000];
    const content = Buffer.concat([
      ...lengths.map((length, i) => Buffer.from(`${String.fromCodePoint(97 + i).repeat(length)}\n`)),
      Buffer.from("\r\nbinary \0\u00ff\n\nunfinished"),
    ]);
    const file = join(host.directory, "content");
    writeFileSync(file, content);
    const container = await host.create(containerProgram(["cat", file]));
    expect((await run(container)).status).toBe(0);
    expect(parseLog(container.log)).toEqual(entries(content));
  });

  test("keeps the order of many short lines", async () => {
    await using host = new Monitored(keel);
    const container = await host.create(containerProgram(["seq", "1", "200000"]));
    await run(container);
    const lines = parseLog(container.log).map((entry) => entry.text);
    expect(lines.length).toBe(200_000);
    expect(lines.every((text, i) => text === String(i + 1))).toBe(true);
  });

  test.each([
    ["exit 0", 0, 0],
    ["exit 255", 255, 0],
    ["exit 143", 143, 0],
  ])("reports the status of %s", async (script, status, signal) => {
    await using host = new Monitored(keel);
    expect(await run(await host.create(containerProgram(shell(script))))).toMatchObject({
      status,
      signal,
      oomKilled: false,
    });
  });

  test("sends signals, its own as well, and reports which one ended the process", async () => {
    await using host = new Monitored(keel);
    const trapping = await host.create(
      containerProgram(
        shell(
          "trap 'echo usr1' USR1; trap 'echo hup' HUP; trap 'exit 7' TERM; echo ready; while :; do sleep 0.02; done",
        ),
      ),
    );
    const trapped = trapping.client.wait();
    await trapping.client.start();
    const text = (): string => readFileSync(trapping.log, "utf8");
    await until(() => text().includes("ready"));
    await trapping.client.kill(10);
    await until(() => text().includes("usr1"));
    process.kill(trapping.monitor, "SIGHUP");
    await until(() => text().includes("hup"));
    process.kill(trapping.monitor, "SIGTERM");
    expect(await trapped).toMatchObject({ status: 7, signal: 0 });

    const killed = await host.create(containerProgram(["sleep", "60"]));
    await killed.client.start();
    await expect(killed.client.kill(4711)).rejects.toMatchObject({ fields: { errno: 22 } });
    await expect(killed.client.kill(15, 1)).rejects.toMatchObject({
      code: "failed-precondition",
      fields: { errno: 3 },
    });
    const ended = killed.client.wait();
    await killed.client.kill(9);
    expect(await ended).toMatchObject({ status: 137, signal: 9 });
    expect(readFileSync(join(killed.directory, "exit"), "utf8")).toMatch(/^137 9 0 /);
  });

  test("attach before start gets all output, then exited", async () => {
    await using host = new Monitored(keel);
    const { client } = await host.create(containerProgram(shell("echo first; echo second >&2; exit 5")));
    const attachment = await client.attach({ stdin: false, output: true });
    const second = await client.attach({ stdin: false, output: true });
    await client.start();
    const expected = [Buffer.from("first\n"), Buffer.from("second\n")];
    expect(await Promise.all([collect(attachment), collect(second)])).toEqual([expected, expected]);
    expect((await attachment.exited).status).toBe(5);
  });

  test("8 MiB go through cat and a slow client unchanged", async () => {
    await using host = new Monitored(keel);
    const { client, monitor } = await host.create(containerProgram(["cat"]), {
      openStdin: true,
      stdinOnce: true,
      log: "",
    });
    const attachment = await client.attach({ stdin: true, output: true });
    await client.start();
    const data = randomBytes(8 << 20);
    const hash = createHash("sha256");
    let received = 0;
    let waits = 0;
    attachment.onOutput((_stream, chunk) => {
      hash.update(chunk);
      received += chunk.length;
      if (Math.floor(received / (1 << 20)) <= waits) return undefined;
      waits += 1;
      return sleep(20);
    });
    let held = 0;
    for (let at = 0; at < data.length; at += 1 << 18) {
      const pending = attachment.write(data.subarray(at, at + (1 << 18)));
      if (pending !== undefined) held += 1;
      await pending;
    }
    attachment.closeInput();
    expect((await attachment.exited).status).toBe(0);
    expect([received, hash.digest("hex")]).toEqual([data.length, sha(data)]);
    expect(held).toBeGreaterThan(0);
    await until(() => !alive(monitor));
  });

  test("a stuck client holds the process up and nobody loses anything", async () => {
    await using host = new Monitored(keel);
    const { client, monitor, log } = await host.create(containerProgram(["seq", "1", "300000"]));
    const stuck = await client.attach({ stdin: false, output: true });
    const other = await client.attach({ stdin: false, output: true });
    const gone = await client.attach({ stdin: false, output: true });
    await client.start();
    const all = collect(other);
    await sleep(300);
    // Held in the monitor: no more than its limit for each client.
    expect(proportionalSize(monitor)).toBeLessThan(2048 * slack);
    expect((await client.status()).state).toBe("running");
    gone.close();
    const [late] = await collect(stuck);
    const [direct] = await all;
    const expected = sha(Buffer.from(Array.from({ length: 300_000 }, (_, i) => `${i + 1}\n`).join("")));
    expect([sha(late), sha(direct)]).toEqual([expected, expected]);
    expect(parseLog(log).length).toBe(300_000);
  });

  test("stdinOnce closes stdin when the client's input ends, or the client goes", async () => {
    await using host = new Monitored(keel);
    for (const end of ["closeInput", "close"] as const) {
      const { client, log } = await host.create(containerProgram(["cat"]), { openStdin: true, stdinOnce: true });
      const attachment = await client.attach({ stdin: true, output: false });
      await client.start();
      void attachment.write(Buffer.from("hello\n"));
      attachment[end]();
      expect((await client.wait()).status).toBe(0);
      expect(parseLog(log).map((entry) => entry.text)).toEqual(["hello"]);
    }
  });

  test("without stdinOnce stdin stays open for the next client", async () => {
    await using host = new Monitored(keel);
    const { client, log } = await host.create(containerProgram(shell("read a; read b; echo $a $b")), {
      openStdin: true,
    });
    const first = await client.attach({ stdin: true, output: false });
    void first.write(Buffer.from("one\n"));
    first.closeInput();
    first.close();
    await client.start();
    const second = await client.attach({ stdin: true, output: false });
    void second.write(Buffer.from("two\n"));
    expect((await client.wait()).status).toBe(0);
    expect(parseLog(log).map((entry) => entry.text)).toEqual(["one two"]);
  });

  test("a terminal takes its size before and after start, and input without end", async () => {
    await using host = new Monitored(keel);
    const { client, log } = await host.create(
      containerProgram(shell("stty size; read line; stty size; echo got $line"), { terminal: true }),
      { terminal: true, openStdin: true },
    );
    await client.resize(81, 25);
    const attachment = await client.attach({ stdin: true, output: true });
    const chunks: Buffer[] = [];
    attachment.onOutput((_stream, data) => void chunks.push(Buffer.from(data)));
    await client.start();
    const text = (): string => Buffer.concat(chunks).toString();
    await until(() => text().includes("25 81"));
    attachment.resize(132, 43);
    attachment.closeInput();
    void attachment.write(Buffer.from("typed\r"));
    expect((await attachment.exited).status).toBe(0);
    expect(text()).toBe("25 81\r\ntyped\r\n43 132\r\ngot typed\r\n");
    expect(parseLog(log)).toEqual(entries(Buffer.from(text())));
  });

  test("a terminal's large output comes whole", async () => {
    await using host = new Monitored(keel);
    const { client } = await host.create(containerProgram(["seq", "1", "100000"], { terminal: true }), {
      terminal: true,
    });
    const attachment = await client.attach({ stdin: false, output: true });
    await client.start();
    const [output] = await collect(attachment);
    expect(sha(output)).toBe(sha(Buffer.from(Array.from({ length: 100_000 }, (_, i) => `${i + 1}\r\n`).join(""))));
  });

  test("outlives serve, and takes clients from a path longer than a socket's", async () => {
    await using host = new Monitored(keel);
    const directory = host.state("d".repeat(120));
    const { client, pid, monitor, log } = await host.create(
      containerProgram(shell("echo up; read line; echo $line; exit 4")),
      { openStdin: true, stdinOnce: true },
      directory,
    );
    await client.start();
    const serve = parentOf(monitor);
    expect(readFileSync(`/proc/${serve}/comm`, "utf8")).toMatch(/^keel/);
    await until(() => existsSync(log) && readFileSync(log, "utf8").includes("up"));
    // Its code is serve's too, and every other monitor's.
    expect(proportionalSize(monitor)).toBeLessThan(512 * slack);
    process.kill(serve, "SIGKILL");
    await until(() => !alive(serve));
    client.close();
    const next = await MonitorClient.connect(directory);
    expect(await next.status()).toEqual({ state: "running", pid, execs: [] });
    const attachment = await next.attach({ stdin: true, output: true });
    void attachment.write(Buffer.from("still here\n"));
    expect((await collect(attachment))[0].toString()).toBe("still here\n");
    expect(await attachment.exited).toMatchObject({ status: 4 });
    expect(parseLog(log).map((entry) => entry.text)).toEqual(["up", "still here"]);
    await until(() => !alive(monitor));
    await expect(MonitorClient.connect(directory)).rejects.toMatchObject({ code: "unavailable" });
  });

  /** A container whose exit command copies the exit file to `command`. */
  const withExitCommand = async (host: Monitored) => {
    const directory = host.state();
    const [made, command] = [join(directory, "made"), join(directory, "command")];
    const container = await host.create(
      containerProgram(["true"]),
      {
        exitProgram: [{ op: "host-directory", path: made, mode: 0o700, uid: 0, gid: 0 }],
        exitCommand: [...shell('cat "$0"/exit > "$1"'), directory, command],
      },
      directory,
    );
    return { container, directory, made, command };
  };

  test("runs the exit program, and the exit command after the exit was noted when nobody was told", async () => {
    await using host = new Monitored(keel);
    const { container, directory, made, command } = await withExitCommand(host);
    await container.client.start();
    container.client.close();
    await until(() => existsSync(command) && statSync(command).size > 0);
    expect(existsSync(made)).toBe(true);
    expect(readFileSync(command, "utf8")).toBe(readFileSync(join(directory, "exit"), "utf8"));
  });

  test("runs the exit program before anybody is told, and then no exit command", async () => {
    await using host = new Monitored(keel);
    const { container, directory, made, command } = await withExitCommand(host);
    await run(container);
    expect([existsSync(made), existsSync(join(directory, "exit"))]).toEqual([true, true]);
    await until(() => !alive(container.monitor));
    expect(existsSync(command)).toBe(false);
  });

  test("a command that can't be executed fails start, and is the container's exit", async () => {
    await using host = new Monitored(keel);
    mkdirSync(join(host.directory, "folder"));
    for (const [command, code, status] of [
      ["/no/such/command", "not-found", 127],
      [join(host.directory, "folder"), "permission-denied", 126],
    ] as const) {
      const program = containerProgram([command]);
      const { client, directory } = await host.create(program);
      const exited = client.wait();
      await expect(client.start(program)).rejects.toMatchObject({ code, fields: { step: program.length } });
      expect(await exited).toMatchObject({ status, signal: 0 });
      expect(readFileSync(join(directory, "exit"), "utf8")).toMatch(new RegExp(`^${status} 0 0 `));
    }
  });

  test("a program that fails leaves no files, and its exit program is run", async () => {
    await using host = new Monitored(keel);
    const directory = host.state();
    const program = containerProgram(["true"], { after: [{ op: "root-directory", path: "/no/such/root" }] });
    await expect(
      host.create(
        program,
        { exitProgram: [{ op: "host-directory", path: join(directory, "made"), mode: 0o700, uid: 0, gid: 0 }] },
        directory,
      ),
    ).rejects.toMatchObject({ code: "not-found", fields: { step: 2, errno: 2, path: "/no/such/root" } });
    expect(readdirSync(directory).sort()).toEqual(["log", "made"]);
    await expect(host.create(program, { log: join(directory, "no/such/log") }, directory)).rejects.toMatchObject({
      code: "not-found",
      fields: { syscall: "open", errno: 2 },
    });
  });

  test("a second start is refused, and a killed container that never started has the kill's status", async () => {
    await using host = new Monitored(keel);
    const running = await host.create(containerProgram(["sleep", "60"]));
    await running.client.start();
    await expect(running.client.start()).rejects.toMatchObject({ code: "failed-precondition", fields: { errno: 114 } });
    const waiting = await host.create(containerProgram(["sleep", "60"]));
    const exited = waiting.client.wait();
    await waiting.client.kill(9);
    expect(await exited).toMatchObject({ status: 137, signal: 9 });
  });

  test("gives up on output that somebody else holds open, after two seconds", async () => {
    await using host = new Monitored(keel);
    const container = await host.create(
      containerProgram(shell("(sleep 0.5; echo late; sleep 4) & echo early"), { namespaces: 0n }),
    );
    const begun = performance.now();
    await run(container);
    const took = performance.now() - begun;
    expect(took).toBeGreaterThan(1900);
    expect(took).toBeLessThan(3500);
    expect(parseLog(container.log).map((entry) => entry.text)).toEqual(["early", "late"]);
  });

  test("a client that never asks and never reads delays nothing", async () => {
    await using host = new Monitored(keel);
    const { client, monitor } = await host.create(containerProgram(["true"]));
    const idle = await MonitorClient.connect(join(host.directory, "0"));
    await idle.status();
    await run({ client });
    await until(() => !alive(monitor), 1000);
    await expect(idle.status()).rejects.toMatchObject({ code: "unavailable" });
  });

  test("wait() can be given up", async () => {
    await using host = new Monitored(keel);
    const { client } = await host.create(containerProgram(["sleep", "60"]));
    await client.start();
    await expect(client.wait({ signal: AbortSignal.timeout(20) })).rejects.toMatchObject({ code: "cancelled" });
    const exited = client.wait();
    await client.kill(9);
    expect((await exited).status).toBe(137);
  });
});
