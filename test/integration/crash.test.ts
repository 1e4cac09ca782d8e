/** What is left when processes die: the client, its keel, the monitor, and a client in the middle of something; and clients side by side. */
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { HostProcess } from "../support/process.ts";
import { expectUnchanged, HostState, type HostSnapshot } from "../support/snapshot-host.ts";
import { eventually, StockedHost } from "../support/stocked-host.ts";

let stocked: StockedHost;
let before: HostSnapshot;
/** Databases, empty directories that are made once, and caches that may be deleted at any time. */
const ignore = [/^root\/metadata\.db/, /^root\/cache(\/|$)/, /^root\/volumes$/, /^state\/(containers|root)$/];
beforeAll(async () => {
  stocked = await StockedHost.create(["busybox"]);
  await stocked.mustShell([], "true");
  before = await HostState.capture(stocked.host, { ignore });
});
afterAll(async () => await stocked[Symbol.asyncDispose]());

const unchanged = async (): Promise<void> => {
  // What runs on in the background (an exit command, a monitor) gets a moment to end.
  await eventually("a quiet host", async () => (await stocked.host.processes()).length === 1).catch(() => undefined);
  expectUnchanged(before, await HostState.capture(stocked.host, { ignore }));
};

/** Outer pids of a process and all its descendants in `/proc`. */
async function family(pid: number): Promise<readonly number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  const below = await Promise.all(
    children
      .split(" ")
      .filter((word) => word !== "")
      .map(async (word) => await family(Number(word))),
  );
  return [pid, ...below.flat()];
}

