/** Restart policies, health checks and dependencies, without a daemon; and what a supervisor that is killed leaves. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually, StockedHost } from "../support/stocked-host.ts";

let stocked: StockedHost;
beforeAll(async () => (stocked = await StockedHost.create(["busybox"])));
afterAll(async () => await stocked[Symbol.asyncDispose]());

interface Details {
  readonly RestartCount: number;
  readonly State: {
    readonly Status: string;
    readonly Running: boolean;
    readonly ExitCode: number;
    readonly Pid: number;
    readonly Health?: { readonly Status: string; readonly Log: readonly { ExitCode: number; Output: string }[] };
  };
}

const start = async (name: string, script: string, ...flags: readonly string[]): Promise<string> =>
  await stocked.must(["run", "-d", "--name", name, ...flags, stocked.image("busybox"), "sh", "-c", script]);
const details = async (name: string): Promise<Details> => await stocked.inspect<Details>(name);
const actions = async (name: string): Promise<readonly string[]> => {
  const format = ["--format", "{{.Action}}"];
  const text = await stocked.must(["events", "--since", "1h", "--until", "0s", "-f", `container=${name}`, ...format]);
  return text.split("\n");
};
/** Pids of supervisors, as the host has them. */
const supervisors = async (): Promise<readonly string[]> => {
  const script =
    "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline 2>/dev/null | grep -q ' supervise $' && echo ${p#/proc/}; done; true";
  return (await stocked.host.must(["sh", "-c", script])).split("\n").filter((line) => line !== "");
};

