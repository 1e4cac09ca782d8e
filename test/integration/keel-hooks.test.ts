import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Operation } from "#plan";
import { checkout } from "../support/checkout.ts";
import { ns } from "../support/keel-box.ts";
import { alive, buildKeel, containerProgram, execProgram, Monitored, until } from "../support/monitored.ts";
import { OrphanHost } from "../support/orphans.ts";

beforeAll(buildKeel);

type Hook = Extract<Operation, { op: "hook" }>;

/** A hook that is a shell's script. */
const hook = (parent: boolean, script: string, more: Partial<Hook> = {}): Hook => ({
  op: "hook",
  parent,
  path: "/bin/sh",
  arguments: ["hook", "-c", script],
  environment: ["ONLY=this"],
  directory: "",
  timeout: 0,
  before: '{"pid":',
  after: ',"status":"created"}',
  ...more,
});

const namespaceOf = (kind: string, pid: number | "self" = "self"): string => readlinkSync(`/proc/${pid}/ns/${kind}`);

describe.each(["keel", "keel-sanitized"])("%s hook", (binary) => {
  const keel = join(checkout, "build/native", binary);

  const withHooks = (...after: Operation[]): readonly Operation[] =>
    containerProgram(["sleep", "1000"], { namespaces: ns.pid | ns.uts, after });

  test.each([true, false])(
    "with parent %s has the state on stdin, and nothing but what it is given",
    async (parent) => {
      await using host = new Monitored(keel);
      const out = (name: string): string => join(host.directory, name);
      const script = [
        `cat > ${out("stdin")}`,
        `tr '\\0' '\\n' < /proc/self/environ > ${out("environ")}`,
        `ls /proc/self/fd > ${out("fds")}`,
        `readlink /proc/self/fd/0 /proc/self/fd/2 > ${out("links")}`,
        `readlink /proc/self/fd/3 3>&1 > ${out("stdout")}`,
        `readlink /proc/self/ns/uts > ${out("uts")}`,
        `{ pwd; umask; echo $0; grep -E 'SigIgn|SigBlk' /proc/self/status; } > ${out("rest")}`,
        "echo to stdout",
        "echo to stderr >&2",
      ].join("\n");
      const long = "x".repeat(200_000);
      const { pid } = await host.create(
        withHooks(hook(parent, script, { directory: "/var", before: `${long}{"pid":`, after: `}${long}` })),
      );
      expect(readFileSync(out("stdin"), "utf8") === `${long}{"pid":${pid}}${long}`).toBe(true);
      // The shell's own.
      expect(readFileSync(out("environ"), "utf8").match(/^(?!PWD=|_=|SHLVL=|OLDPWD=).+$/gm)).toEqual(["ONLY=this"]);
      // The last is that of ls itself.
      expect(readFileSync(out("fds"), "utf8")).toBe("0\n1\n2\n3\n");
      expect(readFileSync(out("links"), "utf8")).toMatch(/^pipe:.*\npipe:.*\n$/);
      expect(readFileSync(out("stdout"), "utf8")).toBe("/dev/null\n");
      expect(readFileSync(out("rest"), "utf8")).toBe(
        "/var\n0022\nhook\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n",
      );
      const uts = readFileSync(out("uts"), "utf8").trim();
      expect(uts).toBe(parent ? namespaceOf("uts") : namespaceOf("uts", pid));
      expect(namespaceOf("uts", pid)).not.toBe(namespaceOf("uts"));
    },
  );

  test.each([true, false])("with parent %s that does not read its stdin is no failure", async (parent) => {
    await using host = new Monitored(keel);
    await host.create(withHooks(hook(parent, "exec <&-; exit 0", { after: "x".repeat(1_000_000) })));
  });

  test.each([
    [true, "echo one >&2; echo the reason >&2; exit 3", "exited with status 3: one the reason"],
    [false, "echo one >&2; echo the reason >&2; exit 3", "exited with status 3: one the reason"],
    [true, "kill -9 $$", "was killed by signal 9"],
    [false, "kill -9 $$", "was killed by signal 9"],
    [true, "exit 1", "exited with status 1"],
    [false, "echo only stdout; exit 1", "exited with status 1"],
  ])("with parent %s that runs %j is a failure of create", async (parent, script, how) => {
    await using host = new Monitored(keel);
    await expect(host.create(withHooks({ op: "session" }, hook(parent, script)))).rejects.toMatchObject({
      code: "failed-precondition",
      message: `Cannot run the hook "/bin/sh": ${how}`,
      fields: { step: 3, errno: 125 },
    });
    expect(readdirSync(host.state("0"))).toEqual(["log"]);
  });

  test.each([true, false])("with parent %s tells the end of a long stderr", async (parent) => {
    await using host = new Monitored(keel);
    const script = "i=0; while [ $i -lt 20000 ]; do echo line ä $i; i=$((i + 1)); done >&2; exit 1";
    const failed = host.create(withHooks(hook(parent, script)));
    await expect(failed).rejects.toMatchObject({ message: expect.stringMatching(/status 1: .{100,}line ä 19999$/) });
    await expect(failed).rejects.toMatchObject({ message: expect.not.stringContaining("\ufffd") });
  });

  test.each([true, false])("with parent %s is killed with its children when it takes too long", async (parent) => {
    await using host = new Monitored(keel);
    const file = join(host.directory, "pids");
    const script = `sleep 1001 & echo $! > ${file}; echo waiting >&2; sleep 1001`;
    const began = performance.now();
    await expect(host.create(withHooks(hook(parent, script, { timeout: 300 })))).rejects.toMatchObject({
      message: 'Cannot run the hook "/bin/sh": did not end within 300 ms: waiting',
    });
    expect(performance.now() - began).toBeLessThan(5000);
    // Of the container's PID namespace there is nothing left anyway.
    if (parent) {
      const child = Number(readFileSync(file, "utf8"));
      await until(() => !alive(child));
    }
  });

  test.each([true, false])("with parent %s that can't be executed is a failure", async (parent) => {
    await using host = new Monitored(keel);
    const missing = withHooks(hook(parent, "", { path: "/nowhere/hook" }));
    await expect(host.create(missing)).rejects.toMatchObject({
      code: "not-found",
      message: 'Cannot run the hook "/nowhere/hook": no such file or directory',
      fields: { step: 2, syscall: "execve" },
    });
  });

  test("by the parent has the host's namespaces even if the program has joined others before clone", async () => {
    await using host = new Monitored(keel);
    const other = await host.create(containerProgram(["sleep", "1000"], { namespaces: ns.pid | ns.net | ns.uts }));
    const file = join(host.directory, "net");
    const { pid } = await host.create(
      containerProgram(["sleep", "1000"], {
        before: [{ op: "join-namespace", kind: ns.net, path: `/proc/${other.pid}/ns/net` }],
        after: [hook(true, `readlink /proc/self/ns/net > ${file}; cat > ${file}.stdin`)],
      }),
    );
    expect(namespaceOf("net", pid)).toBe(namespaceOf("net", other.pid));
    expect(readFileSync(file, "utf8").trim()).toBe(namespaceOf("net"));
    expect(readFileSync(`${file}.stdin`, "utf8")).toBe(`{"pid":${pid},"status":"created"}`);
  });

  test("may leave a process behind, which is not waited for", async () => {
    await using host = new Monitored(keel);
    const file = join(host.directory, "left");
    await host.create(withHooks(hook(true, `sleep 1000 & echo $! > ${file}`)));
    const left = Number(readFileSync(file, "utf8"));
    expect(alive(left)).toBe(true);
    process.kill(left, "SIGKILL");
  });

  test("runs in an exec'd process's program too", async () => {
    await using host = new Monitored(keel);
    const { client } = await host.create(withHooks());
    await client.start();
    const file = join(host.directory, "exec");
    const [join_, clone, ...rest] = execProgram(["true"]);
    const program = [join_, clone, hook(true, `cat > ${file}`), ...rest] as Operation[];
    const session = await client.exec({ program, terminal: false, openStdin: false, output: false });
    await session.exited;
    expect(readFileSync(file, "utf8")).toMatch(/^\{"pid":\d+,"status":"created"\}$/);
  });

  test("leaves nothing to the subreaper of an orphan", async () => {
    await using host = new OrphanHost(keel);
    const state = host.state();
    const orphan = host.create(
      {
        program: containerProgram(["true"], {
          before: [{ op: "start-socket", directory: state }],
          after: [hook(true, "exit 0"), hook(false, "exit 0"), hook(true, "exit 0")],
        }),
      },
      state,
    );
    const { children } = await orphan.created;
    expect(children).toEqual([await orphan.pid()]);
    const failed = host.create({ program: withHooks(hook(true, "sleep 0.1; exit 4")) });
    const { answer, children: left } = await failed.created;
    expect([answer["message"], left]).toEqual(['Cannot run the hook "/bin/sh": exited with status 4', []]);
  });

  test("before clone is refused", async () => {
    await using host = new Monitored(keel);
    await expect(host.create(containerProgram(["true"], { before: [hook(true, "exit 0")] }))).rejects.toMatchObject({
      fields: { step: 1, errno: 22 },
    });
  });
});
