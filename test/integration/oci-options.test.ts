/** Each option of runc's command line that no other test uses, on a real container. Their list is in src/cli/oci. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LineProcess } from "../support/line-process.ts";
import { OciHost } from "../support/oci-host.ts";

const v1 = existsSync("/sys/fs/cgroup/memory/memory.limit_in_bytes");

let host: OciHost;
beforeAll(async () => {
  host = await OciHost.create();
  const bundle = await host.bundle("options", (c) => (c.process.args = ["sleep", "1000"]));
  await host.mustDetach(["run", "--detach", "--bundle", bundle, "options"]);
});
afterAll(async () => await host[Symbol.asyncDispose]());

const directory = (controller: string): string => `/sys/fs/cgroup/${controller}${host.host.cgroupParent}/options`;
const limits = async (): Promise<Readonly<Record<string, string>>> => {
  const names = ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.soft_limit_in_bytes", "cpu.shares"];
  names.push("cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.cfs_burst_us", "cpu.idle", "cpu.rt_runtime_us");
  names.push("cpuset.cpus", "cpuset.mems", "pids.max", "blkio.throttle.write_bps_device", "devices.list");
  const read = async (name: string): Promise<readonly [string, string]> => {
    const text = await readFile(join(directory(name.split(".")[0] ?? ""), name), "utf8");
    return [name, text.trim()];
  };
  return Object.fromEntries(await Promise.all(names.map(read)));
};

describe("sampan-oci run", () => {
  it("--keep leaves the container, --no-subreaper and --no-new-keyring are taken, --pidfd-socket gets a pidfd", async () => {
    const path = join(host.host.files, "pidfd.sock");
    using receiver = await LineProcess.start("fd-receiver.py", path);
    const bundle = await host.bundle(
      "kept",
      (c) => (c.process.args = ["sh", "-c", "cat /proc/keys | grep -c kept; true"]),
    );
    const flags = ["--keep", "--no-subreaper", "--no-new-keyring", "--pidfd-socket", path];
    const { code, stdout } = await host.oci(["run", ...flags, "--bundle", bundle, "kept"]);
    expect([code, stdout]).toEqual([0, "0\n"]);
    expect(await receiver.next()).toMatchObject({ count: 1, pids: [expect.any(Number)] });
    expect((await host.stateOf("kept")).status).toBe("stopped");
    await host.must(["delete", "kept"]);
  });

  it("--no-pivot moves the root", async () => {
    const bundle = await host.bundle(
      "moved",
      (c) => (c.process.args = ["sh", "-c", "pwd; ls /bin/busybox; ls /var/tmp 2>&1"]),
    );
    const { code, stdout } = await host.oci(["run", "--no-pivot", "--bundle", bundle, "moved"]);
    expect([code, stdout]).toEqual([1, "/\n/bin/busybox\nls: /var/tmp: No such file or directory\n"]);
  });
});

describe("sampan-oci exec", () => {
  it("--no-new-privs, --additional-gids and --cgroup hold for the process, --ignore-paused for a paused container", async () => {
    const group = v1 ? "pids:below" : "below";
    await host.host.must([
      "mkdir",
      v1 ? `${directory("pids")}/below` : `/sys/fs/cgroup${host.host.cgroupParent}/options/below`,
    ]);
    const script = "grep NoNewPrivs /proc/self/status; id -G; grep -c below /proc/self/cgroup";
    const flags = ["--no-new-privs", "--additional-gids", "7", "--additional-gids", "8", "--cgroup", group];
    expect(await host.must(["exec", ...flags, "options", "sh", "-c", script])).toBe("NoNewPrivs:\t1\n0 7 8\n1");
    const escaping = await host.oci(["exec", "--cgroup", "../other", "options", "true"]);
    expect([escaping.code, escaping.stderr]).toEqual([255, expect.stringContaining("../other")]);
    await host.must(["pause", "options"]);
    const late = host.oci(["exec", "--ignore-paused", "options", "echo", "late"]);
    await host.must(["resume", "options"]);
    expect(await late).toMatchObject({ code: 0, stdout: "late\n" });
  });

  it.each([
    ["--apparmor", "profile", /AppArmor/],
    ["--process-label", "label", /SELinux/],
  ])("%s is refused where the host has no such module", async (flag, value, message) => {
    if (existsSync("/sys/kernel/security/apparmor") || existsSync("/sys/fs/selinux/enforce")) return;
    const { code, stderr } = await host.oci(["exec", flag, value, "options", "true"]);
    expect([code, stderr]).toEqual([255, expect.stringMatching(message)]);
  });
});

describe("sampan-oci kill and events", () => {
  it("kill --all is taken, events --interval prints more than once", async () => {
    const bundle = await host.bundle("ended", (c) => (c.process.args = ["sleep", "1000"]));
    await host.mustDetach(["run", "--detach", "--bundle", bundle, "ended"]);
    const events = host.oci(["events", "--interval", "100ms", "ended"]);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await host.must(["kill", "--all", "ended", "KILL"]);
    const lines = (await events).stdout.trim().split("\n");
    expect(lines.length).toBeGreaterThan(1);
    expect(new Set(lines.map((line) => (JSON.parse(line) as { type: string }).type))).toEqual(new Set(["stats"]));
    await host.must(["delete", "--force", "ended"]);
  });
});

describe.runIf(v1)("sampan-oci update", () => {
  it("has an option for each limit of runc's", async () => {
    const flags = {
      ...{ memory: "64m", "memory-swap": "128m", "memory-reservation": "32m", "pids-limit": "77" },
      ...{ "cpu-share": "512", "cpu-period": "50000", "cpu-quota": "20000", "cpu-burst": "10000" },
      ...{ "cpuset-cpus": "0", "cpuset-mems": "0" },
    };
    await host.must(["update", ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]), "options"]);
    expect(await limits()).toMatchObject({
      "memory.limit_in_bytes": "67108864",
      "memory.memsw.limit_in_bytes": "134217728",
      "memory.soft_limit_in_bytes": "33554432",
      "pids.max": "77",
      "cpu.shares": "512",
      "cpu.cfs_period_us": "50000",
      "cpu.cfs_quota_us": "20000",
      "cpu.cfs_burst_us": "10000",
      "cpuset.cpus": "0",
      "cpuset.mems": "0",
    });
    await host.must(["update", "--cpu-idle", "1", "options"]);
    expect((await limits())["cpu.idle"]).toBe("1");
    await host.must(["update", "--cpu-idle", "0", "options"]);
    expect((await limits())["cpu.idle"]).toBe("0");
    for (const [flag, value, message] of [
      ["--l3-cache-schema", "L3:0=f", /resctrl/],
      ["--mem-bw-schema", "MB:0=20", /resctrl/],
    ] as const)
      expect((await host.oci(["update", flag, value, "options"])).stderr).toMatch(message);
    const obsolete = await host.oci(["update", "--kernel-memory", "1m", "--kernel-memory-tcp", "1m", "options"]);
    expect([obsolete.code, obsolete.stderr]).toEqual([
      0,
      expect.stringMatching(/kernel-memory is obsolete[^]*kernel-memory-tcp/),
    ]);
  });

  it("that fails at its last limit leaves all as they were, devices too, and a later one knows nothing of it", async () => {
    await host.must(["update", "--memory", "64m", "--memory-swap", "128m", "--pids-limit", "50", "options"]);
    const before = await limits();
    const resources = {
      devices: [{ allow: true, type: "c", major: 10, minor: 229, access: "rwm" }],
      memory: { limit: 32 << 20, swap: 48 << 20, reservation: 16 << 20 },
      cpu: { shares: 2048, quota: 90_000, period: 100_000, burst: 5000, cpus: "0-1" },
      pids: { limit: 20 },
      // There is no such device.
      blockIO: { throttleWriteBpsDevice: [{ major: 4095, minor: 99, rate: 1000 }] },
    };
    const failed = await host.oci(["update", "--resources", "-", "options"], { input: JSON.stringify(resources) });
    expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining("blkio.throttle.write_bps_device")]);
    expect(await limits()).toEqual(before);
    // What is stored is of the last one that held: swap is still 128 MiB, to which memory may grow.
    await host.must(["update", "--memory", "100m", "options"]);
    expect(await limits()).toEqual({ ...before, "memory.limit_in_bytes": "104857600" });
  });
});
