/** Containers in the background: `ps`, `logs`, `stop`, `kill`, `wait`, `start`, `rm`, `inspect`, and names. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually, StockedHost } from "../support/stocked-host.ts";

let stocked: StockedHost;
beforeAll(async () => (stocked = await StockedHost.create(["busybox"])));
afterAll(async () => await stocked[Symbol.asyncDispose]());

/** Starts a container in the background with a shell script; resolves with its id. */
const start = async (name: string, script: string, ...flags: readonly string[]): Promise<string> =>
  await stocked.must(["run", "-d", "--name", name, ...flags, stocked.image("busybox"), "sh", "-c", script]);

const lines = (text: string): readonly string[] => text.split("\n").filter((line) => line !== "");

describe("run -d, ps and inspect", () => {
  it("run -d prints the id at once, ps lists what runs, ps -a and -q and --format json the rest", async () => {
    const id = await start("one", "sleep 1000");
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    await stocked.must(["run", "--name", "two", stocked.image("busybox"), "sh", "-c", "exit 3"]).catch(() => "");

    const [header, row, ...rest] = lines(await stocked.must(["ps"]));
    expect(header).toMatch(/^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES$/);
    expect(row).toMatch(
      new RegExp(`^${id.slice(0, 12)} +${stocked.image("busybox")} +"sh -c sleep 1000" +.* ago +Up .+ one$`),
    );
    expect(rest).toStrictEqual([]);
    const all = lines(await stocked.must(["ps", "-a"]));
    expect(all).toHaveLength(3);
    expect(all[1]).toMatch(/ Exited \(3\) .+ two$/);
    expect(lines(await stocked.must(["ps", "-q"]))).toStrictEqual([id.slice(0, 12)]);
    expect(await stocked.must(["ps", "-q", "--no-trunc"])).toBe(id);
    const json = lines(await stocked.must(["ps", "-a", "--format", "json"])).map((line) => JSON.parse(line) as object);
    expect(json).toMatchObject([
      { Names: "two", State: "exited", Image: stocked.image("busybox") },
      { Names: "one", State: "running", ID: id.slice(0, 12) },
    ]);
    await stocked.must(["rm", "-f", "one", "two"]);
    expect(await stocked.containers()).toStrictEqual([]);
  });

  it("inspect shows a container from its making to its end, and an image", async () => {
    const flags = ["-e", "A=b", "--memory", "64m", "-w", "/tmp", "-v", "/usr:/host:ro"];
    const id = await start("looked-at", "read x; exit 4", "-i", ...flags);
    const running = await stocked.inspect<Record<string, unknown>>("looked-at");
    expect(running).toMatchObject({
      Id: id,
      Name: "looked-at",
      Path: "sh",
      Args: ["-c", "read x; exit 4"],
      State: { Status: "running", Running: true, ExitCode: 0, OOMKilled: false },
      HostConfig: { Memory: "64m", NetworkMode: "bridge" },
      Mounts: [{ Type: "bind", Source: "/usr", Destination: "/host", RW: false }],
      Config: { WorkingDir: "/tmp", Image: stocked.image("busybox"), OpenStdin: true },
    });
    expect((running["Config"] as { Env: string[] }).Env).toContain("A=b");
    const { Pid } = running["State"] as { Pid: number };
    expect(await stocked.host.must(["cat", `/proc/${Pid}/comm`])).toBe("sh");
    await stocked.must(["kill", "looked-at"]);
    await stocked.must(["wait", "looked-at"]);
    const ended = await stocked.inspect("looked-at");
    expect(ended.State).toMatchObject({ Status: "exited", Running: false, Pid: 0, ExitCode: 137 });
    const image = await stocked.inspect<Record<string, unknown>>(stocked.image("busybox"));
    expect(image).toMatchObject({
      Id: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
      Os: "linux",
      Config: { Cmd: ["sh"] },
    });
    const by = await stocked.host.sampan(["inspect", "looked-at", "no-such-thing"]);
    expect(by.code).toBe(1);
    expect(JSON.parse(by.stdout)).toHaveLength(1);
    await stocked.must(["rm", "looked-at"]);
  });

  it("a container is found by name, id, or a beginning of the id that only one has", async () => {
    const id = await start("named", "sleep 1000");
    for (const word of ["named", id, id.slice(0, 12), id.slice(0, 4)])
      expect((await stocked.inspect(word)).Id).toBe(id);
    expect((await stocked.host.sampan(["inspect", "--type", "container", "name"])).code).toBe(1);
    const { code, stderr } = await stocked.host.sampan([
      "run",
      "-d",
      "--name",
      "named",
      stocked.image("busybox"),
      "true",
    ]);
    expect(code).toBe(125);
    expect(stderr).toBe(
      `sampan: Cannot use name "named": container ${id.slice(0, 12)} has it. Remove that container or take another name\n`,
    );
    await stocked.must(["rm", "-f", id.slice(0, 6)]);
    // The name is free again.
    await stocked.must(["run", "--rm", "--name", "named", stocked.image("busybox"), "true"]);
  });
});