describe("restart policies", () => {
  it("on-failure:2 restarts a failing container twice, tells of it all, and the supervisor ends", async () => {
    await start("fails", "echo run; exit 3", "--restart", "on-failure:2");
    await eventually("given up", async () => (await actions("fails")).filter((a) => a === "die").length === 3);
    await eventually("no supervisor is left", async () => (await supervisors()).length === 0);
    const { RestartCount, State } = await details("fails");
    expect({ RestartCount, Status: State.Status, ExitCode: State.ExitCode }).toStrictEqual({
      RestartCount: 2,
      Status: "exited",
      ExitCode: 3,
    });
    expect(await actions("fails")).toStrictEqual(["create", "start", "die", "start", "die", "start", "die"]);
    expect(await stocked.must(["logs", "fails"])).toBe("run\nrun\nrun");
    await stocked.must(["rm", "fails"]);
  });

  it("a supervisor that is killed is replaced by the next command, which goes on with the counts", async () => {
    await start("always", "sleep 0.2; exit 1", "--restart", "always");
    await eventually("restarts", async () => (await details("always")).RestartCount >= 2);
    const [supervisor = ""] = await supervisors();
    await stocked.host.must(["kill", "-9", supervisor]);
    // The command that looks is the one that brings another.
    const before = (await details("always")).RestartCount;
    expect(before).toBeGreaterThanOrEqual(2);
    await eventually("restarts again", async () => (await details("always")).RestartCount > before);
    expect(await supervisors()).not.toContain(supervisor);
    expect(await supervisors()).toHaveLength(1);
    await stocked.must(["stop", "-t", "0", "always"]);
    await eventually("no supervisor is left", async () => (await supervisors()).length === 0);
    const stopped = (await details("always")).RestartCount;
    await stocked.must(["ps"]);
    expect((await details("always")).State.Status).toBe("exited");
    expect((await details("always")).RestartCount).toBe(stopped);
    await stocked.must(["rm", "always"]);
  });

  it("stop also ends the waiting for a restart, kill does, and kill of another signal does not", async () => {
    await start("waits", "exit 1", "--restart", "always");
    await eventually("restarting", async () => (await details("waits")).State.Status === "restarting");
    expect(await stocked.must(["ps", "--filter", "status=restarting", "--format", "{{.Names}} {{.Status}}"])).toMatch(
      /^waits Restarting \(1\) .+ ago$/,
    );
    await stocked.must(["stop", "waits"]);
    expect((await details("waits")).State.Status).toBe("exited");
    await start("hears", "trap 'exit 7' USR1; echo ready; while :; do sleep 0.05; done", "--restart", "always");
    await eventually("ready", async () => (await stocked.must(["logs", "hears"])) === "ready");
    await stocked.must(["kill", "-s", "USR1", "hears"]);
    await eventually("restarted", async () => (await details("hears")).RestartCount === 1);
    await stocked.must(["kill", "hears"]);
    await stocked.must(["wait", "hears"]);
    await eventually("no supervisor is left", async () => (await supervisors()).length === 0);
    expect((await details("hears")).State).toMatchObject({ Status: "exited", ExitCode: 137 });
    await stocked.must(["rm", "waits", "hears"]);
  });

  it("a container whose monitor was killed has ended, which is told once, and is started again", async () => {
    await start("orphan", "sleep 1000", "--restart", "always");
    const { Pid } = (await details("orphan")).State;
    const monitor = await stocked.host.must(["sh", "-c", `cut -d' ' -f4 /proc/${Pid}/stat`]);
    await stocked.host.must(["kill", "-9", monitor]);
    await eventually("restarted", async () => (await details("orphan")).RestartCount === 1);
    expect(await actions("orphan")).toStrictEqual(["create", "start", "die", "start"]);
    expect((await details("orphan")).State.Pid).not.toBe(Pid);
    await stocked.must(["rm", "-f", "orphan"]);
    await eventually("no supervisor is left", async () => (await supervisors()).length === 0);
  });

  it("update --restart makes a running container one that is looked after, and none of it again", async () => {
    await start("late", "sleep 1000");
    expect(await supervisors()).toHaveLength(0);
    await stocked.must(["update", "--restart", "always", "late"]);
    const { Pid } = (await details("late")).State;
    await stocked.host.must(["kill", "-9", String(Pid)]);
    await eventually("restarted", async () => (await details("late")).RestartCount === 1);
    await stocked.must(["update", "--restart", "no", "late"]);
    await eventually("no supervisor is left", async () => (await supervisors()).length === 0);
    await stocked.must(["rm", "-f", "late"]);
  });

  it("after the host went down, --boot starts what is to run: always also when it was stopped", async () => {
    const script = "sleep 1000";
    await start("a-runs", script, "--restart", "unless-stopped");
    await start("b-stopped", script, "--restart", "unless-stopped");
    await start("c-always", script, "--restart", "always");
    await start("d-no", script);
    await stocked.must(["stop", "-t", "0", "b-stopped", "c-always"]);
    // What a reboot leaves: no process, and nothing of /run.
    const processes: string[] = [];
    for (const name of ["a-runs", "d-no"]) {
      const { Pid } = (await details(name)).State;
      processes.push(await stocked.host.must(["sh", "-c", `cut -d' ' -f4 /proc/${Pid}/stat`]), String(Pid));
    }
    // All at once: a supervisor that is left would start again what has ended.
    await stocked.host.must(["kill", "-9", ...(await supervisors()), ...processes]);
    await rm(join(stocked.host.state, "containers"), { recursive: true });
    await rm(join(stocked.host.state, "events"), { recursive: true });
    stocked.host.spawnSampan(["supervise", "--boot"]);
    const running = async (): Promise<string> =>
      (await stocked.must(["ps", "--format", "{{.Names}}"])).split("\n").toSorted().join(" ");
    await eventually("started", async () => (await running()) === "a-runs c-always");
    await stocked.must(["rm", "-f", "a-runs", "b-stopped", "c-always", "d-no"]);
    await eventually("no supervisor is left", async () => (await supervisors()).length === 0);
  });
});

