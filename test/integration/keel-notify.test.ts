import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { startOrphan } from "#keel";
import type { Operation } from "#plan";
import { checkout } from "../support/checkout.ts";
import { LineProcess } from "../support/line-process.ts";
import { buildKeel, containerProgram, Monitored, parseLog, shell, until } from "../support/monitored.ts";
import { OrphanHost } from "../support/orphans.ts";

beforeAll(buildKeel);

/** System call numbers (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h). */
const calls =
  process.arch === "x64"
    ? { execve: 59, exit_group: 231, getppid: 110, write: 1 }
    : { execve: 221, exit_group: 94, getppid: 173, write: 64 };
const newListener = 8;

/** Filter (linux/filter.h): `allowed` go on, all others notify. */
function notifying(...allowed: readonly number[]): Uint8Array {
  const instructions: [code: number, yes: number, no: number, k: number][] = [
    [0x20, 0, 0, 0], // the number
    ...allowed.map((nr, i) => [0x15, allowed.length - i, 0, nr] as [number, number, number, number]),
    [0x06, 0, 0, 0x7fc0_0000],
    [0x06, 0, 0, 0x7fff_0000],
  ];
  const bytes = Buffer.alloc(instructions.length * 8);
  for (const [i, [code, yes, no, k]] of instructions.entries()) {
    bytes.writeUInt16LE(code, i * 8);
    bytes.writeUInt8(yes, i * 8 + 2);
    bytes.writeUInt8(no, i * 8 + 3);
    bytes.writeUInt32LE(k, i * 8 + 4);
  }
  return bytes;
}

interface Filtered {
  readonly agent: string;
  readonly command: readonly string[];
  readonly filter?: Uint8Array;
  readonly early?: boolean;
  readonly pidfd?: boolean;
  readonly between?: string;
  readonly start?: string;
}

/** With the filter right before exec, or `early`: before `wait-start`, as without no_new_privs. */
function filtered({
  agent,
  command,
  filter,
  early,
  pidfd = false,
  between = "",
  start,
}: Filtered): readonly Operation[] {
  const program = filter ?? notifying(calls.execve, calls.exit_group);
  const seccomp: Operation = { op: "seccomp", program, flags: newListener };
  const listener: Operation = { op: "seccomp-listener", path: agent, before: '{"pid":', between, after: "}", pidfd };
  const whole = containerProgram(command, {
    before: [...(start === undefined ? [] : [{ op: "start-socket", directory: start } as const]), listener],
    after: early === true ? [seccomp] : [],
  });
  if (early === true) return whole;
  return [...whole.slice(0, -1), { op: "no-new-privileges" }, seccomp, ...whole.slice(-1)];
}