const name = async (pid: number): Promise<string> =>
  (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")).trim();

/** SIGKILLs a client with its keel, but not the monitors, which have left its family. The parent first: it must not react. */
async function killClient(client: HostProcess): Promise<void> {
  const outer = await client.outerPid().catch(() => undefined);
  for (const pid of outer === undefined ? [] : await family(outer))
    if ((await name(pid)) !== "keel-monitor" && !(await isBelowMonitor(pid))) killIfThere(pid);
  await client.exited;
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

async function isBelowMonitor(pid: number): Promise<boolean> {
  for (let at = pid; at > 1;) {
    if ((await name(at)) === "keel-monitor") return true;
    const stat = await readFile(`/proc/${at}/stat`, "utf8").catch(() => "");
    at = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
  }
  return false;
}

it("a container survives the SIGKILL of its client and keel; logs, exec, stop and rm work from a new client", async () => {
  const script = "trap 'exit 5' TERM; i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done";
  const client = stocked.host.spawnSampan(["run", "--name", "orphan", stocked.image("busybox"), "sh", "-c", script]);
  await new Promise((resolve) => client.stdout.once("data", resolve));
  await killClient(client);
  const seen = Number((await stocked.must(["logs", "--tail", "1", "orphan"])).trim());
  await sleep(300);
  expect(Number((await stocked.must(["logs", "--tail", "1", "orphan"])).trim())).toBeGreaterThan(seen);
  const all = (await stocked.must(["logs", "orphan"])).split("\n").map(Number);
  expect(all).toStrictEqual(all.map((_, i) => i + 1));
  expect(await stocked.must(["exec", "orphan", "echo", "still", "here"])).toBe("still here");
  await stocked.must(["stop", "orphan"]);
  expect((await stocked.inspect("orphan")).State).toMatchObject({ Status: "exited", ExitCode: 5 });
  await stocked.must(["rm", "orphan"]);
  await unchanged();
});

it("--rm removes a container also with -d, and when its client is SIGKILLed", async () => {
  await stocked.must(["run", "-d", "--rm", stocked.image("busybox"), "sleep", "0.3"]);
  const client = stocked.host.spawnSampan(["run", "--rm", stocked.image("busybox"), "sh", "-c", "echo up; sleep 1"]);
  await new Promise((resolve) => client.stdout.once("data", resolve));
  await killClient(client);
  await eventually("no container", async () => (await stocked.containers()).length === 0);
  await unchanged();
});

it("a container whose monitor is SIGKILLed ends, is told of as lost, and is removed with its cgroups", async () => {
  await stocked.must(["run", "-d", "--name", "lost", stocked.image("busybox"), "sleep", "1000"]);
  for (const entry of await readdir("/proc"))
    if ((await name(Number(entry) || 0)) === "keel-monitor" && (await inHost(Number(entry))))
      process.kill(Number(entry), "SIGKILL");
  await eventually("its end", async () => !(await stocked.inspect("lost")).State.Running);
  expect((await stocked.inspect("lost")).State).toMatchObject({ Status: "exited", ExitCode: 255 });
  expect(await stocked.must(["wait", "lost"])).toBe("255");
  await stocked.must(["rm", "lost"]);
  await unchanged();
});

const inHost = async (pid: number): Promise<boolean> => {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  if ((/^NSpid:.*/m.exec(status)?.[0].trim().split(/\s+/).length ?? 0) < 3) return false;
  const own = await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "");
  const mounts = await readFile(`/proc/${pid}/mountinfo`, "utf8").catch(() => "");
  return own.includes(stocked.host.id) || mounts.includes(stocked.host.id);
};

it("ten `run --rm` at once on one root all work and leave nothing", async () => {
  const results = await Promise.all(
    Array.from(
      { length: 10 },
      async (_, i) => await stocked.shell(["-v", "shared:/v"], `echo ${i} >> /v/all; echo ${i}; exit ${i}`),
    ),
  );
  expect(results).toStrictEqual(results.map((_, i) => ({ code: i, stdout: `${i}\n`, stderr: "" })));
  const all = await stocked.mustShell(["-v", "shared:/v"], "sort /v/all; rm /v/all");
  expect(all).toBe("0\n1\n2\n3\n4\n5\n6\n7\n8\n9");
  await stocked.host.must(["rm", "-r", `${stocked.host.root}/volumes/shared`]);
  await unchanged();
});

it("five clients pull the same image at once", async () => {
  await stocked.must(["rmi", stocked.image("busybox")]);
  const runs = await Promise.all(Array.from({ length: 5 }, async (_, i) => await stocked.shell([], `echo ${i}`)));
  expect(runs.map(({ code, stdout }) => ({ code, stdout }))).toStrictEqual(
    runs.map((_, i) => ({ code: 0, stdout: `${i}\n` })),
  );
  await unchanged();
});

it.each([60, 100, 140, 180, 220, 260, 300, 400])(
  "a client SIGKILLed %d ms after the beginning of `run` leaves nothing once the next command has run",
  async (milliseconds) => {
    const client = stocked.host.spawnSampan(["run", "-d", "--name", "cut", stocked.image("busybox"), "sleep", "1000"]);
    await sleep(milliseconds);
    await killClient(client);
    await stocked.must(["rm", "-f", "cut"]);
    expect(await stocked.containers()).toStrictEqual([]);
    await unchanged();
  },
);

it("the next command ends a container whose client died while its monitor had noted nothing yet", async () => {
  const source = `import { Engine } from "#engine";
    import { DatabaseSync } from "node:sqlite";
    const engine = await Engine.open();
    const container = await engine.create({ image: process.argv[2] ?? "", name: "unborn", command: ["true"] });
    new DatabaseSync(process.env.SAMPAN_ROOT + "/metadata.db").exec("UPDATE containers SET claim = '999999 1 start'");
    console.log(container.id);
    await engine[Symbol.asyncDispose]();`.replace('process.argv[2] ?? ""', JSON.stringify(stocked.image("busybox")));
  const { stdout, stderr } = await stocked.host.node(source);
  const id = stdout.trim();
  expect({ id, stderr }).toStrictEqual({ id: expect.stringMatching(/^[0-9a-f]{64}$/) as string, stderr: "" });
  // What keel has made by then: a process in its cgroups, and a state directory without a pid.
  const cgroups = ["pids", "memory", "freezer"].map(
    (kind) => `/sys/fs/cgroup/${kind}${stocked.host.cgroupParent}/${id}`,
  );
  const process = `mkdir -p ${cgroups.join(" ")} $SAMPAN_STATE/containers/${id}
    for c in ${cgroups.join(" ")}; do echo 0 > $c/tasks; done; exec sleep 1000`;
  const child = stocked.host.spawn(["sh", "-c", process]);
  await eventually("the process", async () => (await name(await child.outerPid())) === "sleep");
  expect(await stocked.containers()).toHaveLength(1);
  expect(await child.exited).toBe(137);
  await stocked.must(["rm", "unborn"]);
  await unchanged();
});

it("a pull that is SIGKILLed leaves nothing visible, and the next one succeeds", async () => {
  await stocked.must(["rmi", stocked.image("busybox")]);
  for (const milliseconds of [150, 250, 350, 500]) {
    const client = stocked.host.spawnSampan(["pull", stocked.image("busybox")]);
    await sleep(milliseconds);
    await killClient(client);
    const images = await stocked.must(["images", "-q"]);
    if (images !== "") await stocked.must(["rmi", stocked.image("busybox")]);
  }
  await stocked.must(["pull", stocked.image("busybox")]);
  expect(await stocked.mustShell([], "echo whole")).toBe("whole");
  await unchanged();
});
