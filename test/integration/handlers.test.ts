/** Other runtimes: runc, crun and runsc make containers, and nobody who uses one notices; what fails leaves nothing. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { StockedHost } from "../support/stocked-host.ts";

let stocked: StockedHost;
beforeAll(async () => (stocked = await StockedHost.create(["busybox"])));
afterAll(async () => await stocked[Symbol.asyncDispose]());

// One test's failure is not to be the next one's.
afterEach(async () => {
  await stocked.host.sampan(["pod", "rm", "-f", "shop"]);
  await stocked.host.sampan(["rm", "-f", "web", "side"]);
});

const run = (runtime: string, ...args: readonly string[]): readonly string[] => [
  "run",
  "--network",
  "none",
  "--runtime",
  runtime,
  ...args,
];
/** What containers of other runtimes leave: state directories, cgroups, mounts and what the runtimes know. */
const left = async (): Promise<string> => {
  const { state, cgroupParent } = stocked.host;
  const script = `ls -A ${state}/containers; ls -A ${state}/runtimes/* 2>/dev/null | grep -E '^[0-9a-f]{64}' ; ls -d /sys/fs/cgroup/*${cgroupParent}/*/ 2>/dev/null; grep -E '${state}/(root|containers)' /proc/self/mountinfo; true`;
  return await stocked.host.must(["sh", "-c", script]);
};

describe.each(["runc", "crun", "runsc"])("--runtime %s", (runtime) => {
  it("runs, executes, limits, pauses, stops and tells of the end as the built-in one does", async () => {
    const image = stocked.image("busybox");
    const script = "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.1; done";
    await stocked.must(run(runtime, "-d", "--name", "web", "--memory", "128m", "-e", "A=b", image, "sh", "-c", script));
    expect(await stocked.must(["inspect", "-f", "{{.HostConfig.Runtime}} {{.State.Status}}", "web"])).toBe(
      `${runtime} running`,
    );
    expect(await stocked.must(["exec", "web", "sh", "-c", "echo $A; id -u; cat /etc/hostname | wc -c"])).toBe(
      "b\n0\n13",
    );
    expect((await stocked.host.sampan(["exec", "web", "sh", "-c", "echo no >&2; exit 5"])).code).toBe(5);
    const missing = await stocked.host.sampan(["exec", "web", "nothere"]);
    expect(missing.code).toBe(127);
    expect(missing.stderr).toContain(`Cannot run "nothere" in the container: runtime "${runtime}": `);
    expect(await stocked.must(["stats", "--no-stream", "--format", "{{.MemUsage}}", "web"])).toMatch(/ \/ 128MiB$/);
    await stocked.must(["pause", "web"]);
    expect(await stocked.must(["inspect", "-f", "{{.State.Status}}", "web"])).toBe("paused");
    await stocked.must(["unpause", "web"]);
    await stocked.must(["update", "--memory", "160m", "web"]);
    expect(await stocked.must(["stats", "--no-stream", "--format", "{{.MemUsage}}", "web"])).toMatch(/ \/ 160MiB$/);
    await stocked.must(["stop", "web"]);
    expect(await stocked.must(["inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "web"])).toBe("exited 3");
    expect(await stocked.must(["logs", "web"])).toBe("up\nbye");
    await stocked.must(["start", "web"]);
    await stocked.must(["rm", "-f", "web"]);
    const absent = await stocked.host.sampan(run(runtime, "--rm", image, "nothere"));
    expect(absent.code).toBe(127);
    expect(absent.stderr).toContain(`runtime "${runtime}": `);
    expect(await left()).toBe("");
  });

  it("a killed monitor makes its container lost, and the next start or removal ends what is left of it", async () => {
    const image = stocked.image("busybox");
    const id = await stocked.must(run(runtime, "-d", "--name", "web", image, "sleep", "1000"));
    const pids = await stocked.host.must(["cat", `${stocked.host.state}/containers/${id}/pid`]);
    await stocked.host.must(["kill", "-9", pids.split(" ")[2] ?? ""]);
    expect(await stocked.must(["inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "web"])).toBe("exited 255");
    await stocked.must(["rm", "web"]);
    expect(await left()).toBe("");
  });
});

describe("a runtime that fails", () => {
  /** A runtime of one's own making, and the configuration that names it. */
  const fake = (name: string, script: string): Record<string, string> => {
    const directory = join(stocked.host.state, "fakes");
    mkdirSync(directory, { recursive: true });
    const path = join(directory, name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    const config = join(directory, `${name}.toml`);
    writeFileSync(config, `[runtimes.${name}]\npath = "${path}"\n`);
    return { SAMPAN_CONFIG: config };
  };
  const failure = async (name: string, script: string): Promise<string> => {
    const env = fake(name, script);
    const { code, stderr } = await stocked.host.sampan(run(name, "--rm", stocked.image("busybox"), "true"), { env });
    expect(code).toBe(125);
    return stderr;
  };

  it("is named with its own words, and nothing of the container is left", async () => {
    const log = 'for a; do case "$a" in --log=*) log=${a#--log=};; esac; done';
    expect(await failure("broken", `${log}; echo '{"level":"error","msg":"no luck today"}' >> "$log"; exit 1`)).toBe(
      'sampan: Cannot start the container: runtime "broken": no luck today\n',
    );
    expect(await failure("silent", "exit 7")).toBe(
      'sampan: Cannot start the container: runtime "silent": exited with status 7\n',
    );
    expect(await failure("lying", "exit 0")).toContain("it did not write the pid of a process");
    const garbage = 'for a; do case "$a" in --pid-file=*) echo rubbish > "${a#--pid-file=}";; esac; done';
    expect(await failure("garbage", garbage)).toContain("it did not write the pid of a process");
    expect(await left()).toBe("");
  });

  it("is told when it is unknown or not there", async () => {
    const image = stocked.image("busybox");
    expect((await stocked.host.sampan(run("nothing", image))).stderr).toMatch(
      /Cannot use runtime "nothing": it is in no configuration/,
    );
    const env = fake("gone", "exit 0");
    writeFileSync(env["SAMPAN_CONFIG"] ?? "", '[runtimes.gone]\npath = "/nowhere/gone"\n');
    expect((await stocked.host.sampan(run("gone", image), { env })).stderr).toContain(
      'Cannot use runtime "gone": there is no program "/nowhere/gone"',
    );
  });
});

describe("a pod of runsc", () => {
  it("has one sandbox, in which its containers see each other's network and end with their own status", async () => {
    await stocked.must(["pod", "create", "--runtime", "runsc", "--network", "none", "shop"]);
    const member = (name: string, script: string): readonly string[] => [
      "run",
      "-d",
      "--pod",
      "shop",
      "--name",
      name,
      stocked.image("busybox"),
      "sh",
      "-c",
      script,
    ];
    await stocked.must(member("web", "echo served | nc -l -p 80 > /dev/null; exit 4"));
    await stocked.must(member("side", "sleep 1; nc 127.0.0.1 80 < /dev/null; exit 9"));
    expect(await stocked.must(["wait", "side", "web"])).toBe("9\n4");
    expect(await stocked.must(["logs", "side"])).toBe("served");
    const refused = await stocked.host.sampan(["update", "--memory", "64m", "web"]);
    expect(refused.stderr).toContain('runtime "runsc" has one sandbox for all of its pod');
    await stocked.must(["pod", "rm", "-f", "shop"]);
    expect(await left()).toBe("");
  });
});
