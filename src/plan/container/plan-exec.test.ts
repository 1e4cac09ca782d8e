import { describe, expect, it } from "vitest";
import { brieflySteps } from "../testing/brief.ts";
import { hostV1, hostV2, options, sampleConfig } from "../testing/samples.ts";
import { planContainer } from "./plan-container.ts";
import { planExec } from "./plan-exec.ts";

describe("planExec()", () => {
  it("joins the container, then its v1 cgroups, and never has inheritable capabilities (CVE-2022-29162)", () => {
    const config = sampleConfig();
    const { cgroupPaths } = planContainer(config, hostV1, options);
    const { process } = sampleConfig({
      terminal: true,
      noNewPrivileges: true,
      oomScoreAdj: -5,
      capabilities: { ...config.process?.capabilities, inheritable: ["CAP_CHOWN"], ambient: ["CAP_CHOWN"] },
    });
    if (process === undefined) throw new Error("no process");
    const plan = planExec(process, config, hostV1, cgroupPaths, { keyring: "abc" });
    expect(brieflySteps(plan.steps)).toEqual([
      "write-file path=/proc/self/oom_score_adj data=-5 tolerate=false",
      "join-container namespaces=0x6e020000",
      'clone namespaces=0 cgroup=""',
      "join-cgroup paths=[/sys/fs/cgroup/cpu,cpuacct/sampan/abc /sys/fs/cgroup/memory/sampan/abc /sys/fs/cgroup/devices/sampan/abc /sys/fs/cgroup/pids/sampan/abc /sys/fs/cgroup/cpuset/sampan/abc /sys/fs/cgroup/systemd/sampan/abc] unshare=false",
      "cpu-affinity processors=[]",
      "keyring name=abc",
      "session",
      "root-directory path=/",
      "terminal columns=0 rows=0 console=false",
      "rlimit resource=7 soft=0x400 hard=0x80000",
      "bounding-set keep=0xa80425fb",
      "stdio-owner uid=999 gid=999",
      "user uid=999 gid=999 groups=[1000] umask=022",
      "capabilities effective=0xa80425fb permitted=0xa80425fb inheritable=0 ambient=0",
      "working-directory path=/data",
      "find-executable command=redis-server path=/usr/local/bin:/usr/bin:/bin directory=/data",
      "no-new-privileges",
      "seccomp program=<72 bytes> flags=4",
      'exec arguments=[redis-server --port 6379] environment=["PATH=/usr/local/bin:/usr/bin:/bin" "A=2"] init=false',
    ]);
    expect(plan.warnings).toEqual([]);
  });

  it("is born in the container's cgroup on v2, and becomes root of its user namespace for the set-up", () => {
    const config = sampleConfig(
      {},
      {
        namespaces: ["mount", "pid", "network", "ipc", "uts", "cgroup", "user", "time"].map((type) => ({ type })),
        uidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
        gidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
      },
    );
    const { cgroupPaths } = planContainer(config, hostV2, options);
    if (config.process === undefined) throw new Error("no process");
    expect(brieflySteps(planExec(config.process, config, hostV2, cgroupPaths, {}).steps)).toEqual([
      "join-container namespaces=0x7e020080",
      "clone namespaces=0 cgroup=/sys/fs/cgroup/sampan/abc",
      "cpu-affinity processors=[]",
      "user uid=0 gid=0 groups=[] umask=022",
      "session",
      "rlimit resource=7 soft=0x400 hard=0x80000",
      "bounding-set keep=0xa80425fb",
      "stdio-owner uid=999 gid=999",
      "working-directory path=/data",
      "seccomp program=<72 bytes> flags=4",
      "user uid=999 gid=999 groups=[1000] umask=022",
      "capabilities effective=0xa80425fb permitted=0xa80425fb inheritable=0 ambient=0",
      "find-executable command=redis-server path=/usr/local/bin:/usr/bin:/bin directory=/data",
      'exec arguments=[redis-server --port 6379] environment=["PATH=/usr/local/bin:/usr/bin:/bin" "A=2"] init=false',
    ]);
  });
});
