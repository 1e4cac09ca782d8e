/**
 * The OCI runtime's command line on a machine with cgroup v2 alone: what `vm.test.ts` runs in the virtual machine. Prints a
 * line of JSON for each step that is named on the command line. Under emulation each start of Node takes seconds: all
 * commands run in this one.
 *
 *   node oci.mjs life devices rollback …
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { main } from "../../src/cli/oci/program.ts";

const base = "/run/oci-test";
const group = "/sys/fs/cgroup/oci-test";

interface Result {
  readonly code: number;
  /** What sampan-oci itself printed, its errors included; a container's own output goes to this process's. */
  readonly out: string;
}

/** What is printed goes here while commands run. */
let captured: string[] = [];
const { stdout, stderr } = process;
const print = stdout.write.bind(stdout);
for (const stream of [stdout, stderr]) stream.write = (text: string | Uint8Array) => captured.push(String(text)) > 0;

async function oci(...args: readonly string[]): Promise<Result> {
  captured = [];
  const code = await quietly(...args);
  return { code, out: captured.join("").trim() };
}

const exitCode = (): number => Number(process.exitCode ?? 0);

/** Beside others, which get what it prints. */
async function quietly(...args: readonly string[]): Promise<number> {
  process.exitCode = 0;
  await main(["--root", `${base}/state`, ...args]);
  const code = exitCode();
  process.exitCode = 0;
  return code;
}

interface Config {
  process: { terminal: boolean; args: string[]; capabilities: unknown; [name: string]: unknown };
  root: { path: string; readonly: boolean };
  mounts: { destination: string; type: string; source: string; options: string[] }[];
  linux: { namespaces: { type: string }[]; cgroupsPath: string; resources: object };
}

async function bundle(id: string, script: string, change: (config: Config) => void = () => undefined): Promise<string> {
  const directory = `${base}/${id}`;
  const root = `${directory}/rootfs`;
  for (const name of ["bin", "proc", "sys", "dev", "tmp"]) mkdirSync(`${root}/${name}`, { recursive: true });
  copyFileSync("/bin/busybox", `${root}/bin/busybox`);
  for (const name of ["sh", "cat", "sleep", "mknod", "head", "tail", "ls", "grep", "rm"])
    symlinkSync("busybox", `${root}/bin/${name}`);
  await oci("spec", "--bundle", directory);
  const config = JSON.parse(readFileSync(`${directory}/config.json`, "utf8")) as Config;
  config.process.terminal = false;
  config.process.args = ["sh", "-c", script];
  config.root = { path: root, readonly: false };
  config.linux.cgroupsPath = `/oci-test/${id}`;
  change(config);
  writeFileSync(`${directory}/config.json`, JSON.stringify(config));
  return directory;
}

async function run(id: string, script: string, change?: (config: Config) => void): Promise<void> {
  await oci("run", "--detach", "--bundle", await bundle(id, script, change), id);
}

/** Of a container, written there by its programs. */
const told = (id: string): readonly string[] => readFileSync(`${base}/${id}/rootfs/out`, "utf8").trim().split("\n");
const file = (id: string, name: string): string => readFileSync(`${group}/${id}/${name}`, "utf8").trim();
const statusOf = async (id: string): Promise<string> =>
  (JSON.parse((await oci("state", id)).out) as { status: string }).status;

async function until(condition: () => boolean | Promise<boolean>): Promise<boolean> {
  for (const end = performance.now() + 30_000; performance.now() < end; await sleep(50))
    if (await condition()) return true;
  return false;
}

/** The names of all that is left of a container. */
async function leftovers(id: string): Promise<readonly string[]> {
  await oci("delete", "--force", id);
  return [`${group}/${id}`, `${base}/state/${id}`].filter(existsSync);
}

/** Limits for `update --resources`. */
function resources(limits: object): string {
  const path = `${base}/resources.json`;
  writeFileSync(path, JSON.stringify(limits));
  return path;
}

const device = "mknod /tmp/d c 10 229 2>/dev/null; head -c1 /tmp/d 2>&1 | grep -c 'not permitted' > /out; rm /tmp/d";
const withMknod = (config: Config): void => {
  const names = ["CAP_MKNOD", "CAP_DAC_OVERRIDE"];
  config.process.capabilities = { bounding: names, effective: names, permitted: names };
  config.mounts.push({ destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["dev"] });
};

