/**
 * `node test/performance/pull.ts [--small] [--rounds N] [--only REGEXP]`: how long it takes to pull a real image of four layers until
 * it can be run, how much of the processors and how much memory, beside `ctr` and `podman`, in gzip and zstd. Each pull has a fresh file system, since
 * one that much was deleted from is slow for a while. Needs root, and the image's packages from a Debian mirror once.
 */
import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { checkout } from "../support/checkout.ts";
import { containerdConfig } from "../support/containerd.ts";
import { Registry } from "../support/registry.ts";
import { TestHost } from "../support/testhost.ts";
import { pullImage, smallImage } from "./pull-image.ts";
import { summarize, table } from "./statistics.ts";

const { values } = parseArgs({
  options: { small: { type: "boolean" }, rounds: { type: "string" }, only: { type: "string" } },
});
const rounds = Number(values.rounds ?? 3);
const only = new RegExp(values.only ?? "");
/** Bytes of the file system that a pull fills. */
const fileSystem = "6G";

interface Sample {
  readonly milliseconds: number;
  /** Milliseconds of processor time of all the processes that pull. */
  readonly processor: number;
  /** Bytes of all the processes that pull, together. */
  readonly memory: number;
}

interface Place {
  readonly host: TestHost;
  /** A fresh file system. */
  readonly directory: string;
}

/** Prepares a pull and gives the command, with what is to be stopped afterwards. */
type Puller = (
  place: Place,
  reference: string,
) => Promise<{ readonly argv: readonly string[]; readonly stop?: () => Promise<void> }>;

const sampan: Puller = async ({ directory }, reference) => ({
  argv: [join(checkout, "sampan"), "--root", directory, "pull", "--quiet", reference],
});

const ctr: Puller = async ({ host, directory }, reference) => {
  // The file system is mounted in the host only, and can't be written to from here.
  const socket = "/run/containerd-pull.sock";
  const config = join(host.files, "containerd.toml");
  await writeFile(config, containerdConfig(directory, socket));
  const daemon = host.spawn(counted(host, ["containerd", "--config", config]));
  const client = ["ctr", "--address", socket];
  for (let attempt = 0; (await host.run([...client, "version"])).code !== 0; attempt++) {
    if (attempt === 100) throw new Error("Cannot start containerd");
    await sleep(50);
  }
  const argv = [...client, "images", "pull", "--plain-http", "--snapshotter", "overlayfs", reference];
  const stop = async (): Promise<void> => {
    daemon.kill();
    await daemon.exited;
  };
  return { argv, stop };
};

const podman: Puller = async ({ directory }, reference) => {
  const own = ["--root", join(directory, "root"), "--runroot", "/run/podman-pull", "--storage-driver", "overlay"];
  return { argv: ["podman", ...own, "pull", "--quiet", "--tls-verify=false", reference] };
};

/** Resident memory of the host's processes, without the registry's. */
async function memoryOf(host: TestHost): Promise<number> {
  const proc = `/proc/${host.initPid}/root/proc`;
  let sum = 0;
  for (const pid of await readdir(proc)) {
    if (!/^\d+$/.test(pid) || pid === "1") continue;
    const status = await readFile(join(proc, pid, "status"), "utf8").catch(() => "");
    if (/^Name:\s+(?:docker-registry|nsenter|setsid|env)$/m.test(status)) continue;
    sum += Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  }
  return sum;
}

/** Where the kernel counts the processor time of processes in a cgroup of ours. */
const version1 = existsSync("/sys/fs/cgroup/cpuacct");
const cgroup = (host: TestHost): string => join("/sys/fs/cgroup", version1 ? "cpuacct" : "", host.cgroupParent, "pull");

async function processorTime(host: TestHost): Promise<number> {
  if (version1) return Number(await readFile(join(cgroup(host), "cpuacct.usage"), "utf8")) / 1e6;
  const text = await readFile(join(cgroup(host), "cpu.stat"), "utf8");
  return Number(/^usage_usec (\d+)$/m.exec(text)?.[1]) / 1e3;
}

