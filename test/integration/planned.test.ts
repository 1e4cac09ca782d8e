/** Planned containers, run by keel with a busybox root: what the planner says must be what the kernel does. */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, readlinkSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { probeHost } from "#host";
import { keelPath } from "#keel";
import {
  defaultCapabilities,
  defaultMaskedPaths,
  defaultMounts,
  defaultNamespaces,
  defaultReadonlyPaths,
  defaultSeccompProfile,
  operationsOf,
  planContainer,
  planExec,
  type HostFacts,
  type Plan,
} from "#plan";
import { parseRuntimeConfig, type RuntimeConfig } from "#spec";
import { buildKeel, Monitored, parseLog } from "../support/monitored.ts";

let host: HostFacts;
let monitored: Monitored;
let root = "";

beforeAll(() => {
  buildKeel();
  host = probeHost();
});

beforeEach(() => {
  monitored = new Monitored(keelPath());
  root = join(monitored.directory, "root");
  // Root of a user namespace is an ordinary user on the way to its root directory.
  chmodSync(monitored.directory, 0o711);
  for (const name of ["bin", "proc", "sys", "dev", "tmp"]) mkdirSync(join(root, name), { recursive: true });
  copyFileSync("/bin/busybox", join(root, "bin/busybox"));
  for (const name of [
    "sh",
    "cat",
    "id",
    "grep",
    "stat",
    "cut",
    "tty",
    "mount",
    "mknod",
    "hostname",
    "readlink",
    "ls",
    "stty",
    "sleep",
  ])
    symlinkSync("busybox", join(root, "bin", name));
});

afterEach(() => monitored[Symbol.asyncDispose]());

function configOf(script: string, process: object = {}, linux: object = {}, rest: object = {}): RuntimeConfig {
  const sets = { bounding: defaultCapabilities, effective: defaultCapabilities, permitted: defaultCapabilities };
  const parsed = parseRuntimeConfig({
    ociVersion: "1.3.0",
    hostname: "planned",
    mounts: defaultMounts(),
    process: { args: ["sh", "-c", script], env: ["PATH=/bin"], cwd: "/", capabilities: sets, ...process },
    linux: {
      namespaces: defaultNamespaces,
      maskedPaths: defaultMaskedPaths(host),
      readonlyPaths: defaultReadonlyPaths,
      ...linux,
    },
    ...rest,
  });
  const seccomp = defaultSeccompProfile({
    capabilities: defaultCapabilities,
    architecture: host.architecture,
    kernel: host.kernel,
  });
  return { ...parsed, linux: { ...parsed.linux, seccomp } };
}

const planOf = (config: RuntimeConfig): Plan =>
  planContainer(config, host, {
    root: { kind: "bind", path: root },
    cgroupPath: "/sampan/planned-test",
    keyring: "planned",
  });

/** Runs to the end; returns the lines of its output and its exit status. */
async function run(config: RuntimeConfig): Promise<{ readonly lines: readonly string[]; readonly status: number }> {
  const plan = planOf(config);
  const created = await monitored.create(operationsOf(plan), {
    terminal: config.process?.terminal ?? false,
    exitProgram: plan.exit,
    oomFile: plan.oomFile,
  });
  const ended = created.client.wait();
  await created.client.start();
  const { status } = await ended;
  return { lines: parseLog(created.log).map(({ text }) => text.replace(/\r$/, "")), status };
}

const users = {
  namespaces: [...defaultNamespaces, { type: "user" }, { type: "time" }],
  uidMappings: [{ containerID: 0, hostID: 100_000, size: 65_536 }],
  gidMappings: [{ containerID: 0, hostID: 100_000, size: 65_536 }],
  timeOffsets: { boottime: { secs: 100_000_000 } },
};

