/**
 * `npm run bench [-- --quick] [-- --only REGEXP]`: how long a container takes from creation to removal, side by side in
 * one run: the floor, Sampan, and the peers that are installed. Prints a table and writes `build/bench/RESULT.json`. Needs
 * root. Everything runs in a test host and nothing of it stays.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { checkout, pinnedNode } from "../support/checkout.ts";
import { testImage } from "../support/images.ts";
import { mustHere } from "../support/process.ts";
import { TestHost } from "../support/testhost.ts";
import { compileTool } from "./compile-tool.ts";
import type { Measured } from "./measure.ts";
import { summarize, table } from "./statistics.ts";
import type { Place } from "./subject.ts";

const output = join(checkout, "build", "bench");
const sources = join(checkout, "test", "performance");
const { values } = parseArgs({
  options: { quick: { type: "boolean" }, rounds: { type: "string" }, only: { type: "string" } },
});
const rounds = Number(values.rounds ?? (values.quick === true ? 5 : 40));
if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error(`Cannot measure "${values.rounds}" rounds`);

await mkdir(output, { recursive: true });
for (const name of ["floor", "stopwatch"]) await compileTool(name);
const image = await testImage("busybox");
const measured = await inHost(image);
const machine = await facts();
await writeFile(
  join(output, "RESULT.json"),
  `${JSON.stringify({ time: new Date().toISOString(), machine, rounds, ...measured }, null, 2)}\n`,
);
print(measured, machine);

async function inHost(image: string): Promise<Measured> {
  await using host = await TestHost.create();
  // crun before 1.9 refuses a host that has both cgroup versions; here the second holds nothing that is measured.
  await host.run(["sh", "-c", "[ ! -d /sys/fs/cgroup/memory ] || umount /sys/fs/cgroup/unified"]);
  // As on every host that systemd or another init has set up: what is of the running system only lies in memory.
  await host.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "run", "/run"]);
  const directory = join(host.files, "bench");
  await mkdir(directory);
  const archive = join(host.files, "image.tar");
  const bundle = join(host.files, "bundle");
  await mustHere(["skopeo", "--insecure-policy", "copy", "--quiet", image, `oci-archive:${archive}:localhost/bench:1`]);
  await mustHere(["umoci", "unpack", "--image", image.replace(/^oci:/, ""), bundle]);
  const place: Place = {
    directory,
    rootfs: join(bundle, "rootfs"),
    archive,
    reference: "",
    cgroup: host.id,
    floor: join(output, "floor"),
    stopwatch: join(output, "stopwatch"),
  };
  const args = [join(sources, "measure.ts"), JSON.stringify(place), String(rounds), values.only ?? ""];
  const child = host.spawn([pinnedNode, ...args], {
    env: { SAMPAN_STATE: "/run/sampan", SAMPAN_BENCH_RUNTIMES: process.env["SAMPAN_BENCH_RUNTIMES"] },
  });
  child.stderr.pipe(process.stderr);
  const [result, code] = await Promise.all([text(child.stdout), child.exited]);
  if (code !== 0) throw new Error(`Cannot measure: exit code ${code}`);
  return JSON.parse(result) as Measured;
}

async function facts(): Promise<Readonly<Record<string, string | number | undefined>>> {
  const commit = spawn("git", ["rev-parse", "--short", "HEAD"], { cwd: checkout, stdio: ["ignore", "pipe", "ignore"] });
  const [head] = await Promise.all([text(commit.stdout), once(commit, "close")]);
  const v1 = (await readFile("/proc/self/mountinfo", "utf8")).includes(" - cgroup ");
  return {
    kernel: release(),
    processor: cpus()[0]?.model.trim(),
    cores: cpus().length,
    memory: totalmem(),
    cgroups: v1 ? "v1" : "v2",
    node: process.version,
    loadAverage: Number((await readFile("/proc/loadavg", "utf8")).split(" ")[0]),
    commit: head.trim(),
  };
}

function print(
  { rows, rates, skipped, monitorPss }: Measured,
  machine: Readonly<Record<string, string | number | undefined>>,
): void {
  const cells = ({ quartile1, median, quartile3 }: Measured["rows"][number]["backToBack"]): string[] => [
    median.toFixed(1),
    `${quartile1.toFixed(1)}–${quartile3.toFixed(1)}`,
  ];
  const floor = rows.find(({ name }) => name.startsWith("floor, in"))?.backToBack.median;
  const lines = rows.map(({ name, version, backToBack, afterIdle, afterSecond }) => [
    version === undefined ? name : `${name} (${version})`,
    ...cells(backToBack),
    ...cells(afterIdle),
    afterSecond.median.toFixed(1),
    floor === undefined ? "" : (backToBack.median / floor).toFixed(1),
  ]);
  const head = ["milliseconds", "median", "quartiles", "after 30 ms", "quartiles", "after 1 s", "× floor"];
  process.stdout.write(`\n${table([head, ...lines])}`);
  if (rates.length > 0)
    process.stdout.write(
      `\n${table([
        ["100 runs, 8 in parallel", "runs a second", "rounds"],
        ...rates.map(({ name, version, perSecond }) => [
          version === undefined ? name : `${name} (${version})`,
          summarize(perSecond).median.toFixed(0),
          perSecond.map((rate) => rate.toFixed(0)).join(" "),
        ]),
      ])}\n`,
    );
  for (const { name, reason } of skipped) process.stdout.write(`${name}: skipped, ${reason}\n`);
  if (monitorPss !== undefined)
    process.stdout.write(`monitor of a running container: ${(monitorPss / 1024).toFixed(0)} KiB PSS\n`);
  process.stdout.write(
    `${rounds} rounds, ${Object.entries(machine)
      .map(([key, value]) => `${key} ${value}`)
      .join(", ")}\n`,
  );
}
