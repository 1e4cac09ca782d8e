import { describe, expect, it } from "vitest";
import { runInVm, sampanFiles } from "../support/vm.ts";

describe("runInVm()", () => {
  it("runs a command on a machine with cgroup v2 alone, all controllers and the pinned Node", async () => {
    const command = `
      cat /sys/fs/cgroup/cgroup.controllers
      grep cgroup /proc/mounts
      node -p '6*7'
      cat given/file
      echo problem >&2
      exit 3`;
    const { stdout, stderr, code } = await runInVm({ files: { "given/file": "/etc/debian_version" }, command });
    const [controllers = "", mount, ...rest] = stdout.split("\n");
    expect(controllers.split(" ")).toStrictEqual(
      expect.arrayContaining(["cpuset", "cpu", "io", "memory", "pids", "hugetlb"]),
    );
    expect({ mount, rest: rest[0], stderr, code }).toStrictEqual({
      mount: "cgroup2 /sys/fs/cgroup cgroup2 rw,relatime 0 0",
      rest: "42",
      stderr: "problem\n",
      code: 3,
    });
    expect(rest[1]).toMatch(/^\S+$/);
  }, 180_000);

  it("says what the console showed when the command does not end", async () => {
    await expect(
      runInVm({ command: "echo on the console >/dev/console; sleep 1000", timeout: 30_000 }),
    ).rejects.toThrow(/it ran for 30000 ms[^]*on the console/);
  }, 60_000);

  it("runs ./sampan with limits that cgroup v2 then holds", async () => {
    const script = `["memory.max", "pids.max", "cpu.max"].map((name) => fs.readFileSync("/sys/fs/cgroup/" + name, "utf8").trim())`;
    const flags = "--rm --network none --memory 128m --pids-limit 50 --cpus 0.5";
    const command = `./sampan/sampan run ${flags} localhost/node -p '${script}.join()' && find /sys/fs/cgroup/sampan -mindepth 1 -type d`;
    expect(await runInVm({ files: sampanFiles, command, timeout: 280_000 })).toStrictEqual({
      stdout: "134217728,50,50000 100000\n",
      stderr: "",
      code: 0,
    });
  }, 300_000);
});