const steps: Readonly<Record<string, () => Promise<unknown>>> = {
  async life() {
    const id = "life";
    const unified = { "memory.high": "67108864", "pids.max": "44", "cpu.weight": "77" };
    const directory = await bundle(id, "sleep 1000", (c) => (c.linux.resources = { unified }));
    const created = await oci("create", "--bundle", directory, id);
    const states = [await statusOf(id)];
    const unifiedSeen = Object.keys(unified).map((name) => file(id, name));
    await oci("start", id);
    states.push(await statusOf(id));
    const exec = await oci("exec", id, "sh", "-c", "cat /proc/self/cgroup > /out; exit 7");
    const change = ["--memory", "64m", "--memory-swap", "96m", "--pids-limit", "50", "--cpu-quota", "50000"];
    const update = await oci("update", ...change, id);
    const limits = ["memory.max", "memory.swap.max", "pids.max", "cpu.max"].map((name) => file(id, name));
    await oci("pause", id);
    states.push(await statusOf(id));
    const frozen = file(id, "cgroup.freeze");
    const whilePaused = await oci("exec", id, "true");
    await oci("resume", id);
    states.push(await statusOf(id));
    const stats = JSON.parse((await oci("events", "--stats", id)).out) as {
      data: { pids: unknown; memory: { usage: { limit: number } } };
    };
    await oci("kill", id, "KILL");
    await until(async () => (await statusOf(id)) === "stopped");
    states.push(await statusOf(id));
    const deleted = await oci("delete", id);
    return {
      codes: [created, exec, update, whilePaused, deleted].map(({ code }) => code),
      ...{ states, unifiedSeen, limits, frozen, exec: told(id) },
      counted: [stats.data.pids, stats.data.memory.usage.limit],
      left: await leftovers(id),
    };
  },
  async unknown() {
    const directory = await bundle(
      "unknown",
      "true",
      (c) => (c.linux.resources = { unified: { "memory.paint": "1" } }),
    );
    const { code, out } = await oci("create", "--bundle", directory, "unknown");
    return { code, named: out.includes("memory.paint"), left: await leftovers("unknown") };
  },
  /** Rules as a program: by the config, by an update, and by one that fails after it. */
  async devices() {
    const id = "devices";
    await run(id, "sleep 1000", withMknod);
    const denied = async (): Promise<string> => {
      await oci("exec", id, "sh", "-c", device);
      return told(id).join();
    };
    const seen = [await denied()];
    const devices = [{ allow: true, type: "c", major: 10, minor: 229, access: "rwm" }];
    const blockIO = { throttleReadBpsDevice: [{ major: 4095, minor: 9, rate: 5 }] };
    const limits = { pids: { limit: 9 }, memory: { limit: 1 << 25, swap: 1 << 26 }, cpu: { shares: 2048 } };
    const names = ["pids.max", "memory.max", "memory.swap.max", "cpu.weight", "io.max"];
    const before = names.map((name) => file(id, name));
    const failed = await oci("update", "-r", resources({ devices, ...limits, blockIO }), id);
    const after = names.map((name) => file(id, name));
    seen.push(await denied());
    const updated = await oci("update", "-r", resources({ devices }), id);
    seen.push(await denied());
    const same = before.join() === after.join();
    return {
      seen,
      failed: [failed.code, failed.out.includes("io.max")],
      same,
      updated: updated.code,
      left: await leftovers(id),
    };
  },
  /** Processes that only their cgroup ties together. */
  async kill() {
    const id = "kill";
    await run(id, "sleep 1000 & (sleep 1001 &) ; sleep 1002; true", (c) => {
      c.linux.namespaces = c.linux.namespaces.filter(({ type }) => type !== "pid");
    });
    await until(() => file(id, "cgroup.procs").split("\n").length >= 4);
    const { code } = await oci("kill", id, "KILL");
    const ended = await until(() => file(id, "cgroup.procs") === "");
    const stopped = await until(async () => (await statusOf(id)) === "stopped");
    return { code, ended, stopped, left: await leftovers(id) };
  },
  async oom() {
    const id = "oom";
    const memory = { limit: 16 << 20, swap: 16 << 20 };
    const directory = await bundle(id, "sleep 2; tail /dev/zero", (c) => (c.linux.resources = { memory }));
    await oci("run", "--detach", "--bundle", directory, id);
    captured = [];
    const code = await quietly("events", "--interval", "100s", id);
    return { code, events: captured.join("").trim(), left: await leftovers(id) };
  },
  /** On a ramdisk, whose root cannot be pivoted. */
  async ramdisk() {
    const id = "ramdisk";
    const script =
      "grep -c ' / ' /proc/self/mounts > /out; ls / >> /out; ls /../files >> /out 2>&1; ls /proc/1/root/ >> /out";
    const directory = await bundle(id, script);
    const root = /^(\S+) \/ (\S+)/m.exec(readFileSync("/proc/mounts", "utf8"))?.[2];
    const pivoted = await oci("run", "--bundle", directory, id);
    const moved = await oci("run", "--no-pivot", "--bundle", directory, id);
    const left = await leftovers(id);
    return { root, pivoted: [pivoted.code, pivoted.out.includes("--no-pivot")], moved: [moved.code, told(id)], left };
  },
};

const show = (step: string, seen: unknown): void => void print(`${JSON.stringify({ step, seen })}\n`);
for (const name of process.argv.slice(2))
  show(name, await Promise.resolve(steps[name]?.()).catch((error: unknown) => String(error)));
rmSync(base, { recursive: true, force: true });
const groups = existsSync(group)
  ? readdirSync(group, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  : [];
show(
  "groups",
  groups.map(({ name }) => name),
);
