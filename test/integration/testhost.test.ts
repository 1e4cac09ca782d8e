import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cgroupMounts, cgroupTree } from "../support/cgroups.ts";
import { HostState, expectUnchanged } from "../support/snapshot-host.ts";
import { checkout } from "../support/checkout.ts";
import { TestHost } from "../support/testhost.ts";

describe("TestHost", () => {
  it("run() gives output and exit code of a command", async () => {
    await using host = await TestHost.create();
    expect(await host.run(["sh", "-c", "cat; echo two >&2; exit 3"], { input: "one" })).toStrictEqual({
      stdout: "one",
      stderr: "two\n",
      code: 3,
    });
    expect((await host.run(["sh", "-c", "kill -9 $$"])).code).toBe(137);
    expect((await host.run(["no-such-command"])).code).toBe(127);
  });

  it("run() ends a command after its timeout, even when a child holds its output", async () => {
    await using host = await TestHost.create();
    const { code, stdout } = await host.run(["sh", "-c", "echo one; setsid sleep 60 & wait"], { timeout: 300 });
    expect({ code, stdout }).toStrictEqual({ code: 124, stdout: "one\n" });
  });

  it("has namespaces, /run, /tmp and a loopback interface of its own", async () => {
    await using host = await TestHost.create();
    const script = "hostname; cd /sys/class/net && echo *; ls -A /tmp /run; ps -o pid= 1; cat /proc/net/dev | wc -l";
    // A checkout below /tmp is to be seen in the host too.
    const own = checkout.startsWith("/tmp/") ? `${checkout.split("/")[2]}\n` : "";
    expect(await host.must(["sh", "-c", script])).toBe(`sampan-test\nlo\n/run:\nlock\n\n/tmp:\n${own}      1\n3`);
    expect(await host.must(["ip", "-o", "-4", "address", "show", "lo"])).toContain("127.0.0.1/8");
    await host.must(["sh", "-c", "echo seen > /tmp/file"]);
    expect(await readFile(join(host.directory, "tmp", "file"), "utf8")).toBe("seen\n");
    await expect(access("/tmp/file")).rejects.toThrow("ENOENT");
  });

  it("has an init that leaves no zombie of orphans", async () => {
    await using host = await TestHost.create();
    await host.must(["sh", "-c", "(setsid sh -c 'sleep 0.1 & exec true' </dev/null >/dev/null 2>&1 &); sleep 0.4"]);
    expect(await host.processes()).toStrictEqual([]);
  });

  it("HostProcess.signal() reaches the command, whose exit code nsenter passes on", async () => {
    await using host = await TestHost.create();
    const child = host.spawn(["sh", "-c", "trap 'exit 42' TERM; echo ready; while :; do sleep 0.1; done"]);
    await new Promise((resolve) => child.stdout.once("data", resolve));
    expect(await child.pid()).toBeGreaterThan(1);
    await child.signal("SIGTERM");
    expect(await child.exited).toBe(42);
  });

  it("node() runs a module of the checkout with the pinned Node", async () => {
    await using host = await TestHost.create();
    const source = `import { notFound } from "#errdefs"; console.log(notFound("gone").code, process.pid > 1);`;
    expect(await host.node(source)).toStrictEqual({ stdout: "not-found true\n", stderr: "", code: 0 });
  });

  it("dispose() ends processes that left their session and parent, and removes cgroups and files", async () => {
    const host = await TestHost.create();
    const mounts = await cgroupMounts();
    const script = `for mount in ${mounts.join(" ")}; do mkdir -p "$mount/${host.id}/a/b"; done
      (setsid sh -c 'for f in ${mounts.map((mount) => `${mount}/${host.id}/a/b/cgroup.procs`).join(" ")}; do
        echo 0 > $f 2>/dev/null; done; exec sleep 1000' </dev/null >/dev/null 2>&1 &)
      mount -t tmpfs none "${host.files}"; sleep 0.2`;
    await host.must(["sh", "-c", script]);
    const [pid] = await host.processes();
    expect(pid).toBeGreaterThan(1);
    await host[Symbol.asyncDispose]();
    await expect(access(host.directory)).rejects.toThrow("ENOENT");
    await expect(access(`/proc/${host.initPid}`)).rejects.toThrow("ENOENT");
    for (const mount of mounts) expect(await cgroupTree(join(mount, host.id))).toStrictEqual([]);
  });
});

describe("HostState", () => {
  it("capture() of an untouched host is equal", async () => {
    await using host = await TestHost.create();
    const before = await HostState.capture(host);
    await host.must(["true"]);
    const after = await HostState.capture(host);
    expect(() => expectUnchanged(before, after)).not.toThrow();
  });

  it("capture() sees a mount, a cgroup, an interface, a process and a file that stay behind", async () => {
    await using host = await TestHost.create();
    const before = await HostState.capture(host);
    const [mount] = await cgroupMounts();
    await host.must([
      "sh",
      "-c",
      `mount -t tmpfs left /mnt; mkdir -p ${mount}/${host.id}/left; ip link add left type dummy 2>/dev/null || ip link add left type veth
       (setsid sleep 77 </dev/null >/dev/null 2>&1 &); touch /run/left "$SAMPAN_ROOT/ignored"`,
    ]);
    const after = await HostState.capture(host, { ignore: [/^root\/ignored$/] });
    const added = Object.fromEntries(
      Object.entries(after).map(([key, values]: [string, readonly string[]]) => {
        const known = new Set<string>(Object.values(before).flat());
        return [key, values.filter((value) => !known.has(value))];
      }),
    );
    expect(added).toMatchObject({
      mounts: [expect.stringMatching(/^\/mnt \/ tmpfs left /)],
      cgroups: [`${mount}/${host.id}`, `${mount}/${host.id}/left`],
      processes: [expect.stringMatching(/sleep 77$/)],
      files: ["d run/mount", "f run/left"], // the first is mount(8)'s own
    });
    expect(added["interfaces"]).toContain("left");
    expect(() => expectUnchanged(before, after)).toThrow("to strictly equal");
  });
});
