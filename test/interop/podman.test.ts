/** Debian's podman with `sampan-oci` in runc's place. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testImage } from "../support/images.ts";
import { ociProgram } from "../support/oci-host.ts";
import { mustHere, type CommandResult } from "../support/process.ts";
import { Terminal } from "../support/pty.ts";
import { TestHost } from "../support/testhost.ts";

let host: TestHost;
let base: readonly string[];
const image = "localhost/test:1";

beforeAll(async () => {
  host = await TestHost.create();
  // podman allows no more than 50 characters for some of them; /run is the test host's own.
  const own = ["runroot", "tmpdir", "volumepath"].flatMap((option) => [`--${option}`, `/run/podman/${option}`]);
  await host.must(["mkdir", "-p", "/run/podman"]);
  base = [
    ...["podman", "--root", join(host.files, "podman"), ...own],
    ...["--storage-driver", "overlay", "--cgroup-manager", "cgroupfs", "--events-backend", "file"],
    ...["--runtime", ociProgram, "--runtime-flag", `root=${join(host.directory, "oci")}`],
  ];
  const archive = join(host.files, "image.tar");
  await mustHere([
    "skopeo",
    "--insecure-policy",
    "copy",
    "-q",
    await testImage("busybox"),
    `oci-archive:${archive}:${image}`,
  ]);
  await host.must([...base, "load", "--quiet", "--input", archive]);
});
afterAll(async () => await host[Symbol.asyncDispose]());

const common = (): string[] => ["--network", "none", "--cgroup-parent", host.cgroupParent, "--log-driver", "k8s-file"];
const podman = async (args: readonly string[], input?: string): Promise<CommandResult> =>
  await host.run([...base, ...args], { cwd: host.files, ...(input !== undefined && { input }) });
const must = async (args: readonly string[]): Promise<string> =>
  await host.must([...base, ...args], { cwd: host.files });

describe("podman --runtime sampan-oci", () => {
  it("run passes stdin, output and exit code", async () => {
    const script = "read x; echo out-$x; echo err >&2; exit 42";
    expect(await podman(["run", "--rm", "-i", ...common(), image, "sh", "-c", script], "word\n")).toMatchObject({
      code: 42,
      stdout: "out-word\n",
      stderr: "err\n",
    });
  });

  it("run tells a command that is not there (127) from one that can't be run (126)", async () => {
    expect((await podman(["run", "--rm", ...common(), image, "nosuch"])).code).toBe(127);
    expect((await podman(["run", "--rm", ...common(), image, "/no/such"])).code).toBe(127);
    expect((await podman(["run", "--rm", ...common(), image, "/etc"])).code).toBe(126);
  });

  it("run -t and attach have a terminal", async () => {
    const terminal = new Terminal(host, [...base, "run", "--rm", "-it", ...common(), image, "sh"]);
    terminal.type("tty; stty size; exit 3\n");
    await terminal.until(/\/dev\/pts\/0[^]*24 80/);
    expect(await terminal.exited).toBe(3);
  });

  it("run -d, logs, exec with and without a terminal, top, stop", async () => {
    const id = await must(["run", "-d", ...common(), image, "sh", "-c", "echo hello; exec sleep 1000"]);
    await expect.poll(async () => await must(["logs", id])).toBe("hello");
    expect(await must(["exec", "-e", "A=b", "-w", "/tmp", id, "sh", "-c", "pwd; echo $A"])).toBe("/tmp\nb");
    expect((await podman(["exec", id, "sh", "-c", "exit 5"])).code).toBe(5);
    expect((await podman(["exec", id, "nosuch"])).code).toBe(127);
    const terminal = new Terminal(host, [...base, "exec", "-it", id, "sh"]);
    terminal.type("tty; exit 6\n");
    await terminal.until(/\/dev\/pts\/\d/);
    expect(await terminal.exited).toBe(6);
    expect(await must(["top", id, "args"])).toContain("sleep 1000");
    await must(["stop", "-t", "1", id]);
    expect(await must(["inspect", "--format", "{{.State.ExitCode}} {{.State.Status}}", id])).toBe("137 exited");
    await must(["rm", id]);
  });

  it("limits are seen inside and enforced; pause and unpause hold and release", async () => {
    const limits = ["--memory", "64m", "--pids-limit", "20", "--cpu-shares", "512"];
    const counter = "i=0; while :; do i=$((i+1)); echo $i > /tmp/i; sleep 0.05; done";
    const id = await must(["run", "-d", ...limits, ...common(), image, "sh", "-c", counter]);
    const limit =
      "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/cpu/cpu.shares";
    expect(await must(["exec", id, "sh", "-c", limit])).toBe(`${64 * 1024 * 1024}\n20\n512`);
    await must(["pause", id]);
    expect(await must(["inspect", "--format", "{{.State.Status}}", id])).toBe("paused");
    const read = async (): Promise<string> =>
      await host.must(["cat", await must(["inspect", "--format", "/proc/{{.State.Pid}}/root/tmp/i", id])]);
    const before = await read();
    expect(await read()).toBe(before);
    await must(["unpause", id]);
    await expect.poll(read).not.toBe(before);
    await must(["rm", "-f", "-t", "0", id]);
    const memory = "x=a; while :; do x=$x$x; done";
    expect((await podman(["run", "--rm", "--memory", "16m", ...common(), image, "sh", "-c", memory])).code).toBe(137);
  });

  it("users, capabilities, read-only root, tmpfs, volumes and sysctls come through", async () => {
    const script =
      "id -u; grep CapEff /proc/self/status; touch /x 2>&1; touch /t/y && ls /t; cat /v/file; cat /proc/sys/kernel/msgmax";
    await host.must(["sh", "-c", `mkdir -p ${host.files}/v && echo content > ${host.files}/v/file`]);
    const options = [
      ...["--user", "7:8", "--read-only", "--tmpfs", "/t", "-v", `${host.files}/v:/v:ro`],
      ...["--sysctl", "kernel.msgmax=4096", "--cap-drop", "all"],
    ];
    expect(await must(["run", "--rm", ...options, ...common(), image, "sh", "-c", script])).toBe(
      "7\nCapEff:\t0000000000000000\ntouch: /x: Read-only file system\ny\ncontent\n4096",
    );
  });

  it("build runs its commands in it", async () => {
    await host.must(["sh", "-c", `printf 'FROM ${image}\\nRUN echo built > /built\\n' > ${host.files}/Containerfile`]);
    await must([
      "build",
      "-q",
      "--network",
      "none",
      // The builder gives the parent itself to each of its containers.
      "--cgroup-parent",
      `${host.cgroupParent}/build`,
      "-t",
      "localhost/built:1",
      "-f",
      `${host.files}/Containerfile`,
    ]);
    expect(await must(["run", "--rm", ...common(), "localhost/built:1", "cat", "/built"])).toBe("built");
  });
});
