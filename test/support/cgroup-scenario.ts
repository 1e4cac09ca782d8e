/**
 * Real containers, and what their cgroups then say: the same steps on cgroup v1 and v2, here and in a virtual machine. Each
 * step returns what it saw; the tests say what that must be.
 */
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, symlinkSync } from "node:fs";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { probeHost, containerProcesses, findCgroups, isFrozen, readCgroupStats, readCurrentLimits } from "#host";
import { readNetworkStats } from "#host";
import { KeelExecutor } from "#keel";
import {
  cgroupDirectories,
  defaultCapabilities,
  defaultMounts,
  defaultNamespaces,
  execCgroups,
  killAllOperations,
  planFreeze,
  planUpdate,
  type HostFacts,
  type Plan,
  type PlanOptions,
} from "#plan";
import { Runtime, statsEvent, watchOomKills } from "#runtime";
import { parseResources, parseRuntimeConfig, type Resources, type RuntimeConfig } from "#spec";

const MiB = 1 << 20;
const programs = ["sh", "cat", "mknod", "mv", "sleep", "tail", "mkdir", "true", "grep", "stat"];

/** Tells every tenth of a second whether it may write to a device, and how often it has told. */
const teller = `mknod /tmp/kmsg c 1 11; n=0; while :; do
  if (: >/tmp/kmsg) 2>/dev/null; then a=allowed; else a=denied; fi
  n=$((n+1)); echo $n >/tmp/count.new; mv /tmp/count.new /tmp/count
  echo $a >/tmp/device.new; mv /tmp/device.new /tmp/device; sleep 0.1
done`;

export interface Observed {
  /** File without its controller's directory → content. */
  readonly limits: Readonly<Record<string, string>>;
  readonly device: string;
}

export class Scenario implements AsyncDisposable {
  readonly facts: HostFacts = probeHost();
  readonly #directory = mkdtempSync("/var/tmp/sampan-cgroups-");
  readonly #executor = new KeelExecutor();
  readonly #runtime: Runtime;
  readonly #root: string;
  readonly #parent = `/sampan-cgroups-${process.pid}`;
  readonly #files: readonly string[];
  /** `MAJOR:MINOR` of a disk. */
  readonly #disk: { readonly major: number; readonly minor: number };

