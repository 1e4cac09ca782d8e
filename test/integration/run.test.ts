/** `sampan run`: what keeps a container apart from the host, seen from inside and outside. */
import { readFile, readdir, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { syscallAbis } from "../../src/plan/seccomp/syscalls.ts";
import { LineProcess } from "../support/line-process.ts";
import { StockedHost } from "../support/stocked-host.ts";

let stocked: StockedHost;
beforeAll(async () => (stocked = await StockedHost.create(["busybox"])));
afterAll(async () => await stocked[Symbol.asyncDispose]());

/** `Name: value` lines of /proc/self/status that begin with one of the names. */
const status = async (flags: readonly string[], names: string): Promise<string> =>
  (await stocked.mustShell(flags, `grep -E '^(${names}):' /proc/self/status`)).replaceAll(/:\s+/g, " ");

/** Pid of a container's first process as the test process sees it. */
async function outerPid(name: string): Promise<number> {
  const { State } = await stocked.inspect(name);
  for (const entry of await readdir("/proc")) {
    const text = await readFile(`/proc/${entry}/status`, "utf8").catch(() => "");
    const pids = /^NSpid:\t(.*)$/m.exec(text)?.[1]?.split("\t") ?? [];
    const own = await readlink(`/proc/${entry}/ns/pid`).catch(() => "");
    if (pids.at(-1) === "1" && pids.at(-2) === String(State.Pid) && own !== "") return Number(entry);
  }
  throw new Error(`Cannot find the process of "${name}"`);
}

describe("namespaces", () => {
  it("run makes a pid, mount, network, ipc, uts and cgroup namespace, and shares user and time", async () => {
    await stocked.must(["run", "-d", "--name", "apart", stocked.image("busybox"), "sleep", "1000"]);
    const pid = await outerPid("apart");
    const differs = await Promise.all(
      ["pid", "mnt", "net", "ipc", "uts", "cgroup", "user", "time"].map(async (name) => {
        const own = await readlink(`/proc/${pid}/ns/${name}`);
        const host = await readlink(`/proc/${stocked.host.initPid}/ns/${name}`);
        return [name, own !== host];
      }),
    );
    expect(Object.fromEntries(differs)).toStrictEqual({
      pid: true,
      mnt: true,
      net: true,
      ipc: true,
      uts: true,
      cgroup: true,
      user: false,
      time: false,
    });
    const seen = await stocked.must(["exec", "apart", "sh", "-c", "readlink /proc/1/ns/net; cat /proc/self/cgroup"]);
    const [net = "", ...cgroups] = seen.split("\n");
    expect(net).toBe(await readlink(`/proc/${pid}/ns/net`));
    expect(cgroups.every((line) => line.endsWith(":/"))).toBe(true);
    const outside = (await readFile(`/proc/${pid}/cgroup`, "utf8")).trimEnd().split("\n");
    const { Id } = await stocked.inspect("apart");
    const joined = outside.filter((line) => line.endsWith(`${stocked.host.cgroupParent}/${Id}`));
    expect(joined.map((line) => line.split(":")[1])).toEqual(expect.arrayContaining(["memory", "pids", "devices"]));
    await stocked.must(["rm", "-f", "apart"]);
  });

  it("run with --network none shows a loopback interface that is up, and nothing else", async () => {
    const script = "ls /sys/class/net; ip -o addr show lo | grep -o 'inet 127[^ ]*'; wc -l < /proc/net/route";
    expect(await stocked.mustShell(["--network", "none"], script)).toBe("lo\ninet 127.0.0.1/8\n1");
  });

  it("run starts as pid 1, alone, and does not see the host's processes or hostname", async () => {
    const script = "echo $$; ls -d /proc/[0-9]*; hostname | wc -c; cat /etc/hostname | wc -c";
    expect(await stocked.mustShell([], script)).toBe("1\n/proc/1\n13\n13");
  });

  it("run cannot see files of the host, by its root, by .. or by /proc/1/root", async () => {
    await writeFile(join(stocked.host.files, "secret"), "of the host");
    const path = join(stocked.host.files, "secret");
    const script = `for p in / /../../../.. /proc/1/root/../..; do test -e $p${path} && echo "seen at $p"; done; echo end`;
    expect(await stocked.mustShell([], script)).toBe("end");
  });
});

describe("privileges", () => {
  it("run gives exactly Docker's 14 capabilities to root, none inheritable or ambient", async () => {
    expect(await status([], "Cap.*")).toBe(
      "CapInh 0000000000000000\nCapPrm 00000000a80425fb\nCapEff 00000000a80425fb\nCapBnd 00000000a80425fb\nCapAmb 0000000000000000",
    );
  });

  it("run gives a user without root none but the bounding set", async () => {
    expect(await status(["-u", "app"], "Cap.*")).toBe(
      "CapInh 0000000000000000\nCapPrm 0000000000000000\nCapEff 0000000000000000\nCapBnd 00000000a80425fb\nCapAmb 0000000000000000",
    );
  });

  it("run --cap-add and --cap-drop change them, with and without CAP_, ALL first", async () => {
    const bounding = async (...flags: string[]): Promise<string> => await status(flags, "CapBnd|CapEff");
    expect(await bounding("--cap-drop", "ALL")).toBe("CapEff 0000000000000000\nCapBnd 0000000000000000");
    expect(await bounding("--cap-drop", "ALL", "--cap-add", "net_admin")).toBe(
      "CapEff 0000000000001000\nCapBnd 0000000000001000",
    );
    expect(await bounding("--cap-add", "CAP_SYS_TIME", "--cap-drop", "chown")).toBe(
      "CapEff 00000000aa0425fa\nCapBnd 00000000aa0425fa",
    );
    const own = /^CapBnd:\t(\w+)$/m.exec(await readFile(`/proc/${stocked.host.initPid}/status`, "utf8"))?.[1];
    expect(await bounding("--cap-add", "ALL")).toBe(`CapEff ${own}\nCapBnd ${own}`);
  });

  it("run without CHOWN cannot chown; with it, it can", async () => {
    expect((await stocked.shell(["--cap-drop", "CHOWN"], "chown 1 /tmp")).stderr).toContain("Operation not permitted");
    expect(await stocked.mustShell([], "chown 1 /tmp && stat -c %u /tmp")).toBe("1");
  });

  it("run installs the system call filter, and no_new_privs when asked for", async () => {
    expect(await status([], "Seccomp|NoNewPrivs")).toBe("NoNewPrivs 0\nSeccomp 2");
    expect(await status(["--security-opt", "no-new-privileges"], "Seccomp|NoNewPrivs")).toBe("NoNewPrivs 1\nSeccomp 2");
    expect(await status(["--security-opt", "seccomp=unconfined"], "Seccomp|NoNewPrivs")).toBe(
      "NoNewPrivs 0\nSeccomp 0",
    );
  });

  it("run forbids mounts, new namespaces (a user namespace too, which needs no capability) and clock settings", async () => {
    const script = "unshare -m true; unshare -U true; mount -t tmpfs none /tmp; date -s 2020-01-01 > /dev/null; true";
    const { stderr } = await stocked.shell([], script);
    expect(stderr.trimEnd().split("\n")).toStrictEqual([
      expect.stringMatching(/^unshare: .*Operation not permitted$/),
      expect.stringMatching(/^unshare: .*Operation not permitted$/),
      expect.stringMatching(/^mount: .*(permission denied|Operation not permitted)/),
      expect.stringMatching(/^date: can't set date: Operation not permitted$/),
    ]);
  });

  it("run --security-opt seccomp=FILE installs that profile: the named call fails, others don't", async () => {
    const profile = join(stocked.host.files, "profile.json");
    const rule = { names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 38 };
    await writeFile(profile, JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", syscalls: [rule] }));
    const { stdout, stderr } = await stocked.shell(
      ["--security-opt", `seccomp=${profile}`],
      "mkdir /x; touch /y && echo ok",
    );
    expect({ stdout, stderr }).toStrictEqual({
      stdout: "ok\n",
      stderr: "mkdir: can't create directory '/x': Function not implemented\n",
    });
  });

  it("run and exec with a profile that notifies let its agent decide, who is told of the container", async () => {
    const path = join(stocked.host.files, "agent.sock");
    const profile = join(stocked.host.files, "notify.json");
    const rule = { names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY" };
    const listener = { listenerPath: path, listenerMetadata: "mkdir=no" };
    await writeFile(profile, JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", ...listener, syscalls: [rule] }));
    const abi = process.arch === "arm64" ? syscallAbis.SCMP_ARCH_AARCH64 : syscallAbis.SCMP_ARCH_X86_64;
    const mkdir = abi.numbers().get("mkdir") ?? abi.numbers().get("mkdirat") ?? -1;
    const enomedium = 123;
    const agent = async (): Promise<LineProcess> =>
      await LineProcess.start("seccomp-agent.py", path, "answer", String(mkdir), String(-enomedium));
    const flags = ["--name", "agent", "--security-opt", `seccomp=${profile}`];
    const image = stocked.image("busybox");

    const without = await stocked.host.sampan(["run", "--rm", ...flags, image, "true"]);
    expect([without.code, without.stderr]).toEqual([125, expect.stringContaining("connect to the seccomp agent")]);
    using first = await agent();
    await stocked.must(["run", "-d", ...flags, image, "sh", "-c", "mkdir /x; sleep 1000"]);
    const { Id, State } = await stocked.inspect("agent");
    const { text } = (await first.next()) as { text: string };
    expect(JSON.parse(text)).toEqual({
      ociVersion: "1.3.0",
      fds: ["seccompFd"],
      pid: State.Pid,
      metadata: "mkdir=no",
      state: {
        ociVersion: "1.3.0",
        id: Id,
        status: "creating",
        pid: State.Pid,
        bundle: join(stocked.host.state, "containers", Id),
      },
    });
    await expect.poll(async () => (await stocked.host.sampan(["logs", "agent"])).stderr).toContain("No medium found");
    await stocked.host.must(["rm", path]);
    using second = await agent();
    const exec = await stocked.host.sampan(["exec", "agent", "mkdir", "/y"]);
    expect([exec.code, exec.stderr]).toEqual([1, expect.stringContaining("No medium found")]);
    const told = JSON.parse(((await second.next()) as { text: string }).text) as { pid: number; state: object };
    expect(told.state).toMatchObject({ id: Id, status: "running", pid: State.Pid });
    expect(told.pid).not.toBe(State.Pid);
    await stocked.must(["rm", "-f", "agent"]);
  });

  it("run --privileged has the host's capabilities and devices, no filter, and writes where others can't", async () => {
    const script = `grep -E '^(CapEff|Seccomp):' /proc/self/status; mkdir /m && mount -t tmpfs none /m && echo mounted
      test -c /dev/kmsg && : < /dev/fuse && echo devices
      cat /proc/sys/kernel/domainname > /proc/sys/kernel/domainname && echo writable
      cat /sys/fs/cgroup/devices/devices.list 2> /dev/null`;
    const own = /^CapBnd:\t(\w+)$/m.exec(await readFile(`/proc/${stocked.host.initPid}/status`, "utf8"))?.[1];
    const lines = (await stocked.mustShell(["--privileged"], script)).split("\n");
    expect(lines).toStrictEqual([`CapEff:\t${own}`, "Seccomp:\t0", "mounted", "devices", "writable", "a *:* rwm"]);
  });
});

describe("kernel files and devices", () => {
  it("run hides masked paths and makes others read-only", async () => {
    const script = `for p in acpi keys kcore latency_stats timer_list sched_debug scsi interrupts; do
        if test -f /proc/$p; then cat /proc/$p; elif test -d /proc/$p; then ls -A /proc/$p; fi; done
      ls -A /sys/firmware
      for p in /proc/sys/kernel/hostname /proc/irq/default_smp_affinity /proc/sysrq-trigger /proc/bus/x /sys/kernel/mm/ksm/run; do
        test ! -e $(dirname $p) || (echo 1 > $p) 2>&1; done`;
    const lines = (await stocked.shell([], script)).stdout.trimEnd().split("\n");
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.filter((line) => !/Read-only file system|nonexistent directory/.test(line))).toStrictEqual([]);
    expect(lines.filter((line) => line.includes("/proc/sys/kernel/hostname: Read-only file system"))).toHaveLength(1);
  });

  it("run has the default devices only", async () => {
    expect(
      await stocked.mustShell([], "cd /dev; find . -type c -o -type b | sort; find . -type l | sort; ls pts shm"),
    ).toBe(
      "./full\n./null\n./pts/ptmx\n./random\n./tty\n./urandom\n./zero\n./core\n./fd\n./ptmx\n./stderr\n./stdin\n./stdout\npts:\nptmx\n\nshm:",
    );
  });

  it("run may make a device file but not open one that is not allowed", async () => {
    const script = `mknod /dev/kmsg c 1 11 && cat /dev/kmsg; mknod /tmp/fuse c 10 229 && cat /tmp/fuse
      mknod /tmp/null c 1 3 && echo x > /tmp/null && echo ok`;
    const { stdout, stderr } = await stocked.shell([], script);
    expect({ stdout, stderr }).toStrictEqual({
      stdout: "ok\n",
      stderr:
        "cat: can't open '/dev/kmsg': Operation not permitted\ncat: can't open '/tmp/fuse': Operation not permitted\n",
    });
  });

  it("run --device gives one device, under another name and with fewer rights if asked", async () => {
    expect(await stocked.mustShell(["--device", "/dev/fuse"], ": <> /dev/fuse && stat -c '%t:%T' /dev/fuse")).toBe(
      "a:e5",
    );
    const { stdout, stderr } = await stocked.shell(
      ["--device", "/dev/fuse:/dev/other/name:r"],
      ": < /dev/other/name && echo read; test -e /dev/fuse || echo none; : > /dev/other/name",
    );
    expect(stdout).toBe("read\nnone\n");
    expect(stderr).toContain("/dev/other/name: Operation not permitted");
  });

  it("run passes on no descriptor but 0, 1 and 2", async () => {
    const argv = ["sh", "-c", 'exec 7</etc/passwd 9>&1; exec "$@"', "sh"];
    const run = ["run", "--rm", "-i", stocked.image("busybox"), "sh", "-c", "ls /proc/$$/fd; true"];
    const program = join(import.meta.dirname, "../../sampan");
    expect(await stocked.host.must([...argv, program, ...run], { input: "" })).toBe("0\n1\n2");
  });

  it("run leaves nothing behind of a container that has been removed", async () => {
    expect(await stocked.containers()).toStrictEqual([]);
  });
});
