/** `sampan run`: limits, seen in the container's own cgroups and felt by its processes. */
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { StockedHost } from "../support/stocked-host.ts";

let stocked: StockedHost;
beforeAll(async () => (stocked = await StockedHost.create(["busybox"])));
afterAll(async () => await stocked[Symbol.asyncDispose]());

/** Values of files of the container's own cgroup v1 directories, `controller/file`. */
const cgroup = async (flags: readonly string[], ...files: readonly string[]): Promise<readonly string[]> =>
  (await stocked.mustShell(flags, `cd /sys/fs/cgroup && cat ${files.join(" ")}`)).split("\n");

const megabyte = 2 ** 20;

describe("memory", () => {
  it("run --memory limits memory, and memory with swap to twice that", async () => {
    const files = ["memory/memory.limit_in_bytes", "memory/memory.memsw.limit_in_bytes"];
    expect(await cgroup(["--memory", "32m"], ...files)).toStrictEqual([`${32 * megabyte}`, `${64 * megabyte}`]);
    expect(await cgroup(["-m", "32m", "--memory-swap", "40m"], ...files)).toStrictEqual([
      `${32 * megabyte}`,
      `${40 * megabyte}`,
    ]);
    const unlimited = "9223372036854771712";
    expect(await cgroup(["-m", "1g", "--memory-swap", "-1"], ...files)).toStrictEqual([`${2 ** 30}`, unlimited]);
    expect(await cgroup([], ...files)).toStrictEqual([unlimited, unlimited]);
  });

  it("run --memory-reservation sets the soft limit", async () => {
    const soft = "memory/memory.soft_limit_in_bytes";
    expect(await cgroup(["--memory", "32m", "--memory-reservation", "16m"], soft)).toStrictEqual([`${16 * megabyte}`]);
  });

  it("a process over --memory is killed: exit code 137, and inspect says why", async () => {
    const run = ["run", "--name", "greedy", "--memory", "16m", "--memory-swap", "16m", stocked.image("busybox")];
    const { code, stderr } = await stocked.host.sampan([...run, "tail", "/dev/zero"]);
    expect({ code, stderr }).toStrictEqual({ code: 137, stderr: "" });
    expect((await stocked.inspect("greedy")).State).toMatchObject({ Status: "exited", OOMKilled: true, ExitCode: 137 });
    await stocked.must(["rm", "greedy"]);
  });

  it("a container that ends by another SIGKILL was not out of memory", async () => {
    await stocked.must(["run", "-d", "--name", "modest", "--memory", "16m", stocked.image("busybox"), "sleep", "1000"]);
    await stocked.must(["kill", "modest"]);
    expect(await stocked.must(["wait", "modest"])).toBe("137");
    expect((await stocked.inspect("modest")).State).toMatchObject({ OOMKilled: false, ExitCode: 137 });
    await stocked.must(["rm", "modest"]);
  });
});

describe("processors", () => {
  it("run --cpus sets the quota, and holds a busy loop to it", async () => {
    const files = ["cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"];
    expect(await cgroup(["--cpus", "0.25"], ...files)).toStrictEqual(["25000", "100000"]);
    expect(await cgroup([], files[0] ?? "")).toStrictEqual(["-1"]);
    const script = "timeout 1 sh -c 'while :; do :; done'; grep nr_throttled /sys/fs/cgroup/cpu/cpu.stat";
    const throttled = Number((await stocked.mustShell(["--cpus", "0.1"], script)).split(" ")[1]);
    expect(throttled).toBeGreaterThan(3);
  });

  it("run --cpu-shares and --cpuset-cpus set weight and processors", async () => {
    expect(await cgroup(["--cpu-shares", "512"], "cpu/cpu.shares")).toStrictEqual(["512"]);
    const last = String(availableParallelism() - 1);
    expect(await cgroup(["--cpuset-cpus", last], "cpuset/cpuset.cpus")).toStrictEqual([last]);
    const allowed = "sed -n 's/^Cpus_allowed_list:\\t//p' /proc/self/status";
    expect(await stocked.mustShell(["--cpuset-cpus", last], allowed)).toBe(last);
  });
});

describe("processes and resources", () => {
  it("run --pids-limit makes fork fail", async () => {
    expect(await cgroup(["--pids-limit", "9"], "pids/pids.max")).toStrictEqual(["9"]);
    const { code, stderr } = await stocked.shell(
      ["--pids-limit", "6"],
      "for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; echo not reached",
    );
    expect({ code, stderr }).toStrictEqual({
      code: 2,
      stderr: "sh: can't fork: Resource temporarily unavailable\n",
    });
    expect(await cgroup(["--pids-limit", "-1"], "pids/pids.max")).toStrictEqual(["max"]);
  });

  it("run --ulimit sets soft and hard limits", async () => {
    const flags = ["--ulimit", "nofile=100:200", "--ulimit", "core=0", "--ulimit", "fsize=1000000"];
    expect(await stocked.mustShell(flags, "ulimit -n; ulimit -Hn; ulimit -c; ulimit -Hc")).toBe("100\n200\n0\n0");
    expect((await stocked.shell(flags, "dd if=/dev/zero of=/big bs=1000 count=2000")).stderr).toContain(
      "File too large",
    );
  });

  it("run --sysctl sets parameters of the container's namespaces only", async () => {
    const names = ["net/core/somaxconn", "net/ipv4/ip_forward", "kernel/shmmax", "kernel/msgmax"];
    const host = async (): Promise<readonly string[]> =>
      await Promise.all(
        names.map(async (name) => (await stocked.host.must(["cat", `/proc/sys/${name}`])).replace(/\s+$/, "")),
      );
    const before = await host();
    const flags = ["net.core.somaxconn=77", "net.ipv4.ip_forward=1", "kernel.shmmax=12345", "kernel.msgmax=4321"];
    const script = `cd /proc/sys; cat ${names.join(" ")}`;
    expect(
      await stocked.mustShell(
        flags.flatMap((flag) => ["--sysctl", flag]),
        script,
      ),
    ).toBe("77\n1\n12345\n4321");
    expect(await host()).toStrictEqual(before);
    expect(before).not.toContain("77");
  });

  it("run --shm-size sizes /dev/shm, 64 MB without it", async () => {
    const size = "df -k /dev/shm | awk 'NR==2 { print $2 }'";
    expect(await stocked.mustShell([], size)).toBe("65536");
    expect(await stocked.mustShell(["--shm-size", "2m"], size)).toBe("2048");
    const { stderr } = await stocked.shell(["--shm-size", "1m"], "dd if=/dev/zero of=/dev/shm/x bs=1M count=2");
    expect(stderr).toContain("No space left on device");
  });

  it("exec runs in the same cgroups", async () => {
    await stocked.must([
      "run",
      "-d",
      "--name",
      "limited",
      "--pids-limit",
      "5",
      stocked.image("busybox"),
      "sleep",
      "99",
    ]);
    const { Id } = await stocked.inspect("limited");
    const inside = ["sh", "-c", "for i in 1 2 3 4 5; do sleep 1 & done; echo not reached"];
    const { stdout, stderr } = await stocked.host.sampan(["exec", "limited", ...inside]);
    expect({ stdout, stderr }).toStrictEqual({
      stdout: "",
      stderr: "sh: can't fork: Resource temporarily unavailable\n",
    });
    const pids = `/sys/fs/cgroup/pids${stocked.host.cgroupParent}/${Id}/cgroup.procs`;
    expect((await readFile(pids, "utf8")).trim().split("\n").length).toBeGreaterThan(0);
    await stocked.must(["rm", "-f", "limited"]);
  });
});
