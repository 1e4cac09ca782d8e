/** The life of containers: create, pause, rename, update, top, stats, events, waiting, and logs that are rotated. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually, StockedHost } from "../support/stocked-host.ts";

let stocked: StockedHost;
beforeAll(async () => (stocked = await StockedHost.create(["busybox"])));
afterAll(async () => await stocked[Symbol.asyncDispose]());

const start = async (name: string, script: string, ...flags: readonly string[]): Promise<string> =>
  await stocked.must(["run", "-d", "--name", name, ...flags, stocked.image("busybox"), "sh", "-c", script]);
const format = async (template: string, name: string): Promise<string> =>
  await stocked.must(["inspect", "-f", template, name]);
const lines = (text: string): readonly string[] => text.split("\n").filter((line) => line !== "");

describe("pause, rename, update, top and stats", () => {
  it("a paused container does nothing, is listed so, and goes on; stop ends a paused one", async () => {
    await start("tick", "i=0; trap 'exit 9' TERM; while :; do i=$((i+1)); echo $i > /count; sleep 0.02; done");
    await eventually(
      "ticks",
      async () => (await stocked.host.sampan(["exec", "tick", "test", "-s", "/count"])).code === 0,
    );
    await stocked.must(["pause", "tick"]);
    expect(await stocked.must(["ps", "--filter", "status=paused", "--format", "{{.Names}} {{.Status}}"])).toMatch(
      /^tick Up .+ \(Paused\)$/,
    );
    expect(await format("{{.State.Status}} {{.State.Paused}}", "tick")).toBe("paused true");
    const count = async (): Promise<string> => {
      const pid = await format("{{.State.Pid}}", "tick");
      return await stocked.host.must(["cat", `/proc/${pid}/root/count`]);
    };
    const before = await count();
    expect(await count()).toBe(before);
    const again = await stocked.host.sampan(["pause", "tick"]);
    expect(again.stderr).toBe('sampan: Cannot pause container "tick": it is paused\n');
    await stocked.must(["unpause", "tick"]);
    await eventually("goes on", async () => (await count()) !== before);
    await stocked.must(["pause", "tick"]);
    await stocked.must(["stop", "tick"]);
    expect(await format("{{.State.ExitCode}}", "tick")).toBe("9");
    await stocked.must(["rm", "tick"]);
  });

  it("rename holds for running and other containers, and refuses a name that is taken or can't be one", async () => {
    await start("old", "sleep 1000");
    await stocked.must(["create", "--name", "other", stocked.image("busybox")]);
    await stocked.must(["rename", "old", "new"]);
    expect(lines(await stocked.must(["ps", "-a", "--format", "{{.Names}}"]))).toStrictEqual(["other", "new"]);
    const taken = await stocked.host.sampan(["rename", "new", "other"]);
    expect(taken.stderr).toContain('Cannot use name "other": container ');
    expect((await stocked.host.sampan(["rename", "new", "a/b"])).stderr).toContain('Cannot use name "a/b"');
    await stocked.must(["rm", "-f", "new", "other"]);
  });

  it("update changes limits of a running container at once, and keeps them for the next start", async () => {
    await start("limited", "sleep 1000", "--memory", "64m", "--pids-limit", "50");
    await stocked.must([
      "update",
      "--memory",
      "96m",
      "--memory-swap",
      "-1",
      "--pids-limit",
      "-1",
      "--cpus",
      "0.5",
      "limited",
    ]);
    const read = async (file: string): Promise<string> =>
      await stocked.must(["exec", "limited", "cat", `/sys/fs/cgroup/${file}`]);
    const limits = async (): Promise<readonly string[]> => [
      await read("memory/memory.limit_in_bytes"),
      await read("pids/pids.max"),
      await read("cpu/cpu.cfs_quota_us"),
    ];
    const expected = [String(96 * 1024 * 1024), "max", "50000"];
    expect(await limits()).toStrictEqual(expected);
    await stocked.must(["restart", "-t", "0", "limited"]);
    expect(await limits()).toStrictEqual(expected);
    expect((await stocked.host.sampan(["update", "limited"])).stderr).toContain("no change is given");
    expect((await stocked.host.sampan(["update", "--memory", "1k", "limited"])).stderr).toContain("less than 512k");
    expect(await limits()).toStrictEqual(expected);
    await stocked.must(["rm", "-f", "limited"]);
  });

  it("top lists its processes by the host's pids, also by options of ps; stats tells what it uses", async () => {
    await start("busy", "sleep 1111 & while :; do :; done", "--memory", "64m");
    const pid = await format("{{.State.Pid}}", "busy");
    const [header, ...rows] = lines(await stocked.must(["top", "busy"]));
    expect(header).toMatch(/^UID +PID +PPID +C +STIME +TTY +TIME +CMD$/);
    expect(rows.find((r) => r.includes(` ${pid} `))).toContain("sh -c sleep 1111");
    expect(rows.some((r) => r.endsWith("sleep 1111"))).toBe(true);
    const options = lines(await stocked.must(["top", "busy", "-o", "pid,comm"]));
    expect(options[0]).toMatch(/^PID +COMMAND$/);
    expect(options).toHaveLength(3);
    expect((await stocked.host.sampan(["top", "busy", "-o", "comm"])).stderr).toContain("the output has no column PID");
    const stats = await stocked.must([
      "stats",
      "--no-stream",
      "--format",
      "{{.Name}} {{.CPUPerc}} {{.MemUsage}} {{.PIDs}}",
      "busy",
    ]);
    expect(stats).toMatch(/^busy \d+\.\d\d% [\d.]+(KiB|MiB) \/ 64MiB 2$/);
    expect(Number.parseFloat(stats.split(" ")[1] ?? "")).toBeGreaterThan(0);
    await stocked.must(["rm", "-f", "busy"]);
    expect((await stocked.host.sampan(["stats", "--no-stream", "busy"])).stderr).toContain(
      "there is none with this name",
    );
  });
});

describe("events and waiting", () => {
  it("events come once, in order, with what belongs to them, also from processes that have ended", async () => {
    const follower = stocked.host.spawnSampan(["events", "--filter", "container=seen", "--format", "{{.Action}}"]);
    let text = "";
    follower.stdout.on("data", (data: Buffer) => (text += data.toString()));
    // The follower listens once it has the directory open: an event that it must see tells so.
    await eventually("it listens", async () => {
      await stocked.must(["create", "--name", "seen", stocked.image("busybox"), "sh", "-c", "exit 7"]);
      await stocked.must(["rm", "seen"]);
      return text.includes("destroy");
    });
    text = "";
    await stocked.must(["create", "--name", "seen", stocked.image("busybox"), "sh", "-c", "exit 7"]);
    await stocked.must(["start", "seen"]);
    await stocked.must(["wait", "seen"]);
    await stocked.must(["rm", "seen"]);
    const expected = ["create", "start", "die", "destroy"];
    await eventually("all have come", () => lines(text).length >= expected.length);
    expect(lines(text)).toStrictEqual(expected);
    await follower.signal("SIGTERM");
    expect(await follower.exited).toBe(0);
    const die = lines(
      await stocked.must([
        "events",
        "--since",
        "1h",
        "--until",
        "0s",
        "-f",
        "event=die",
        "-f",
        "container=seen",
        "--format",
        "json",
      ]),
    ).map((line) => JSON.parse(line) as { Actor: { Attributes: Record<string, string> } });
    expect(die[0]?.Actor.Attributes).toMatchObject({ name: "seen", exitCode: "7", execDuration: "0" });
    expect((await stocked.host.sampan(["events", "--filter", "colour=red"])).stderr).toContain(
      "there is no such filter",
    );
  });

  it("a kill for want of memory is an event, also when the container lives on, and shows in its end", async () => {
    const eat = "head -c 200m /dev/zero | tail | wc -c";
    await start("eats", `sleep 1.3; (${eat}) >/dev/null 2>&1; sleep 1000`, "--memory", "32m", "--memory-swap", "32m");
    const actions = async (): Promise<string> =>
      await stocked.must([
        "events",
        "--since",
        "1h",
        "--until",
        "0s",
        "-f",
        "container=eats",
        "--format",
        "{{.Action}}",
      ]);
    await eventually("oom", async () => (await actions()).includes("oom"));
    expect(await format("{{.State.Status}}", "eats")).toBe("running");
    await stocked.must(["kill", "eats"]);
    await stocked.must(["wait", "eats"]);
    expect(await format("{{.State.OOMKilled}}", "eats")).toBe("true");
    expect(lines(await actions()).filter((a) => a === "oom")).toHaveLength(1);
    await stocked.must(["rm", "eats"]);
  });

  it("wait --condition next-exit and removed wait for what is to come", async () => {
    await start("again", "exit 3");
    expect(await stocked.must(["wait", "again"])).toBe("3");
    const next = stocked.host.spawnSampan(["wait", "--condition", "next-exit", "again"]);
    const gone = stocked.host.spawnSampan(["wait", "--condition", "removed", "again"]);
    let text = "";
    next.stdout.on("data", (data: Buffer) => (text += data.toString()));
    let end = "";
    gone.stdout.on("data", (data: Buffer) => (end += data.toString()));
    await eventually("told of a later end", async () => {
      await stocked.host.sampan(["start", "again"]);
      await stocked.must(["wait", "again"]);
      return text === "3\n";
    });
    expect(end).toBe("");
    await stocked.must(["rm", "again"]);
    await eventually("told of the removal", () => end === "3\n");
  });
});

describe("logs that are rotated", () => {
  it("a follower gets each line once across all files, and tail the last ones of several", async () => {
    const script = "while [ ! -e /go ]; do sleep 0.02; done; seq 1 6000; seq 6001 12000 >&2";
    await start("spins", script, "--log-opt", "max-size=16k", "--log-opt", "max-file=200");
    const follower = stocked.host.spawnSampan(["logs", "-f", "spins"]);
    let text = "";
    for (const stream of [follower.stdout, follower.stderr])
      stream.on("data", (data: Buffer) => (text += data.toString()));
    await stocked.must(["exec", "spins", "touch", "/go"]);
    await follower.exited;
    const numbers = lines(text)
      .map(Number)
      .toSorted((a, b) => a - b);
    expect(numbers).toStrictEqual(Array.from({ length: 12_000 }, (_, i) => i + 1));
    expect(lines((await stocked.host.sampan(["logs", "--tail", "700", "spins"])).stderr).map(Number)).toStrictEqual(
      Array.from({ length: 700 }, (_, i) => 11_301 + i),
    );
    await stocked.must(["rm", "-f", "spins"]);
  });

  it("keeps as many files as it may, and what is left has no gap; none keeps no log", async () => {
    await start("few", "seq 1 5000", "--log-opt", "max-size=10k", "--log-opt", "max-file=2");
    await stocked.must(["wait", "few"]);
    const numbers = lines(await stocked.must(["logs", "few"])).map(Number);
    expect(numbers.at(-1)).toBe(5000);
    expect(numbers.length).toBeLessThan(500);
    expect(numbers).toStrictEqual(numbers.map((_, i) => 5000 - numbers.length + 1 + i));
    await start("mute", "seq 1 10", "--log-driver", "none");
    await stocked.must(["wait", "mute"]);
    expect(await stocked.must(["logs", "mute"])).toBe("");
    await stocked.must(["rm", "few", "mute"]);
    const image = stocked.image("busybox");
    const failure = async (...options: readonly string[]): Promise<string> =>
      (await stocked.host.sampan(["create", ...options.flatMap((o) => ["--log-opt", o]), image])).stderr;
    expect(await failure("max-size=10")).toContain("the smallest size is 1k");
    expect(await failure("max-file=3")).toContain("max-size is missing");
    expect(await failure("colour=red")).toContain("it is max-size=BYTES, max-file=NUMBER, labels= or env=");
  });
});

describe("limits of the command line", () => {
  it("reach the cgroups, below a parent of one's own too", async () => {
    const flags = [
      "--cgroup-parent",
      `${stocked.host.cgroupParent}/jobs/night`,
      "--cpu-period",
      "50000",
      "--cpu-quota",
      "25000",
    ];
    const others = [
      "--oom-score-adj",
      "500",
      "--memory",
      "64m",
      "--memory-swappiness",
      "7",
      "--device-cgroup-rule",
      "c 42:* rm",
    ];
    await start("bound", "sleep 1000", ...flags, ...others);
    const script = [
      "cat /sys/fs/cgroup/cpu/cpu.cfs_period_us /sys/fs/cgroup/cpu/cpu.cfs_quota_us",
      "cat /sys/fs/cgroup/memory/memory.swappiness /proc/1/oom_score_adj",
      "grep 'c 42' /sys/fs/cgroup/devices/devices.list",
    ].join("; ");
    expect(lines(await stocked.must(["exec", "bound", "sh", "-c", script]))).toStrictEqual([
      "50000",
      "25000",
      "7",
      "500",
      "c 42:* rm",
    ]);
    const pid = await format("{{.State.Pid}}", "bound");
    expect(await stocked.host.must(["grep", "memory:", `/proc/${pid}/cgroup`])).toContain("/jobs/night/");
    await stocked.must(["rm", "-f", "bound"]);
  });

  it.each([
    [["--blkio-weight", "5"], "--blkio-weight"],
    [["--cpus", "1", "--cpu-quota", "1000"], "both say the same"],
    [["--cpu-period", "10"], "--cpu-period"],
    [["--device-read-bps", "/dev/null:1m"], "it is no block device"],
    [["--device-read-bps", "/none:1m"], "it is not there"],
    [["--device-read-bps", "1m"], "it is not DEVICE:NUMBER"],
    [["--device-cgroup-rule", "x"], "it is not TYPE MAJOR:MINOR ACCESS"],
    [["--memory", "64m", "--memory-reservation", "65m"], "it is above --memory"],
    [["--cgroup-parent", "../x"], "its path must be absolute and plain"],
    [["--memory-swappiness", "101"], "from -1 to 100"],
  ])("%j is refused", async (flags, problem) => {
    const { code, stderr } = await stocked.host.sampan(["create", ...flags, stocked.image("busybox")]);
    expect({ code, stderr }).toStrictEqual({ code: 1, stderr: expect.stringContaining(problem) as string });
  });
});