describe("health", () => {
  it("a check makes it healthy and unhealthy, in ps, inspect and events; --health-on-failure restart acts", async () => {
    const flags = ["--health-cmd", "echo looked; test -e /ok", "--health-interval", "100ms", "--health-retries", "2"];
    await start("checked", "touch /ok; sleep 1000", ...flags, "--health-on-failure", "restart", "--stop-timeout", "0");
    await eventually("healthy", async () => (await details("checked")).State.Health?.Status === "healthy");
    expect(await stocked.must(["ps", "--filter", "health=healthy", "--format", "{{.Names}} {{.Status}}"])).toMatch(
      /^checked Up .+ \(healthy\)$/,
    );
    expect((await details("checked")).State.Health?.Log.at(-1)).toMatchObject({ ExitCode: 0, Output: "looked\n" });
    const { Pid } = (await details("checked")).State;
    await stocked.must(["exec", "checked", "rm", "/ok"]);
    await eventually("another process", async () => ![0, Pid].includes((await details("checked")).State.Pid));
    await eventually("healthy again", async () => (await details("checked")).State.Health?.Status === "healthy");
    expect(await actions("checked")).toEqual(
      expect.arrayContaining(["health_status: healthy", "health_status: unhealthy", "restart"]),
    );
    // The checks themselves are no news.
    expect((await actions("checked")).filter((a) => a.startsWith("exec_create: /bin/sh"))).toStrictEqual([]);
    await stocked.must(["rm", "-f", "checked"]);
  });

  it("a check that does not end in time has failed, and is killed", async () => {
    const flags = ["--health-cmd", "sleep 777", "--health-interval", "100ms", "--health-timeout", "200ms"];
    await start("hangs", "sleep 1000", ...flags, "--health-retries", "1");
    await eventually("unhealthy", async () => (await details("hangs")).State.Health?.Status === "unhealthy");
    expect((await details("hangs")).State.Health?.Log[0]).toMatchObject({
      ExitCode: -1,
      Output: "Health check exceeded timeout (0.2s)",
    });
    // At most the one that runs now.
    const { stdout } = await stocked.host.run(["sh", "-c", "ps -eo args | grep -cx 'sleep 777'"]);
    expect(Number(stdout)).toBeLessThanOrEqual(1);
    await stocked.must(["rm", "-f", "hangs"]);
  });

  it("refuses a check that can't be", async () => {
    const image = stocked.image("busybox");
    const failure = async (...flags: readonly string[]): Promise<string> =>
      (await stocked.host.sampan(["create", ...flags, image])).stderr;
    expect(await failure("--health-interval", "soon")).toContain(
      'Cannot parse --health-interval "soon": it is no duration',
    );
    expect(await failure("--health-retries", "3")).toContain("neither the image nor the options say how");
    expect(await failure("--no-healthcheck", "--health-cmd", "x")).toContain("they exclude each other");
    expect(await failure("--health-on-failure", "kill")).toContain("the container has no health check");
    expect(await failure("--restart", "sometimes")).toContain("there is no such policy");
    expect(await failure("--restart", "always", "--rm")).toContain("leave --restart or --rm out");
  });
});

describe("dependencies", () => {
  it("start starts what a container depends on, and waits until it is healthy", async () => {
    const image = stocked.image("busybox");
    const check = ["--health-cmd", "test -e /up", "--health-interval", "100ms", "--health-start-period", "30s"];
    await stocked.must(["create", "--name", "db", ...check, image, "sh", "-c", "sleep 0.7; touch /up; sleep 1000"]);
    await stocked.must(["create", "--name", "job", image, "sh", "-c", "sleep 0.3; exit 0"]);
    const needs = ["--depends-on", "db:healthy", "--depends-on", "job:completed"];
    await stocked.must(["run", "-d", "--name", "web", ...needs, image, "sleep", "1000"]);
    expect((await details("db")).State.Health?.Status).toBe("healthy");
    expect((await details("job")).State).toMatchObject({ Status: "exited", ExitCode: 0 });
    await stocked.must(["rm", "-f", "web", "db"]);
    await stocked.must(["create", "--name", "bad", image, "false"]);
    const failed = await stocked.host.sampan(["run", "--name", "w2", "--depends-on", "bad:completed", image, "true"]);
    expect(failed.stderr).toBe('sampan: Cannot start container "w2": "bad", which it depends on, has failed\n');
    const none = await stocked.host.sampan(["run", "--depends-on", "nobody", image, "true"]);
    expect(none.stderr).toContain('Cannot find container "nobody"');
    await stocked.must(["rm", "-f", "job", "bad"]);
    expect(await stocked.containers()).toStrictEqual([]);
  });
});
