/** The root of a container: its propagation, pivot_root or not, what is shielded in it, and its devices. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { defaultCapabilities, operationsOf, planExec } from "#plan";
import { buildKeel } from "../support/monitored.ts";
import { ownUsers, MountBox, type PlannedOptions } from "../support/mount-box.ts";

let box: MountBox;
let shared = "";

beforeAll(buildKeel);

/** A mount of the host that is shared, with another below it. */
beforeEach(() => {
  box = new MountBox();
  shared = box.make("shared");
  execFileSync("mount", ["-t", "tmpfs", "x", shared]);
  execFileSync("mount", ["--make-shared", shared]);
  mkdirSync(join(shared, "at"));
});

afterEach(async () => {
  execFileSync("umount", ["-R", shared]);
  await box[Symbol.asyncDispose]();
});

const sets = (...more: string[]): object => {
  const names = [...defaultCapabilities, ...more];
  return { capabilities: { bounding: names, effective: names, permitted: names } };
};
const hostMounts = (): readonly string[] =>
  readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((path) => path.startsWith(`${shared}/`));

describe("rootfsPropagation", () => {
  it.each([
    [undefined, /^(master:\d+)?$/],
    ["slave", /^(master:\d+)?$/],
    ["rslave", /^(master:\d+)?$/],
    ["private", /^$/],
    ["rprivate", /^$/],
    ["shared", /^shared:\d+( master:\d+)?$/],
    ["rshared", /^shared:\d+( master:\d+)?$/],
    ["unbindable", /^unbindable$/],
    ["runbindable", /^unbindable$/],
  ])("%s is that of the root", async (rootfsPropagation, expected) => {
    const found = await box.mountinfo(["/", "/tmp"], {
      linux: { rootfsPropagation },
      mounts: [{ type: "tmpfs", destination: "/tmp", options: [] }],
    });
    expect(found["/"]?.propagation).toMatch(expected);
    // The forms with `r` are for all mounts.
    expect(found["/tmp"]?.propagation ?? "").toMatch(/^r(shared|unb)/.test(rootfsPropagation ?? "") ? expected : /^$/);
  });

  it.each([
    ["rshared", "rshared", {}, true],
    ["shared", undefined, {}, true],
    ["rshared", "rslave", {}, false],
    ["rshared", "rprivate", {}, false],
    [undefined, "rshared", {}, false],
    ["rslave", "rshared", {}, false],
    ["rshared", "rshared", ownUsers, false],
  ] as const)(
    "%s with a bind that is %s lets the host see what the container mounts, or not",
    async (root, word, linux, seen) => {
      if ("uidMappings" in linux) box.remap();
      const { client } = await box.start(
        box.config("mount -t tmpfs new /b/at; echo > /b/ready; while :; do sleep 1; done", {
          mounts: [{ source: shared, destination: "/b", options: ["rbind", ...(word === undefined ? [] : [word])] }],
          linux: { ...linux, rootfsPropagation: root },
          process: sets("CAP_SYS_ADMIN"),
        }),
      );
      if (!("uidMappings" in linux)) await ready(join(shared, "ready"));
      else await new Promise((done) => setTimeout(done, 300));
      expect(hostMounts()).toEqual(seen ? [join(shared, "at")] : []);
      await client.kill(9);
    },
  );

  it.each([
    [undefined, true],
    ["rslave", true],
    ["rshared", true],
    ["rprivate", false],
  ])("%s lets the container see what the host mounts in a bind, or not", async (rootfsPropagation, seen) => {
    const { pid } = await box.start(
      box.config("while :; do sleep 1; done", {
        mounts: [{ source: shared, destination: "/b", options: ["rbind"] }],
        linux: { rootfsPropagation },
      }),
    );
    execFileSync("mount", ["-t", "tmpfs", "late", join(shared, "at")]);
    expect(readFileSync(`/proc/${pid}/mountinfo`, "utf8").includes(" /b/at ")).toBe(seen);
  });

  it("leaves nothing of a container's set-up on the host", async () => {
    const root = join(shared, "root");
    execFileSync("cp", ["-a", box.root, root]);
    for (const rootfsPropagation of ["rshared", "rslave", "rprivate", "runbindable"]) {
      const options: PlannedOptions = { linux: { rootfsPropagation }, plan: { root: { kind: "bind", path: root } } };
      expect(await box.run("echo ran", options)).toEqual(["ran"]);
      await box.start(box.config("while :; do sleep 1; done", options), {
        ...options.plan,
        cgroupPath: "/sampan/planned-held",
      });
      expect(hostMounts()).toEqual([]);
    }
  });
});