describe("logs", () => {
  it("logs prints stdout and stderr apart, --tail the last lines, -t the times, --since and --until a part", async () => {
    await start("talks", "echo one; echo two >&2; sleep 1.2; echo three; printf unfinished");
    await stocked.must(["wait", "talks"]);
    const { stdout, stderr } = await stocked.host.sampan(["logs", "talks"]);
    // The log's format, which is the CRI's, has whole lines only: what was not finished by the end counts as one.
    expect({ stdout, stderr }).toStrictEqual({ stdout: "one\nthree\nunfinished\n", stderr: "two\n" });
    expect((await stocked.host.sampan(["logs", "--tail", "2", "talks"])).stdout).toBe("three\nunfinished\n");
    expect((await stocked.host.sampan(["logs", "-n", "0", "talks"])).stdout).toBe("");
    const stamped = lines((await stocked.host.sampan(["logs", "-t", "talks"])).stdout);
    expect(stamped).toStrictEqual([
      expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z one$/),
      expect.stringMatching(/^\S+Z three$/),
      expect.stringMatching(/^\S+Z unfinished$/),
    ]);
    const time = stamped[1]?.split(" ")[0] ?? "";
    const since = new Date(Date.parse(time) - 500).toISOString();
    expect((await stocked.host.sampan(["logs", "--since", since, "talks"])).stdout).toBe("three\nunfinished\n");
    expect((await stocked.host.sampan(["logs", "--until", since, "talks"])).stdout).toBe("one\n");
    expect((await stocked.host.sampan(["logs", "--since", "1h", "talks"])).stdout).toBe("one\nthree\nunfinished\n");
    await stocked.must(["rm", "talks"]);
  });

  it("logs -f follows until the container ends, with all of its output", async () => {
    await start("follow", "for i in 1 2 3 4 5; do echo line $i; sleep 0.2; done; seq 20000; echo last");
    const { stdout, code } = await stocked.host.sampan(["logs", "-f", "follow"]);
    const all = lines(stdout);
    expect({ code, first: all[0], last: all.at(-1), count: all.length }).toStrictEqual({
      code: 0,
      first: "line 1",
      last: "last",
      count: 20_006,
    });
    expect(lines((await stocked.host.sampan(["logs", "-f", "--tail", "1", "follow"])).stdout)).toStrictEqual(["last"]);
    await stocked.must(["rm", "follow"]);
  });

  it("logs keep a line of 1 MB, and bytes that are no text, as they were", async () => {
    const script = "head -c 1000000 /dev/zero | tr '\\0' x; echo; printf 'a\\000b\\377\\n'";
    await start("odd", script);
    await stocked.must(["wait", "odd"]);
    const sum = "sha256sum";
    const program = `${import.meta.dirname}/../../sampan`;
    const logged = await stocked.host.must(["sh", "-c", `"$0" logs odd | ${sum}`, program]);
    expect(logged).toBe(await stocked.host.must(["sh", "-c", `(${script}) | ${sum}`]));
    await stocked.must(["rm", "odd"]);
  });
});

