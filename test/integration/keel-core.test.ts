import { chmod, readFile, readlink, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  binaries,
  bind,
  Box,
  clone,
  exec,
  ns,
  ordinary,
  pivot,
  proc,
  propagation,
  rootBind,
  tmpfs,
} from "../support/keel-box.ts";

const kinds = ["mnt", "uts", "ipc", "pid", "net"] as const;

describe.each(binaries)("%s", (name, binary) => {
  it("clone makes the namespaces that it names and no others", async () => {
    await using box = await Box.make(binary);
    const lines = await box.run(
      "for n in mnt uts ipc pid net user cgroup; do readlink /proc/self/ns/$n; done; echo $$",
    );
    const [mnt, uts, ipc, pid, net, user, cgroup, self] = lines.trim().split("\n");
    const inside = { mnt, uts, ipc, pid, net };
    for (const kind of kinds) {
      expect(inside[kind]).toMatch(new RegExp(`^${kind}:\\[\\d+\\]$`));
      expect(inside[kind]).not.toBe(await readlink(`/proc/self/ns/${kind}`));
    }
    expect([user, cgroup, self]).toEqual([
      await readlink("/proc/self/ns/user"),
      await readlink("/proc/self/ns/cgroup"),
      "1",
    ]);
  });

  it("exec leaves only stdin, stdout and stderr open, closed signals and mask as the kernel's defaults", async () => {
    await using box = await Box.make(binary);
    const output = await box.run(
      "ls /proc/self/fd; /bin/busybox grep -E '^(Sig(Blk|Ign|Cgt)|Umask)' /proc/self/status",
    );
    // 3 is the directory that ls reads.
    expect(output.replaceAll("\t", " ").trim().split("\n")).toEqual([
      "0",
      "1",
      "2",
      "3",
      "Umask: 0022",
      "SigBlk: 0000000000000000",
      "SigIgn: 0000000000000000",
      "SigCgt: 0000000000000000",
    ]);
  });

  it("hostname, domainname, loopback-up and sysctl act on the container only", async () => {
    await using box = await Box.make(binary);
    const host = await readFile("/proc/sys/kernel/hostname", "utf8");
    const output = await box.run(
      "cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname /proc/sys/net/ipv4/ip_forward; /bin/busybox ip -o link show lo",
      [
        { op: "hostname", name: "inside" },
        { op: "domainname", name: "example.org" },
        { op: "loopback-up" },
        { op: "sysctl", key: "net/ipv4/ip_forward", value: "1" },
      ],
    );
    const [hostname, domain, forward, link] = output.split("\n");
    expect([hostname, domain, forward]).toEqual(["inside", "example.org", "1"]);
    expect(link).toContain("<LOOPBACK,UP,LOWER_UP>");
    expect(await readFile("/proc/sys/kernel/hostname", "utf8")).toBe(host);
  });

  it.each(["/etc/passwd", "../../etc/passwd", "net/../../../etc/passwd", ""])(
    "sysctl refuses the key %j",
    async (key) => {
      await using box = await Box.make(binary);
      await expect(box.keel.execute([{ op: "sysctl", key, value: "x" }])).rejects.toMatchObject({
        fields: { errno: 22, step: 1 },
      });
    },
  );

  it("id-map maps a new user namespace, and files of the container belong to its outside ids", async () => {
    await using box = await Box.make(binary);
    await chmod(box.base, 0o700); // root of the user namespace cannot get here: X opens what is bound
    const output = await box.output([
      clone(ordinary | ns.user),
      {
        op: "id-map",
        uids: [{ inside: 0, outside: 100_000, count: 1000 }],
        gids: [{ inside: 0, outside: 200_000, count: 1000 }],
        denySetgroups: false,
      },
      propagation,
      tmpfs("/mnt"),
      { op: "root-directory", path: "/mnt" },
      bind("/bin/busybox", "/bin/busybox"),
      bind(box.out, "/out"),
      proc,
      { op: "symlink", target: "busybox", path: "/bin/sh" },
      pivot,
      box.shell(
        "/bin/busybox id -u; /bin/busybox cat /proc/self/uid_map /proc/self/gid_map; echo > /out/owned; /bin/busybox grep CapEff /proc/self/status",
      ),
    ]);
    expect(
      output
        .replaceAll(/[ \t]+/g, " ")
        .trim()
        .split("\n"),
    ).toEqual(["0", " 0 100000 1000", " 0 200000 1000", "CapEff: 000001ffffffffff"]);
    const { uid, gid } = await stat(join(box.out, "owned"));
    expect([uid, gid]).toEqual([100_000, 200_000]);
  });

  it("user, bounding-set and capabilities set exactly what they name, and umask", async () => {
    await using box = await Box.make(binary);
    const chown = 1n << 0n;
    const bindService = 1n << 10n;
    const beyond = 1n << 63n;
    const output = await box.run(
      "/bin/busybox id; /bin/busybox grep -E '^(Cap|NoNewPrivs|Umask)' /proc/self/status",
      [],
      [
        { op: "bounding-set", keep: chown | bindService | beyond },
        { op: "user", uid: 1000, gid: 1001, groups: [5, 6], umask: 0o027 },
        {
          op: "capabilities",
          effective: bindService,
          permitted: bindService | chown | beyond,
          inheritable: bindService,
          ambient: bindService,
        },
        { op: "no-new-privileges" },
      ],
    );
    // exec keeps what is ambient, and nothing else, for a user that is not root.
    expect(output.replaceAll("\t", " ").trim().split("\n")).toEqual([
      "uid=1000 gid=1001 groups=5,6",
      "Umask: 0027",
      "CapInh: 0000000000000400",
      "CapPrm: 0000000000000400",
      "CapEff: 0000000000000400",
      "CapBnd: 0000000000000401",
      "CapAmb: 0000000000000400",
      "NoNewPrivs: 1",
    ]);
  });

  it("seccomp before exec filters the container's program and not keel", async () => {
    await using box = await Box.make(binary);
    // Refuses mkdir(2) (83 on x86-64), sendmsg(2) (46) and close_range(2) (436) with EPERM.
    const refuse = [83, 46, 436].flatMap((call, index, all) => [[0x15, all.length - index, 0, call] as const]);
    const program = new Uint8Array((refuse.length + 3) * 8);
    const view = new DataView(program.buffer);
    [[0x20, 0, 0, 0] as const, ...refuse, [0x06, 0, 0, 0x7fff0000] as const, [0x06, 0, 0, 0x00050001] as const].forEach(
      ([code, jt, jf, k], i) => {
        view.setUint16(i * 8, code, true);
        view.setUint8(i * 8 + 2, jt);
        view.setUint8(i * 8 + 3, jf);
        view.setUint32(i * 8 + 4, k, true);
      },
    );
    const output = await box.run(
      "/bin/busybox mkdir /x; /bin/busybox grep -E '^Seccomp' /proc/self/status",
      [],
      [{ op: "no-new-privileges" }, { op: "seccomp", program, flags: 0 }],
    );
    expect(output.replaceAll("\t", " ")).toBe(
      "mkdir: can't create directory '/x': Operation not permitted\nSeccomp: 2\nSeccomp_filters: 1\n",
    );
  });

  it("exec reports a failure although seccomp forbids sendmsg", async () => {
    await using box = await Box.make(binary);
    const program = Uint8Array.of(0x06, 0, 0, 0, 0, 0, 0xff, 0x7f);
    await expect(
      box.keel.execute([
        clone(),
        rootBind(box.root),
        pivot,
        { op: "no-new-privileges" },
        { op: "seccomp", program, flags: 0 },
        exec("missing"),
      ]),
    ).rejects.toMatchObject({ code: "not-found", fields: { errno: 2, step: 6, syscall: "execve", path: "missing" } });
  });

  it("working-directory refuses a directory outside of the root", async () => {
    await using box = await Box.make(binary);
    const enter = (path: string) => box.run("/bin/busybox pwd", [], [{ op: "working-directory", path }]);
    expect(await enter("/etc")).toBe("/etc\n");
    expect(await enter("/../../etc")).toBe("/etc\n");
    for (const path of ["/proc/self/fd/3", "/proc/self/cwd", "/proc/1/root"])
      await expect(enter(path)).rejects.toMatchObject({ fields: { errno: 40, path } });
    await expect(enter("/missing")).rejects.toMatchObject({ code: "not-found" });
  });

  it("find-executable and exec look a command up in PATH, and say why there is none", async () => {
    await using box = await Box.make(binary);
    await writeFile(join(box.root, "bin/plain"), "no magic\n", { mode: 0o755 });
    await writeFile(join(box.root, "bin/denied"), "", { mode: 0o644 });
    const start = [clone(), rootBind(box.root), pivot];
    const find = (command: string) =>
      box.keel.execute([...start, { op: "find-executable", command, path: "/sbin:bin:/bin", directory: "/" }]);
    await find("sh");
    await find("/bin/sh");
    await find("bin/sh");
    for (const [command, errno] of [
      ["missing", 2],
      ["denied", 13],
      ["/bin", 13],
      ["/bin/denied", 13],
      ["/bin/none", 2],
      ["", 2],
    ] as const)
      await expect(find(command)).rejects.toMatchObject({ fields: { errno, step: 4 } });
    const run = (command: string) => box.keel.execute([...start, exec(command)]);
    for (const [command, errno] of [
      ["missing", 2],
      ["denied", 13],
      ["/bin", 13],
      ["plain", 8],
      ["/bin/plain", 8],
      ["", 2],
    ] as const)
      await expect(run(command)).rejects.toMatchObject({ fields: { errno, step: 4, syscall: "execve" } });
  });

  it("time-offset moves the clocks of a new time namespace", async () => {
    await using box = await Box.make(binary);
    const output = await box.run("cat /proc/uptime", [
      { op: "time-namespace" },
      { op: "time-offset", clock: "boottime", seconds: 1_000_000n, nanoseconds: 0 },
      { op: "enter-time-namespace" },
    ]);
    expect(Number.parseFloat(output)).toBeGreaterThan(1_000_000);
  });

  it("rlimit names the resource that it may not set", async () => {
    await using box = await Box.make(binary);
    expect(await box.run("ulimit -n", [], [{ op: "rlimit", resource: 7, soft: 99n, hard: 100n }])).toBe("99\n");
    await expect(
      box.keel.execute([
        { op: "rlimit", resource: 7, soft: 99n, hard: 100n },
        { op: "user", uid: 1000, gid: 1000, groups: [], umask: 0 },
        { op: "rlimit", resource: 7, soft: 99n, hard: 101n },
      ]),
    ).rejects.toMatchObject({ fields: { errno: 1, step: 3, syscall: "prlimit", path: "RLIMIT_NOFILE" } });
  });

  it("exec with init runs the program below a reaper that forwards signals", async () => {
    if (name === "keel-sanitized") return; // it needs libraries that the container does not have
    await using box = await Box.make(binary);
    const output = await box.output([
      clone(),
      propagation,
      rootBind(box.root),
      proc,
      bind(box.out, "/out"),
      pivot,
      {
        op: "exec",
        arguments: [
          "sh",
          "-c",
          "trap 'echo term > /out/part; cat /proc/1/comm >> /out/part; /bin/busybox mv /out/part /out/whole; exit' TERM; /bin/busybox kill -TERM 1; while :; do /bin/busybox sleep 1; done",
        ],
        environment: ["PATH=/bin"],
        init: true,
      },
    ]);
    expect(output.split("\n")[0]).toBe("term");
  });

  it("join-namespace enters another container's namespaces, and takes nothing but namespaces", async () => {
    await using box = await Box.make(binary);
    const output = await box.output([
      { op: "join-namespace", kind: ns.uts, path: "/proc/self/ns/uts" },
      clone(ns.mnt | ns.pid),
      propagation,
      rootBind(box.root),
      proc,
      bind(box.out, "/out"),
      pivot,
      box.shell("readlink /proc/self/ns/uts"),
    ]);
    expect(output.trim()).toBe(await readlink("/proc/self/ns/uts"));
    await expect(box.keel.execute([{ op: "join-namespace", kind: ns.uts, path: "/etc/passwd" }])).rejects.toMatchObject(
      { fields: { errno: 22 } },
    );
    await expect(
      box.keel.execute([{ op: "join-namespace", kind: ns.net, path: "/proc/self/ns/uts" }]),
    ).rejects.toMatchObject({ fields: { errno: 22, syscall: "setns" } });
  });
});