async function ready(file: string): Promise<void> {
  for (const end = Date.now() + 5000; Date.now() < end; await new Promise((done) => setTimeout(done, 5)))
    if (statSync(file, { throwIfNoEntry: false }) !== undefined) return;
  throw new Error(`${file} did not come`);
}

describe("root.readonly", () => {
  it("keeps the root from being written to, and what is mounted in it not", async () => {
    const script = "touch /x /etc/x /tmp/x; touch /dev/shm/x && echo written";
    expect(await box.run(script, { root: { readonly: true } })).toEqual([
      "touch: /x: Read-only file system",
      "touch: /etc/x: Read-only file system",
      "touch: /tmp/x: Read-only file system",
      "written",
    ]);
  });
});

describe("without pivot_root, a container", () => {
  const noPivot = { plan: { noPivot: true } };

  it("sees its own root, with masks, and nothing of the host by way of its mounts", async () => {
    const lines = await box.run(
      `ls /; cd /..; ls -d etc/hostname 2>&1; wc -c < /proc/version; touch /etc/x
       for m in $(cut -d' ' -f5 /proc/self/mountinfo | grep '^/var\\|^/sys/fs/cgroup/'); do echo $m; done | grep -v '^/sys'`,
      { ...noPivot, root: { readonly: true }, linux: { maskedPaths: ["/proc/version"] } },
    );
    expect(lines).toEqual([
      "bin",
      "dev",
      "etc",
      "proc",
      "sys",
      "tmp",
      "ls: etc/hostname: No such file or directory",
      "0",
      "touch: /etc/x: Read-only file system",
    ]);
  });

  it("leaves no procfs of the host that would let another be mounted without its masks", async () => {
    const script = "unshare -Urmpf sh -c 'mount -t proc x /tmp && wc -c < /tmp/version'";
    symlinkSync("busybox", join(box.root, "bin/unshare"));
    const options = { linux: { maskedPaths: ["/proc/version"] }, process: sets("CAP_SYS_ADMIN") };
    const refused = ["mount: permission denied (are you root?)"];
    expect(await box.run(script, options)).toEqual(refused);
    expect(await box.run(script, { ...options, ...noPivot })).toEqual(refused);
  });

  it("is where an exec goes, too", async () => {
    const config = box.config("while :; do sleep 1; done");
    const { client, plan } = await box.start(config, { noPivot: true });
    const { process } = box.config("ls /; readlink /proc/self/root");
    if (process === undefined) throw new Error("no process");
    const program = operationsOf(planExec(process, config, box.facts, plan.cgroupPaths, {}));
    const session = await client.exec({ program, terminal: false, openStdin: false, output: true });
    let output = "";
    session.onOutput((_stream, data) => void (output += data.toString()));
    await session.exited;
    expect(output.split("\n")).toEqual(["bin", "dev", "etc", "proc", "sys", "tmp", "/", ""]);
  });
});