/** A command in that cgroup. */
const counted = (host: TestHost, argv: readonly string[]): readonly string[] => {
  const script = `echo 0 > "$1/cgroup.procs"; shift; exec "$@"`;
  return ["sh", "-ec", script, "sh", cgroup(host), ...argv];
};

async function sample(host: TestHost, puller: Puller, reference: string): Promise<Sample> {
  await mkdir(cgroup(host), { recursive: true });
  const directory = join(host.files, "fs");
  const file = join(host.files, "fs.img");
  await mkdir(directory, { recursive: true });
  await host.must(
    [
      "sh",
      "-ec",
      `truncate -s ${fileSystem} "$1"; mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 "$1"; mount -o loop "$1" "$2"; sync`,
      "sh",
      file,
      directory,
    ],
    { timeout: 120_000 },
  );
  try {
    const { argv, stop } = await puller({ host, directory }, reference);
    const before = await processorTime(host);
    const start = performance.now();
    const child = host.spawn(counted(host, argv));
    let output = "";
    child.stdout.resume();
    child.stderr.on("data", (data: Buffer) => (output += data.toString()));
    let memory = 0;
    let over = false;
    const watch = (async () => {
      // oxlint-disable-next-line typescript/no-unnecessary-condition, eslint/no-unmodified-loop-condition -- set below, while this waits
      while (!over) {
        memory = Math.max(memory, await memoryOf(host));
        await sleep(50);
      }
    })();
    const code = await child.exited;
    const milliseconds = performance.now() - start;
    const processor = (await processorTime(host)) - before;
    over = true;
    await watch;
    if (code !== 0) throw new Error(`Cannot pull: ${argv[0]} ends with ${code}\n${output.slice(0, 1000)}`);
    await stop?.();
    return { milliseconds, processor, memory };
  } finally {
    await host.must(["sh", "-c", 'umount -l "$2"; rm "$1"', "sh", file, directory]);
  }
}

const directory = join(checkout, "build", "bench", values.small === true ? "pull-small" : "pull");
const image = values.small === true ? await smallImage(directory) : await pullImage(directory);
await using host = await TestHost.create();
await host.must(["mount", "-t", "tmpfs", "-o", "mode=0755", "run", "/run"]);
await using registry = await Registry.start({ host });
for (const tag of ["gzip", "zstd"]) await registry.push(`oci:${image}:${tag}`, `bench:${tag}`, ["--preserve-digests"]);

const pullers = { sampan, ctr, podman };
const samples = new Map<string, Sample[]>();
for (let round = 1; round <= rounds; round++) {
  for (const [name, puller] of Object.entries(pullers)) {
    for (const tag of ["gzip", "zstd"]) {
      const key = `${name} ${tag}`;
      if (!only.test(key)) continue;
      const taken = await sample(host, puller, `${registry.address}/bench:${tag}`);
      process.stderr.write(
        `bench: ${key} ${taken.milliseconds.toFixed(0)} ms, ${taken.processor.toFixed(0)} ms of processors, ${(taken.memory / 1e6).toFixed(0)} MB\n`,
      );
      samples.set(key, [...(samples.get(key) ?? []), taken]);
    }
  }
}
const lines = [...samples].map(([key, taken]) => {
  const { median, quartile1, quartile3 } = summarize(taken.map(({ milliseconds }) => milliseconds));
  const memory = Math.max(...taken.map((one) => one.memory));
  const processor = summarize(taken.map((one) => one.processor)).median;
  const quartiles = `${quartile1.toFixed(0)}–${quartile3.toFixed(0)}`;
  return [key, median.toFixed(0), quartiles, processor.toFixed(0), (memory / 1e6).toFixed(0)];
});
process.stdout.write(
  `\n${table([["pull, milliseconds", "median", "quartiles", "of processors", "most memory, MB"], ...lines])}`,
);