  /** @param files whose content a step returns, by name */
  constructor(files: readonly string[], disk: { readonly major: number; readonly minor: number }) {
    this.#files = files;
    this.#disk = disk;
    this.#runtime = new Runtime({
      executor: this.#executor,
      facts: this.facts,
      stateRoot: join(this.#directory, "state"),
    });
    this.#root = join(this.#directory, "root");
    chmodSync(this.#directory, 0o711);
    for (const name of ["bin", "proc", "sys", "dev", "tmp"])
      mkdirSync(join(this.#root, name), { recursive: true, mode: 0o755 });
    chmodSync(join(this.#root, "tmp"), 0o777);
    copyFileSync("/bin/busybox", join(this.#root, "bin/busybox"));
    for (const name of programs) symlinkSync("busybox", join(this.#root, "bin", name));
  }

  /** Limits at the start, after they are raised, and after they are lowered below where they were. */
  async limits(): Promise<readonly Observed[]> {
    const version2 = this.facts.cgroup.version === 2;
    const hugepages = existsSync("/sys/kernel/mm/hugepages/hugepages-2048kB") && this.#has("hugetlb");
    const first = {
      memory: { limit: 64 * MiB, swap: 96 * MiB, reservation: 16 * MiB },
      cpu: { shares: 512, quota: 50_000, period: 100_000, burst: 10_000, cpus: "0", mems: "0" },
      pids: { limit: 50 },
      blockIO: { throttleWriteBpsDevice: [{ ...this.#disk, rate: MiB }] },
      hugepageLimits: hugepages ? [{ pageSize: "2MB", limit: 2 * MiB }] : [],
      unified: version2 ? { "memory.oom.group": "1", "memory.high": String(48 * MiB) } : {},
      devices: [{ allow: false, access: "rwm" }],
    };
    const raise = {
      memory: { limit: 128 * MiB, swap: 256 * MiB },
      cpu: { quota: 200_000, period: 50_000, burst: 100_000, shares: 2048, cpus: "0-1" },
      pids: { limit: 60 },
      blockIO: { throttleReadIOPSDevice: [{ ...this.#disk, rate: 500 }] },
      devices: [{ allow: true, type: "c", major: 1, minor: 11, access: "rw" }],
    };
    const lower = {
      memory: { limit: 32 * MiB, swap: 32 * MiB },
      cpu: { quota: 40_000, period: 100_000, burst: 1000, cpus: "1" },
      pids: { limit: -1 },
      blockIO: { throttleWriteBpsDevice: [{ ...this.#disk, rate: 0 }] },
      devices: [{ allow: false, access: "rwm" }],
    };
    await using container = await this.#start("limits", teller, { resources: first });
    const { paths } = container;
    const seen = [await this.#observe(paths, "denied")];
    let before: Resources | undefined = container.config.linux.resources;
    for (const [json, device] of [
      [raise, "allowed"],
      [lower, "denied"],
    ] as const) {
      const current = readCurrentLimits(paths);
      const update = planUpdate(parseResources(json), this.facts, { before, cgroupPaths: paths, current });
      await this.#executor.execute(update.steps.map(({ operation }) => operation));
      before = update.resources;
      seen.push(await this.#observe(paths, device));
    }
    return seen;
  }

  /** Pauses, looks, resumes; runs another program in a group below; counts; then kills all, paused. */
  async life(): Promise<object> {
    const container = await this.#start("life", teller, {});
    const { id, paths } = container;
    const count = (): number => Number(this.#told("count"));
    await until(() => count() > 2);
    const freeze = async (frozen: boolean): Promise<void> => {
      await this.#executor.execute(planFreeze(paths, frozen).map(({ operation }) => operation));
    };
    await freeze(true);
    const frozen = isFrozen(paths);
    const [stopped] = [count(), await sleep(500)];
    const still = count() === stopped;
    await freeze(false);
    await until(() => count() > stopped + 2);
    const thawed = !isFrozen(paths);

    const group = this.facts.cgroup.version === 2 ? "below" : "pids:below";
    mkdirSync(`${paths.get("pids")}/below`);
    const output = await this.#exec(container, execCgroups(paths, [group]));
    const joined = output.split("\n").find((line) => /^0::|:pids:/.test(line) && line.includes("below"));

    const stats = readCgroupStats(paths, this.facts.hugepageSizes);
    const event = JSON.parse(statsEvent(id, stats, readNetworkStats(container.pid))) as {
      data: { cpu: { usage: { total: number } }; memory: { usage: { usage: number } }; network_interfaces: object[] };
    };
    const counted = {
      cpu: event.data.cpu.usage.total > 1_000_000,
      memory: event.data.memory.usage.usage > 4096,
      raw: stats.memory.raw.size > 10,
      pids: stats.pids.current >= 1n && stats.pids.limit === 0n,
      network: event.data.network_interfaces.length > 0,
    };
    const processes = containerProcesses(paths).includes(container.pid);
    await freeze(true);
    await this.#executor.execute(killAllOperations(paths));
    const { status } = await this.#runtime.wait(id);
    await container[Symbol.asyncDispose]();
    const left = [...paths.values()].filter((path) => existsSync(path));
    return { frozen, still, thawed, joined: joined?.replace(/^\d+/, "N"), counted, processes, status, left };
  }

  /** Another program in a container that has as many processes as it may: it runs, but cannot fork. */
  async full(): Promise<object> {
    const pids = { limit: 3 };
    await using container = await this.#start("full", "sleep 1000 & sleep 1001 & wait", { resources: { pids } });
    await until(() => containerProcesses(container.paths).length === 3);
    const output = await this.#exec(container, container.paths, "echo in; (cat /dev/null) 2>/dev/null; echo out");
    return { output: output.split("\n") };
  }

  /** Output of another program in the container, by default one that tells its groups. */
  async #exec(
    { id, config }: Running,
    cgroups: Plan["cgroupPaths"],
    script = "exec cat /proc/self/cgroup",
  ): Promise<string> {
    const process = { ...required(config.process), args: ["sh", "-c", script], terminal: false };
    const exec = await this.#runtime.exec(id, process, config, { cgroups, openStdin: false, output: true });
    let output = "";
    exec.onOutput((_stream, data) => {
      output += Buffer.from(data).toString();
    });
    await exec.exited;
    return output;
  }

  /** A program that takes more memory than it may. */
  async oom(): Promise<object> {
    const memory = { limit: 16 * MiB, swap: 16 * MiB };
    const container = await this.#start("oom", "sleep 1; tail /dev/zero; echo $?; sleep 1", { resources: { memory } });
    let kills = 0;
    for await (const more of watchOomKills(container.paths)) kills += more;
    const { oomKilled } = await this.#runtime.wait(container.id);
    const output = container.output();
    await container[Symbol.asyncDispose]();
    return { kills, oomKilled, output };
  }

  /** Groups that are there before: empty ones are used and stay, others are refused. */
  async existing(): Promise<object> {
    const path = `${this.#parent}/existing`;
    const { paths, directories } = cgroupDirectories(this.facts.cgroup, path);
    const messages: string[] = [];
    const attempt = async (): Promise<void> => {
      const cgroupFound = findCgroups(paths);
      const container = await this.#start("existing", "true", {}, { cgroupFound }).catch((error: unknown) => {
        messages.push((error as Error).message.replace(/"[^"]*"/, "GROUP"));
      });
      await container?.[Symbol.asyncDispose]();
    };
    const group = required(paths.get("") ?? paths.get("freezer"));
    for (const directory of directories) mkdirSync(directory, { recursive: true });
    await this.#executor.execute([{ op: "freeze", path: group, frozen: true }]);
    await attempt();
    await this.#executor.execute([{ op: "freeze", path: group, frozen: false }]);
    await attempt();
    const stays = directories.every((directory) => existsSync(directory));
    await using other = await this.#start("other", "exec sleep 1000", {});
    writeFileSync(`${group}/cgroup.procs`, String(other.pid));
    await attempt();
    const back = required(other.paths.get("") ?? other.paths.get("freezer"));
    writeFileSync(`${back}/cgroup.procs`, String(other.pid));
    for (const directory of directories) rmdirSync(directory);
    return { messages, stays };
  }

  /** What a container that is given its own group (v2) can do with it. */
  async delegation(): Promise<readonly (readonly string[])[]> {
    const maps = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
    const linux = {
      namespaces: [...defaultNamespaces, { type: "user" }],
      uidMappings: maps,
      gidMappings: maps,
    };
    const mounts = defaultMounts().map((mount) =>
      mount.type === "cgroup" ? { ...mount, options: ["nosuid", "noexec", "nodev"] } : mount,
    );
    const script = `cat /proc/self/cgroup; cd /sys/fs/cgroup; stat -c '%u' . cgroup.procs memory.max
      mkdir child && echo 0 >child/cgroup.procs; cat /proc/self/cgroup; echo +pids >cgroup.subtree_control && echo enabled`;
    const outputs: (readonly string[])[] = [];
    for (const annotations of [{}, { "run.oci.delegate-cgroup": "payload" }]) {
      const container = await this.#start("delegation", `${script} 2>&1`, linux, {}, { mounts, annotations });
      await this.#runtime.wait(container.id);
      outputs.push(container.output());
      await container[Symbol.asyncDispose]();
    }
    return outputs;
  }

  #has(controller: string): boolean {
    const { cgroup } = this.facts;
    return cgroup.version === 1 ? cgroup.controllers.has(controller) : cgroup.controllers.includes(controller);
  }

  async #start(
    id: string,
    script: string,
    linux: object,
    options: Partial<PlanOptions> = {},
    rest: object = {},
  ): Promise<Running> {
    const capabilities = {
      bounding: defaultCapabilities,
      effective: defaultCapabilities,
      permitted: defaultCapabilities,
    };
    const config = parseRuntimeConfig({
      ociVersion: "1.3.0",
      mounts: defaultMounts(),
      process: { args: ["sh", "-c", script], env: ["PATH=/bin"], cwd: "/", capabilities },
      linux: { namespaces: defaultNamespaces, ...linux },
      ...rest,
    });
    const place = {
      root: { kind: "bind", path: this.#root } as const,
      cgroupPath: `${this.#parent}/${id}`,
      ...options,
    };
    const plan = this.#runtime.plan(config, place);
    const log = join(this.#directory, `${id}.log`);
    rmSync(log, { force: true });
    const created = await this.#runtime.create(id, {
      config,
      plan: place,
      log,
      openStdin: false,
      stdinOnce: false,
      exitCommand: [],
    });
    await this.#runtime.start(id, created);
    return new Running(this.#runtime, id, created.pid, plan, config, log);
  }

  #told(name: string): string {
    const path = join(this.#root, "tmp", name);
    return existsSync(path) ? readFileSync(path, "utf8").trim() : "";
  }

  async #observe(paths: Plan["cgroupPaths"], device: string): Promise<Observed> {
    await until(() => this.#told("device") === device).catch(() => undefined);
    const limits: Record<string, string> = {};
    for (const file of this.#files) {
      const directory = paths.get(required(file.split(".")[0]));
      const path = `${directory}/${file}`;
      limits[file] = directory !== undefined && existsSync(path) ? readFileSync(path, "utf8").trim() : "none";
    }
    return { limits, device: this.#told("device") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { directories } = cgroupDirectories(this.facts.cgroup, this.#parent);
    await this.#executor.execute(directories.map((path) => ({ op: "cgroup-remove", path })));
    await this.#executor[Symbol.asyncDispose]();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** A container that runs; disposing kills and deletes it. */
class Running implements AsyncDisposable {
  readonly #runtime: Runtime;
  readonly #plan: Plan;
  readonly #log: string;
  readonly id: string;
  readonly pid: number;
  readonly config: RuntimeConfig;

  constructor(runtime: Runtime, id: string, pid: number, plan: Plan, config: RuntimeConfig, log: string) {
    this.#runtime = runtime;
    this.#plan = plan;
    this.#log = log;
    this.id = id;
    this.pid = pid;
    this.config = config;
  }

  get paths(): Plan["cgroupPaths"] {
    return this.#plan.cgroupPaths;
  }

  /** Lines of its log: each is `TIME STREAM TAG TEXT`. */
  output(): readonly string[] {
    const lines = statSync(this.#log).size === 0 ? [] : readFileSync(this.#log, "utf8").trimEnd().split("\n");
    return lines.map((line) => line.split(" ").slice(3).join(" "));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { status } = this.#runtime.state(this.id);
    if (status === "running") {
      await this.#runtime.kill(this.id, 9).catch(() => undefined);
      await this.#runtime.wait(this.id);
    } else if (status === "none") return;
    await this.#runtime.wait(this.id);
    await this.#runtime.delete(this.id, this.#plan.exit);
  }
}

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`Not within 20 s: ${condition.toString()}`);
    await sleep(20);
  }
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("something is missing");
  return value;
}