describe("planContainer()", () => {
  it("gives the default container its capabilities, filter, devices and name, and nothing more", async () => {
    const script = `grep -E '^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp|Groups):' /proc/self/status
      hostname; ls /dev; mknod /tmp/sda b 8 0; cat /tmp/sda; mount -t tmpfs x /tmp; echo x > /proc/sys/kernel/hostname`;
    expect(await run(configOf(`${script} 2>&1`))).toEqual({
      lines: [
        "Groups:\t ",
        "CapInh:\t0000000000000000",
        "CapPrm:\t00000000a80425fb",
        "CapEff:\t00000000a80425fb",
        "CapBnd:\t00000000a80425fb",
        "CapAmb:\t0000000000000000",
        "NoNewPrivs:\t0",
        "Seccomp:\t2",
        "planned",
        ..."core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero".split(" "),
        "cat: can't open '/tmp/sda': Operation not permitted",
        "mount: permission denied (are you root?)",
        "sh: can't create /proc/sys/kernel/hostname: Read-only file system",
      ],
      status: 1,
    });
  });

  it("runs a user other than root, with limits, sysctls, no_new_privs, and its own output to open anew", async () => {
    const script = `id -u; id -G; pwd; echo anew > /dev/stdout; ulimit -n
      grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status
      cat /proc/sys/net/ipv4/ip_forward /proc/self/oom_score_adj
      case $(cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null) in 50) echo limited;; esac`;
    const process = {
      user: { uid: 1000, gid: 1001, additionalGids: [1002], umask: 0o77 },
      cwd: "/made/here",
      noNewPrivileges: true,
      oomScoreAdj: 300,
      rlimits: [{ type: "RLIMIT_NOFILE", soft: 123, hard: 456 }],
    };
    const linux = {
      sysctl: { "net.ipv4.ip_forward": "1" },
      resources: { memory: { limit: 67_108_864 }, pids: { limit: 50 } },
    };
    expect(await run(configOf(script, process, linux))).toEqual({
      lines: [
        "1000",
        "1001 1002",
        "/made/here",
        "anew",
        "123",
        "CapEff:\t0000000000000000",
        "NoNewPrivs:\t1",
        "Seccomp:\t2",
        "1",
        "300",
        "limited",
      ],
      status: 0,
    });
  });

  it("makes root of the container an ordinary user of the host, with clocks of its own", async () => {
    const script = `id -u; cat /proc/self/uid_map; stat -c %u /; echo x > /dev/null && echo null
      [ $(cut -d. -f1 /proc/uptime) -gt 100000000 ] && echo late`;
    const { lines, status } = await run(configOf(script, {}, users));
    expect(lines.map((line) => line.replaceAll(/ +/g, " "))).toEqual(["0", " 0 100000 65536", "65534", "null", "late"]);
    expect(status).toBe(0);
  });

  it("gives a terminal, which is also the console", async () => {
    const { lines } = await run(
      configOf("tty; stat -c %t:%T /dev/console; stty size", {
        terminal: true,
        consoleSize: { width: 99, height: 33 },
      }),
    );
    expect(lines).toEqual(["/dev/pts/0", "88:0", "33 99"]);
  });

  it("fails at create, and not at start, when the command is missing", async () => {
    await expect(run(configOf("", { args: ["no-such-command"] }))).rejects.toMatchObject({
      fields: { errno: 2, path: "no-such-command" },
    });
  });
});

describe("planExec()", () => {
  for (const [name, linux] of [
    ["the default namespaces", {}],
    ["user and time namespaces", users],
  ] as const)
    it(`runs in the container, with ${name}, its limits and its filter`, async () => {
      const config = configOf("while :; do sleep 1; done", {}, linux);
      const plan = planOf(config);
      const { client, pid } = await monitored.create(operationsOf(plan), { exitProgram: plan.exit });
      await client.start();
      const { process } = configOf(`hostname; grep -E '^(CapInh|CapEff|Seccomp):' /proc/self/status
        for n in ipc mnt net pid user uts cgroup time; do readlink /proc/self/ns/$n; done; cat /proc/self/cgroup`);
      if (process === undefined) throw new Error("no process");
      const program = operationsOf(planExec(process, config, host, plan.cgroupPaths, {}));
      const session = await client.exec({ program, terminal: false, openStdin: false, output: true });
      let output = "";
      session.onOutput((_stream, data) => void (output += data.toString()));
      const { status } = await session.exited;
      const namespaces = ["ipc", "mnt", "net", "pid", "user", "uts", "cgroup", "time"];
      const groups = readFileSync(`/proc/${pid}/cgroup`, "utf8").replaceAll("/sampan/planned-test", "/");
      expect([status, output]).toEqual([
        0,
        [
          "planned",
          "CapInh:\t0000000000000000",
          "CapEff:\t00000000a80425fb",
          "Seccomp:\t2",
          ...namespaces.map((kind) => readlinkSync(`/proc/${pid}/ns/${kind}`)),
          groups,
        ].join("\n"),
      ]);
    });
});