describe("masked and read-only paths", () => {
  it("hide files and directories once, share one empty directory, and pass over what is missing", async () => {
    mkdirSync(join(box.root, "secret/deep"), { recursive: true });
    mkdirSync(join(box.root, "other"));
    writeFileSync(join(box.root, "file"), "secret\n");
    const maskedPaths = ["/secret", "/other", "/file", "/secret", "/file", "/not/there", "/file/below"];
    const script = `cat /file; ls /secret; touch /secret/x; rm -f /file
      test "$(stat -c %d /secret)" = "$(stat -c %d /other)" && echo shared; umount /secret
      grep -c ' /secret \\| /file ' /proc/self/mountinfo`;
    expect(await box.run(script, { linux: { maskedPaths } })).toEqual([
      "touch: /secret/x: Read-only file system",
      "rm: can't remove '/file': Device or resource busy",
      "shared",
      "umount: can't unmount /secret: Operation not permitted",
      "2",
    ]);
  });

  it.each(["maskedPaths", "readonlyPaths"])("of %s may be no symbolic link", async (name) => {
    writeFileSync(join(box.root, "file"), "");
    symlinkSync("file", join(box.root, "link"));
    symlinkSync("etc", join(box.root, "directory"));
    await expect(box.run("true", { linux: { [name]: ["/link"] } })).rejects.toMatchObject({
      fields: { errno: 40, path: "/link" },
    });
    // A link on the way is the image's own affair.
    expect(await box.run("echo ran", { linux: { [name]: ["/directory/missing"] } })).toEqual(["ran"]);
  });

  it("keep what the mount that they cover forbids, and bind what is mounted below", async () => {
    const mounts = [
      { type: "tmpfs", destination: "/t", options: ["nosuid", "nodev", "noexec", "noatime", "mode=755"] },
      { type: "tmpfs", destination: "/t/a/b", options: ["nosuid"] },
    ];
    const found = await box.mountinfo(["/t/a", "/t/a/b"], { mounts, linux: { readonlyPaths: ["/t/a"] } });
    expect([found["/t/a"]?.flags, found["/t/a/b"]?.flags]).toEqual([
      "ro,nosuid,nodev,noexec,noatime",
      "ro,nosuid,relatime",
    ]);
  });
});

describe("devices", () => {
  const extra = [
    { path: "/dev/mine/zero", type: "u", major: 1, minor: 5, fileMode: 0o600, uid: 5, gid: 6 },
    { path: "/dev/block", type: "b", major: 7, minor: 99, fileMode: 0o640 },
    { path: "/opt/fifo", type: "p", fileMode: 0o622, uid: 7 },
    { path: "/dev/full", type: "c", major: 1, minor: 7, fileMode: 0o600 },
  ];

  it("are the six, ptmx, and those of the config, with owners and modes", async () => {
    const script = `cd /dev; stat -c '%n %t:%T %a %u:%g' null zero full random urandom tty mine/zero block
      stat -c '%F %a %u' /opt/fifo; for x in ptmx fd stdin stdout stderr core; do readlink $x; done`;
    expect(await box.run(script, { linux: { devices: extra } })).toEqual([
      "null 1:3 666 0:0",
      "zero 1:5 666 0:0",
      "full 1:7 600 0:0",
      "random 1:8 666 0:0",
      "urandom 1:9 666 0:0",
      "tty 5:0 666 0:0",
      "mine/zero 1:5 600 5:6",
      "block 7:63 640 0:0",
      "fifo 622 7",
      "pts/ptmx",
      "/proc/self/fd",
      "/proc/self/fd/0",
      "/proc/self/fd/1",
      "/proc/self/fd/2",
      "/proc/kcore",
    ]);
  });

  it("are the host's, bound, in a user namespace; FIFOs are made", async () => {
    box.remap();
    const devices = [
      { path: "/dev/fuse", type: "c", major: 10, minor: 229 },
      { path: "/opt/fifo", type: "p" },
    ];
    const script =
      "stat -c '%t:%T' /dev/null /dev/fuse; echo x > /dev/null && echo written; test -p /opt/fifo && echo fifo";
    expect(await box.run(script, { linux: { ...ownUsers, devices } })).toEqual(["1:3", "a:e5", "written", "fifo"]);
  });

  it("that exist as something else are refused", async () => {
    mkdirSync(join(box.root, "opt"));
    execFileSync("mknod", [join(box.root, "opt/node"), "c", "1", "5"]);
    writeFileSync(join(box.root, "opt/file"), "");
    const at = (path: string, minor: number): PlannedOptions => ({
      linux: { devices: [{ path, type: "c", major: 1, minor }] },
    });
    expect(await box.run("echo same", at("/opt/node", 5))).toEqual(["same"]);
    for (const [path, minor] of [
      ["/opt/node", 3],
      ["/opt/file", 5],
    ] as const)
      await expect(box.run("true", at(path, minor))).rejects.toMatchObject({
        code: "already-exists",
        fields: { path },
      });
  });

  it("console is the terminal, and missing without one", async () => {
    expect(await box.run("test -e /dev/console || echo none")).toEqual(["none"]);
  });
});