describe("stop, kill, wait, start and rm", () => {
  it("stop sends SIGTERM, or --stop-signal, and waits for the end", async () => {
    await start("polite", "trap 'echo got TERM; exit 5' TERM; echo ready; while :; do sleep 0.05; done");
    await eventually("ready", async () => (await stocked.must(["logs", "polite"])) === "ready");
    expect(await stocked.must(["stop", "polite"])).toBe("polite");
    expect(await stocked.must(["logs", "polite"])).toBe("ready\ngot TERM");
    expect((await stocked.inspect("polite")).State).toMatchObject({ Status: "exited", ExitCode: 5 });
    expect(await stocked.must(["stop", "polite"])).toBe("polite");
    await start("other", "trap 'exit 6' HUP; echo ready; while :; do sleep 0.05; done", "--stop-signal", "HUP");
    await eventually("ready", async () => (await stocked.must(["logs", "other"])) === "ready");
    await stocked.must(["stop", "other"]);
    expect(await stocked.must(["wait", "other"])).toBe("6");
    await stocked.must(["rm", "polite", "other"]);
  });

  it("stop -t kills after so many seconds: 137", async () => {
    await start("deaf", "trap '' TERM; echo ready; while :; do sleep 0.05; done");
    await eventually("ready", async () => (await stocked.must(["logs", "deaf"])) === "ready");
    const began = Date.now();
    await stocked.must(["stop", "-t", "1", "deaf"]);
    expect(Date.now() - began).toBeGreaterThan(1000);
    expect(Date.now() - began).toBeLessThan(9000);
    expect(await stocked.must(["wait", "deaf"])).toBe("137");
    await stocked.must(["rm", "deaf"]);
  });

  it("kill -s sends any signal, by name or number", async () => {
    await start("hears", "trap 'echo USR1' USR1; trap 'echo HUP' HUP; echo ready; while :; do sleep 0.05; done");
    const log = async (): Promise<string> => await stocked.must(["logs", "hears"]);
    await eventually("ready", async () => (await log()) === "ready");
    await stocked.must(["kill", "-s", "SIGUSR1", "hears"]);
    await eventually("USR1", async () => (await log()).endsWith("USR1"));
    await stocked.must(["kill", "--signal", "1", "hears"]);
    await eventually("HUP", async () => (await log()).endsWith("HUP"));
    await stocked.must(["kill", "hears"]);
    expect(await stocked.must(["wait", "hears"])).toBe("137");
    const again = await stocked.host.sampan(["kill", "hears"]);
    expect({ code: again.code, stderr: again.stderr }).toStrictEqual({
      code: 1,
      stderr: expect.stringMatching(/^sampan: Cannot .+ not running\n$/) as string,
    });
    await stocked.must(["rm", "hears"]);
  });

  it("wait prints each exit code, in order, as they end", async () => {
    await start("quick", "exit 7");
    await start("slow", "sleep 0.7; exit 8");
    expect(await stocked.must(["wait", "slow", "quick"])).toBe("8\n7");
    await stocked.must(["rm", "slow", "quick"]);
  });

  it("wait that is there before the end gets the same code as one after it", async () => {
    await start("watched", "sleep 1; exit 9");
    const before = stocked.must(["wait", "watched"]);
    const many = Array.from({ length: 4 }, async () => await stocked.must(["wait", "watched"]));
    expect(await Promise.all([before, ...many])).toStrictEqual(["9", "9", "9", "9", "9"]);
    expect(await stocked.must(["wait", "watched"])).toBe("9");
    await stocked.must(["rm", "watched"]);
  });

  it("start runs it again with what it has written, and its log goes on", async () => {
    await start("again", "echo x >> /count; wc -l < /count; exit 2");
    await stocked.must(["wait", "again"]);
    expect(await stocked.must(["start", "again"])).toBe("again");
    expect(await stocked.must(["wait", "again"])).toBe("2");
    expect(await stocked.must(["logs", "again"])).toBe("1\n2");
    await start("runs", "sleep 1000");
    const { code, stderr } = await stocked.host.sampan(["start", "runs"]);
    expect(code).toBe(1);
    expect(stderr).toContain("it is running");
    await stocked.must(["rm", "-f", "again", "runs"]);
  });

  it("rm refuses a running container without -f; rm -f takes any, and none", async () => {
    await start("busy", "sleep 1000");
    const { code, stderr } = await stocked.host.sampan(["rm", "busy"]);
    expect(code).toBe(1);
    expect(stderr).toContain("it is running. Stop it first, or remove it with --force");
    expect((await stocked.inspect("busy")).State.Running).toBe(true);
    expect(await stocked.must(["rm", "-f", "busy", "no-such-container"])).toBe("busy");
    const mixed = await stocked.host.sampan(["rm", "no-such-container", "nor-this"]);
    expect({ code: mixed.code, lines: lines(mixed.stderr).length }).toStrictEqual({ code: 1, lines: 2 });
    expect(await stocked.containers()).toStrictEqual([]);
    expect(await stocked.host.processes()).toHaveLength(1); // the registry
  });
});
