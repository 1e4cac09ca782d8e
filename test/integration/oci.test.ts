/** `sampan-oci` as an engine or an operator calls it: the life of a container, step by step. */
import { existsSync, readdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OciHost, ociProgram } from "../support/oci-host.ts";
import { Terminal } from "../support/pty.ts";

let host: OciHost;
beforeAll(async () => {
  host = await OciHost.create();
});
afterAll(async () => await host[Symbol.asyncDispose]());

/** Cgroup directories of a container that are left in any hierarchy. */
const cgroupsOf = (name: string): string[] =>
  readdirSync("/sys/fs/cgroup").filter((c) => existsSync(`/sys/fs/cgroup/${c}${host.host.cgroupParent}/${name}`));

describe("sampan-oci", () => {
  it("create, start, kill and delete: the state goes from created to running to stopped, and nothing is left", async () => {
    const bundle = await host.bundle("life", (c) => (c.process.args = ["sleep", "1000"]));
    const pidFile = join(host.host.files, "life.pid");
    await host.mustDetach(["create", "--bundle", bundle, "--pid-file", pidFile, "life"]);
    const created = await host.stateOf("life");
    expect(created).toEqual({
      ociVersion: "1.3.0",
      id: "life",
      pid: Number(await readFile(pidFile, "utf8")),
      status: "created",
      bundle,
      rootfs: host.rootfs,
      created: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      owner: "",
    });
    expect(await host.oci(["exec", "life", "true"])).toMatchObject({ code: 0 });
    await host.must(["start", "life"]);
    expect(await host.stateOf("life")).toMatchObject({ status: "running", pid: created.pid });
    expect(await host.oci(["start", "life"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Cannot start container \\"life\\": it is running') as string,
    });
    expect(await host.oci(["delete", "life"])).toMatchObject({ code: 1 });
    await host.must(["kill", "life", "KILL"]);
    await expect.poll(async () => (await host.stateOf("life")).status).toBe("stopped");
    expect(await host.stateOf("life")).toMatchObject({ pid: 0 });
    expect(await host.oci(["kill", "life", "KILL"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("container not running") as string,
    });
    await host.must(["delete", "life"]);
    expect(await host.oci(["state", "life"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("container does not exist") as string,
    });
    expect(cgroupsOf("life")).toEqual([]);
    expect(existsSync(join(host.state, "life"))).toBe(false);
  });

  it("run passes stdio, environment and exit code, and removes the container", async () => {
    const bundle = await host.bundle("run", (c) => {
      c.process.args = ["sh", "-c", 'read line; echo "got $line $HELLO"; echo err >&2; exit 7'];
      c.process.env.push("HELLO=there");
    });
    const result = await host.oci(["run", "--bundle", bundle, "run"], { input: "word\n" });
    expect(result).toMatchObject({ code: 7, stdout: "got word there\n", stderr: "err\n" });
    expect(await host.must(["list", "-q"])).not.toContain("run");
    expect(cgroupsOf("run")).toEqual([]);
  });

  it("run gives 128 + n when signal n ends the container, and passes signals on", async () => {
    const bundle = await host.bundle("signals", (c) => {
      c.process.args = ["sh", "-c", "trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done"];
    });
    const child = host.host.spawn([ociProgram, "--root", host.state, "run", "--bundle", bundle, "signals"]);
    await new Promise((resolve) => child.stdout.once("data", resolve));
    await host.must(["kill", "signals", "TERM"]);
    expect(await child.exited).toBe(3);
    const killed = await host.bundle("killed", (c) => (c.process.args = ["sh", "-c", "kill -9 $$"]));
    // Signals of a pid namespace's first process to itself are ignored.
    const inner = await host.bundle("inner", (c) => (c.process.args = ["sh", "-c", "sh -c 'kill -9 $$'; exit $?"]));
    expect((await host.oci(["run", "--bundle", inner, "inner"])).code).toBe(137);
    expect(killed).not.toBe("");
  });

  it("run with a terminal shows what is typed, its size, and the exit code", async () => {
    const bundle = await host.bundle("terminal", (c) => {
      c.process.terminal = true;
      c.process.args = ["sh", "-c", "stty size; read x; echo got-$x; exit 5"];
    });
    const terminal = new Terminal(host.host, [ociProgram, "--root", host.state, "run", "--bundle", bundle, "terminal"]);
    await terminal.until(/24 80/);
    terminal.type("word\n");
    await terminal.until(/got-word/);
    expect(await terminal.exited).toBe(5);
  });

  it("run -d leaves the container, exec and ps see it, list tells of it", async () => {
    const bundle = await host.bundle("detached", (c) => (c.process.args = ["sleep", "1000"]));
    await host.mustDetach(["run", "--detach", "--bundle", bundle, "detached"]);
    try {
      expect(
        await host.must(["exec", "--env", "A=1", "--cwd", "/tmp", "detached", "sh", "-c", "pwd; echo $A $PATH"]),
      ).toBe("/tmp\n1 /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
      expect(await host.oci(["exec", "detached", "sh", "-c", "exit 9"])).toMatchObject({ code: 9 });
      expect(await host.must(["exec", "--user", "1:2", "-g", "3", "detached", "id"])).toMatch(
        /^uid=1\S* gid=2\S* groups=(2\S*,)?3/,
      );
      expect(await host.oci(["exec", "detached", "/no/such"])).toMatchObject({ code: 255 });
      const { pid } = await host.stateOf("detached");
      expect(JSON.parse(await host.must(["ps", "--format", "json", "detached"]))).toEqual([pid]);
      expect(await host.must(["ps", "detached"])).toMatch(/PID[^]*sleep 1000/);
      const rows = JSON.parse(await host.must(["list", "--format", "json"])) as { id: string }[];
      expect(rows.find(({ id }) => id === "detached")).toMatchObject({ pid, status: "running", bundle, owner: "root" });
    } finally {
      await host.must(["delete", "--force", "detached"]);
    }
    expect(await host.oci(["delete", "detached"])).toMatchObject({ code: 1 });
    expect(await host.oci(["delete", "--force", "detached"])).toMatchObject({ code: 0 });
  });

  it("exec --process takes a process object, --detach leaves it and writes its pid", async () => {
    const bundle = await host.bundle("process", (c) => (c.process.args = ["sleep", "1000"]));
    await host.mustDetach(["run", "--detach", "--bundle", bundle, "process"]);
    try {
      const file = join(host.host.files, "process.json");
      const pidFile = join(host.host.files, "exec.pid");
      await writeFile(
        file,
        JSON.stringify({ args: ["sleep", "500"], cwd: "/", env: ["PATH=/bin"], user: { uid: 5, gid: 6 } }),
      );
      await host.mustDetach(["exec", "--process", file, "--detach", "--pid-file", pidFile, "process"]);
      const pid = Number(await readFile(pidFile, "utf8"));
      expect(JSON.parse(await host.must(["ps", "--format", "json", "process"]))).toContain(pid);
      expect(await host.must(["ps", "process", "-eo", "pid,uid,args"])).toMatch(/ 5 sleep 500/);
    } finally {
      await host.must(["delete", "--force", "process"]);
    }
  });

  it("exec -t has a terminal", async () => {
    const bundle = await host.bundle("exec-tty", (c) => (c.process.args = ["sleep", "1000"]));
    await host.mustDetach(["run", "--detach", "--bundle", bundle, "exec-tty"]);
    const command = ["exec", "--tty", "exec-tty", "sh", "-c", "tty; exit 4"];
    const terminal = new Terminal(host.host, [ociProgram, "--root", host.state, ...command]);
    await terminal.until(/\/dev\/pts\/\d/);
    expect(await terminal.exited).toBe(4);
    await host.must(["delete", "--force", "exec-tty"]);
  });

  it("hooks of all kinds run in their order, with the state on stdin; a failing one fails its command", async () => {
    const log = join(host.host.files, "hooks.log");
    const hook = (name: string): { path: string; args: string[] } => ({
      path: "/bin/sh",
      args: ["sh", "-c", `printf '%s ' ${name} >> ${log}; cat >> ${log}; echo >> ${log}`],
    });
    const kinds = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"];
    const bundle = await host.bundle(
      "hooks",
      (c) => {
        c.process.args = ["cat", "/tmp/started"];
        c.annotations = { "org.example": "x" };
        c.root.readonly = false;
        c.hooks = Object.fromEntries(kinds.map((k) => [k, [hook(k)]]));
        c.hooks["startContainer"] = [{ path: "/bin/sh", args: ["sh", "-c", "cat > /tmp/started"] }];
      },
      { ownRoot: true },
    );
    const { stdout, code, stderr } = await host.oci(["run", "--bundle", bundle, "hooks"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const base = { ociVersion: "1.3.0", id: "hooks", bundle, annotations: { "org.example": "x" } };
    const pid = expect.any(Number) as number;
    expect(JSON.parse(stdout)).toEqual({ ...base, status: "created", pid });
    const lines = (await readFile(log, "utf8")).trim().split("\n");
    const seen = lines.map((l) => [l.split(" ", 1)[0], JSON.parse(l.slice(l.indexOf(" ")))] as const);
    expect(seen).toEqual([
      ["prestart", { ...base, status: "creating", pid }],
      ["createRuntime", { ...base, status: "creating", pid }],
      ["createContainer", { ...base, status: "creating", pid }],
      ["poststart", { ...base, status: "running", pid }],
      ["poststop", { ...base, status: "stopped" }],
    ]);
    for (const kind of ["createRuntime", "createContainer", "startContainer", "poststart"]) {
      const failing = await host.bundle(`hook-${kind}`, (c) => {
        c.process.args = ["sleep", "1000"];
        c.hooks = { [kind]: [{ path: "/bin/sh", args: ["sh", "-c", "echo no luck >&2; exit 3"] }] };
      });
      const result = await host.detached(["run", "--detach", "--bundle", failing, `hook-${kind}`]);
      expect(result.code, kind).toBe(1);
      expect(result.stderr, kind).toContain("no luck");
      expect(await host.must(["list", "-q"])).not.toContain(`hook-${kind}`);
      expect(cgroupsOf(`hook-${kind}`)).toEqual([]);
    }
  });

  it("a hook that hangs is ended at its timeout", async () => {
    const bundle = await host.bundle("hook-hangs", (c) => {
      c.hooks = { createRuntime: [{ path: "/bin/sleep", args: ["sleep", "1000"], timeout: 1 }] };
    });
    const result = await host.oci(["create", "--bundle", bundle, "hook-hangs"]);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/\/bin\/sleep/);
    expect(cgroupsOf("hook-hangs")).toEqual([]);
  });

  it("--preserve-fds passes descriptors, and no other than these", async () => {
    const bundle = await host.bundle(
      "descriptors",
      (c) => (c.process.args = ["sh", "-c", "cat <&4; ls /proc/self/fd | wc -l"]),
    );
    const script = `exec 3</dev/null 4</etc/hostname 5</etc/passwd; exec "$@"`;
    const command = [ociProgram, "--root", host.state, "run", "--preserve-fds", "2", "--bundle", bundle, "descriptors"];
    const { stdout, code, stderr } = await host.host.run(["bash", "-c", script, "bash", ...command]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    // 0, 1, 2, the two, and the directory that ls reads.
    expect(stdout).toBe(`${await readFile("/etc/hostname", "utf8")}6\n`);
    expect((await host.oci(["run", "--preserve-fds", "200", "--bundle", bundle, "descriptors"])).code).toBe(1);
  });

  it("--log --log-format json has errors as engines read them", async () => {
    const log = join(host.host.files, "oci.log");
    const bundle = await host.bundle("logged", (c) => (c.process.args = ["nosuchcommand"]));
    const result = await host.host.run([
      ...[ociProgram, "--root", host.state, "--log", log, "--log-format", "json", "--debug"],
      ...["create", "--bundle", bundle, "logged"],
    ]);
    expect(result.code).toBe(1);
    const lines = (await readFile(log, "utf8"))
      .trim()
      .split("\n")
      .map((l) => JSON.parse(l) as { level: string; msg: string });
    expect(lines.at(-1)).toMatchObject({
      level: "error",
      msg: expect.stringContaining("executable file not found in $PATH") as string,
      time: expect.stringMatching(/Z$/) as string,
    });
  });

  it("pause stops all, exec refuses then, kill ends a paused one; update changes limits and remembers them", async () => {
    const bundle = await host.bundle("limits", (c) => (c.process.args = ["sleep", "1000"]));
    await host.mustDetach(["run", "--detach", "--bundle", bundle, "limits"]);
    await host.must(["update", "--memory", "64m", "--pids-limit", "50", "limits"]);
    const read = async (file: string): Promise<string> =>
      (await readFile(`/sys/fs/cgroup/${file.replace("/", `${host.host.cgroupParent}/limits/`)}`, "utf8")).trim();
    expect([await read("memory/memory.limit_in_bytes"), await read("pids/pids.max")]).toEqual(["67108864", "50"]);
    // Swap's limit counts memory too, and could not be below it.
    await host.must(["update", "--resources", "-", "limits"], { input: '{"memory": {"limit": 134217728}}' });
    expect(await read("memory/memory.limit_in_bytes")).toBe("134217728");
    const stats = JSON.parse(await host.must(["events", "--stats", "limits"])) as { data: { pids: unknown } };
    expect(stats).toMatchObject({ type: "stats", id: "limits", data: { pids: { current: 1, limit: 50 } } });
    await host.must(["pause", "limits"]);
    expect((await host.stateOf("limits")).status).toBe("paused");
    expect((await host.oci(["exec", "limits", "true"])).stderr).toContain("it is paused");
    await host.must(["resume", "limits"]);
    expect((await host.stateOf("limits")).status).toBe("running");
    await host.must(["pause", "limits"]);
    await host.must(["kill", "limits", "KILL"]);
    await expect.poll(async () => (await host.stateOf("limits")).status).toBe("stopped");
    await host.must(["delete", "limits"]);
    expect(cgroupsOf("limits")).toEqual([]);
  });

  it("mounts add and remove change what a running container sees", async () => {
    const bundle = await host.bundle("mounts", (c) => (c.process.args = ["sleep", "1000"]), { ownRoot: true });
    await host.mustDetach(["run", "--detach", "--bundle", bundle, "mounts"]);
    try {
      await host.host.must(["sh", "-c", `mkdir ${host.host.files}/given; echo here > ${host.host.files}/given/file`]);
      const bind = { destination: "/tmp", type: "bind", source: `${host.host.files}/given`, options: ["bind", "ro"] };
      await host.must(["mounts", "add", "mounts", "-"], { input: JSON.stringify([bind]) });
      expect(await host.must(["exec", "mounts", "cat", "/tmp/file"])).toBe("here");
      await host.must(["mounts", "remove", "mounts", "-"], { input: JSON.stringify([bind]) });
      expect((await host.oci(["exec", "mounts", "cat", "/tmp/file"])).code).toBe(1);
      const missing = { ...bind, source: "/no/such" };
      const { code, stderr } = await host.oci(["mounts", "add", "mounts", "-"], { input: JSON.stringify([missing]) });
      expect(code).toBe(1);
      expect(stderr).toContain("mounts[0] of the config");
    } finally {
      await host.must(["delete", "--force", "mounts"]);
    }
  });

  it("two creates of one id race: one wins, the other says so", async () => {
    const bundle = await host.bundle("race", (c) => (c.process.args = ["sleep", "1000"]));
    const results = await Promise.all(
      [1, 2, 3, 4].map(async () => await host.detached(["create", "--bundle", bundle, "race"])),
    );
    expect(results.map(({ code }) => code).toSorted((a, b) => a - b)).toEqual([0, 1, 1, 1]);
    for (const { stderr } of results.filter(({ code }) => code !== 0)) expect(stderr).toContain("already exists");
    expect((await host.stateOf("race")).status).toBe("created");
    await host.must(["delete", "--force", "race"]);
    expect(cgroupsOf("race")).toEqual([]);
  });
});
