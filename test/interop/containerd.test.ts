/** Debian's containerd and its shim with `sampan-oci` in runc's place. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { containerdConfig } from "../support/containerd.ts";
import { testImage } from "../support/images.ts";
import { ociProgram } from "../support/oci-host.ts";
import { mustHere, type CommandResult, type HostProcess } from "../support/process.ts";
import { Terminal } from "../support/pty.ts";
import { TestHost } from "../support/testhost.ts";

let host: TestHost;
let daemon: HostProcess;
let client: readonly string[];
const image = "localhost/test:1";

beforeAll(async () => {
  host = await TestHost.create();
  const directory = join(host.files, "containerd");
  await mkdir(directory);
  const config = join(directory, "config.toml");
  const socket = "/run/containerd/containerd.sock";
  await writeFile(config, containerdConfig(directory, socket));
  daemon = host.spawn(["containerd", "--config", config]);
  daemon.stdout.resume();
  daemon.stderr.resume();
  client = ["ctr", "--address", socket, "--namespace", host.id];
  for (let attempt = 0; (await host.run([...client, "version"])).code !== 0; attempt++) {
    if (attempt === 100) throw new Error("Cannot reach containerd: it does not answer");
    await sleep(100);
  }
  const archive = join(host.files, "image.tar");
  await mustHere([
    "skopeo",
    "--insecure-policy",
    "copy",
    "-q",
    await testImage("busybox"),
    `oci-archive:${archive}:${image}`,
  ]);
  await host.must([...client, "images", "import", "--snapshotter", "overlayfs", archive]);
});
afterAll(async () => await host[Symbol.asyncDispose]());

const run = (...args: string[]): string[] => [
  ...[...client, "run", "--snapshotter", "overlayfs", "--runtime", "io.containerd.runc.v2"],
  ...["--runc-binary", ociProgram, "--runc-root", join(host.directory, "oci"), ...args],
];
const ctr = async (...args: string[]): Promise<CommandResult> => await host.run([...client, ...args]);

describe("ctr run --runc-binary sampan-oci", () => {
  it("run passes output and exit code, and leaves nothing", async () => {
    expect(await host.run(run("--rm", image, "once", "sh", "-c", "echo out; echo err >&2; exit 42"))).toMatchObject({
      code: 42,
      stdout: "out\n",
      stderr: expect.stringContaining("err\n") as string,
    });
    expect((await ctr("tasks", "ls", "-q")).stdout).toBe("");
  });

  it("run -t has a terminal", async () => {
    const terminal = new Terminal(host, run("--rm", "-t", image, "terminal", "sh"));
    terminal.type("tty; exit 3\n");
    await terminal.until(/\/dev\/pts\/0/);
    expect(await terminal.exited).toBe(3);
  });

  it("run says which command is not there", async () => {
    const { code, stderr } = await host.run(run("--rm", image, "missing", "nosuch"));
    expect(code).not.toBe(0);
    expect(stderr).toContain("executable file not found in $PATH");
  });

  it("exec, ps, metrics, pause, resume, kill and delete work on a running task", async () => {
    await host.must(run("-d", "--memory-limit", String(64 << 20), image, "long", "sleep", "1000"));
    const exec = ["tasks", "exec", "--exec-id"];
    expect(await ctr(...exec, "one", "long", "sh", "-c", "hostname; exit 6")).toMatchObject({ code: 6 });
    // containerd's namespace names the cgroup.
    const limit = await host.must(["cat", `/sys/fs/cgroup/memory/${host.id}/long/memory.limit_in_bytes`]);
    expect(limit).toBe(String(64 << 20));
    const terminal = new Terminal(host, [...client, ...exec, "three", "-t", "long", "sh"]);
    terminal.type("tty; exit 4\n");
    await terminal.until(/\/dev\/pts\/\d/);
    expect(await terminal.exited).toBe(4);
    expect((await ctr("tasks", "ps", "long")).stdout).toMatch(/^PID[^]*\d/);
    expect((await ctr("tasks", "metrics", "long")).code).toBe(0);
    await host.must([...client, "tasks", "pause", "long"]);
    expect((await ctr("tasks", "ls")).stdout).toMatch(/long\s+\d+\s+PAUSED/);
    await host.must([...client, "tasks", "resume", "long"]);
    expect((await ctr("tasks", "ls")).stdout).toMatch(/long\s+\d+\s+RUNNING/);
    await host.must([...client, "tasks", "kill", "-s", "SIGKILL", "long"]);
    await expect.poll(async () => (await ctr("tasks", "ls")).stdout).toMatch(/long\s+\d+\s+STOPPED/);
    await host.must([...client, "tasks", "rm", "long"]);
    expect((await ctr("tasks", "ls", "-q")).stdout).toBe("");
    await host.must([...client, "containers", "rm", "long"]);
  });
});