describe.each(["keel", "keel-sanitized"])("%s seccomp-listener", (binary) => {
  const keel = join(checkout, "build/native", binary);

  test.each([
    ["right before exec", false],
    ["before wait-start", true],
  ])("gives the agent the listener of a filter that notifies of all calls, %s", async (_, early) => {
    await using host = new Monitored(keel);
    const path = join(host.directory, "agent");
    using agent = await LineProcess.start("seccomp-agent.py", path, "answer", String(calls.getppid), "4242");
    const command = shell("echo $PPID; echo $(ls /proc/self/fd); sleep 1000; exit 3");
    const { pid, client, log } = await host.create(
      filtered({ agent: path, command, early, pidfd: true, between: ',"state":' }),
    );
    const waiting = client.wait();
    await client.start();
    expect(await agent.next()).toEqual({
      text: `{"pid":${pid},"state":${pid}}`,
      kinds: ["anon_inode:seccomp notify", expect.stringMatching(/pidfd/)],
      pids: [String(pid)],
    });
    const children = (): string => readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    await until(() => /sleep/.test(commandOf(children())), 15_000);
    // The last descriptor is that of ls itself.
    expect(parseLog(log).map((entry) => entry.text)).toEqual(["4242", "0 1 2 3"]);
    expect(readdirSync(`/proc/${pid}/task`)).toEqual([String(pid)]);
    process.kill(Number(children()), "SIGKILL");
    expect(await waiting).toMatchObject({ status: 3 });
    expect(await agent.next()).toMatchObject({ seen: expect.arrayContaining([calls.write, calls.getppid]) });
  });

  test("may be far away, and may get one descriptor and one pid", async () => {
    await using host = new OrphanHost(keel);
    const far = join(host.directory, "d".repeat(120), "e".repeat(120));
    mkdirSync(far, { recursive: true });
    const path = join(far, "agent");
    using agent = await LineProcess.start("seccomp-agent.py", path, "answer");
    const state = host.state();
    const program = filtered({ agent: path, command: shell("exit 5"), start: state });
    const orphan = host.create({ program }, state);
    const pid = await orphan.pid();
    await startOrphan(state, program);
    expect(await agent.next()).toEqual({ text: `{"pid":${pid}}`, kinds: ["anon_inode:seccomp notify"], pids: [] });
    expect(await orphan.reaped()).toEqual([{ event: "ended", pid, code: 5 }]);
  });

  test.each(["monitor", "starter"])(
    "a failure of exec reaches the %s, even if the agent answers nothing",
    async (who) => {
      await using host = new OrphanHost(keel);
      await using monitored = new Monitored(keel);
      const path = join(host.directory, "agent");
      using _agent = await LineProcess.start("seccomp-agent.py", path, "mute");
      const state = host.state();
      const options = { agent: path, command: ["/nowhere/command"] };
      const failure = { code: "not-found", fields: { syscall: "execve", errno: 2 } };
      if (who === "monitor") {
        const { client } = await monitored.create(filtered(options));
        await expect(client.start()).rejects.toMatchObject(failure);
        return;
      }
      const program = filtered({ ...options, start: state });
      const orphan = host.create({ program }, state);
      const pid = await orphan.pid();
      await expect(startOrphan(state, program)).rejects.toMatchObject(failure);
      expect(await orphan.reaped()).toEqual([{ event: "ended", pid, code: 1 }]);
    },
  );

  test.each([false, true])(
    "an agent that closes the connection is a failure of start or (early: %s) create",
    async (early) => {
      await using host = new Monitored(keel);
      const path = join(host.directory, "agent");
      using _agent = await LineProcess.start("seccomp-agent.py", path, "refuse");
      const run = async (): Promise<void> => {
        const program = filtered({ agent: path, command: ["true"], early });
        const { client } = await host.create(program);
        await client.start(program);
      };
      await expect(run()).rejects.toMatchObject({
        message: expect.stringMatching(/^Cannot install the (seccomp|system call) filter/),
        fields: { syscall: "sendmsg", errno: 32, path },
      });
    },
  );

  test("an agent that is not there is a failure of create", async () => {
    await using host = new Monitored(keel);
    const agent = join(host.directory, "agent");
    await expect(host.create(filtered({ agent, command: ["true"] }))).rejects.toMatchObject({
      code: "not-found",
      message: `Cannot connect to the seccomp agent "${agent}": no such file or directory`,
      fields: { step: 1, syscall: "connect" },
    });
  });

  test("a filter with a listener needs an agent", async () => {
    await using host = new Monitored(keel);
    const program = filtered({ agent: "", command: ["true"], early: true }).slice(1);
    await expect(host.create(program)).rejects.toMatchObject({ fields: { step: 2, errno: 22 } });
  });

  test("a filter that the kernel refuses is a failure, and nothing stays", async () => {
    await using host = new Monitored(keel);
    const path = join(host.directory, "agent");
    using _agent = await LineProcess.start("seccomp-agent.py", path, "answer");
    const filter = Buffer.from([0xff, 0xff, 0, 0, 0, 0, 0, 0]);
    const program = filtered({ agent: path, command: ["true"], early: true, filter });
    await expect(host.create(program)).rejects.toMatchObject({ fields: { step: 3, syscall: "seccomp", errno: 22 } });
  });
});

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8");
  } catch {
    return "";
  }
}
