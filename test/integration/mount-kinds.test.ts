/** Kinds of mounts: what is bound where, new filesystems, and what is special about some of them. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { defaultNamespaces, withOrigin } from "#plan";
import { buildKeel } from "../support/monitored.ts";
import { ownUsers, MountBox, type PlannedOptions } from "../support/mount-box.ts";

let box: MountBox;

beforeAll(buildKeel);
beforeEach(() => {
  box = new MountBox();
});
afterEach(async () => {
  await box[Symbol.asyncDispose]();
});

const bind = (source: string, destination: string, ...options: string[]): object => ({
  source,
  destination,
  options: ["bind", ...options],
});
const without = (...types: string[]): object => ({
  namespaces: defaultNamespaces.filter(({ type }) => !types.includes(type)),
});
describe("a bind", () => {
  it("of a file makes the file, of a directory the directory, of a socket or FIFO a file for it", async () => {
    const source = box.make("source", { file: "content\n" });
    execFileSync("mkfifo", [join(source, "fifo")]);
    const server = createServer().listen(join(source, "socket"));
    try {
      const mounts = [
        bind("source/file", "/new/deep/file"),
        bind("./source", "new/directory"),
        bind(join(source, "fifo"), "/new/fifo"),
        bind(join(source, "socket"), "/new/socket"),
      ];
      const script = "cat /new/deep/file /new/directory/file; stat -c %F /new/fifo /new/socket";
      expect(await box.run(script, { mounts })).toEqual(["content", "content", "fifo", "socket"]);
      const made = ["deep/file", "directory", "fifo", "socket"].map((name) => lstatSync(join(box.root, "new", name)));
      expect(made.map((s) => [s.isDirectory(), s.size > 0 && !s.isDirectory(), s.mode & 0o777])).toEqual([
        [false, false, 0o644],
        [true, false, 0o755],
        [false, false, 0o644],
        [false, false, 0o644],
      ]);
    } finally {
      server.close();
    }
  });

  it.each([
    ["a link to a file", "etc/link", "/etc/target", "/etc/target"],
    ["a dangling link", "etc/link", "/tmp/not/there", "/tmp/not/there"],
    ["a link out of the root", "etc/link", "../../../../../etc/out", "/etc/out"],
    ["a dangling link on the way", "jump", "/tmp/elsewhere", "/tmp/elsewhere/baz"],
  ])("on %s ends where it leads inside the root", async (_, link, to, place) => {
    writeFileSync(join(box.root, "etc/target"), "");
    symlinkSync(to, join(box.root, link));
    box.make("source", { file: "content\n" });
    const destination = link === "jump" ? "/jump/baz" : `/${link}`;
    expect(await box.run(`cat ${place}`, { mounts: [bind("source/file", destination)] })).toEqual(["content"]);
    expect(existsSync(to) && !to.startsWith("..")).toBe(false);
  });

  it("takes `..` of a destination by its text", async () => {
    box.make("source", { file: "content\n" });
    symlinkSync("/tmp", join(box.root, "link"));
    const mounts = [bind("source/file", "/link/../../x/./../at"), bind("source", `${box.root}/prefixed/`)];
    expect(await box.run("cat /at /prefixed/file", { mounts })).toEqual(["content", "content"]);
  });

  it("of a file on a directory, or the other way round, fails", async () => {
    box.make("source", { file: "" });
    for (const mount of [bind("source/file", "/tmp"), bind("source", "/bin/busybox")])
      await expect(box.run("true", { mounts: [mount] })).rejects.toMatchObject({
        fields: { remedy: "A directory can be bound on a directory only, and a file on a file" },
      });
  });

  it("that copies links makes the same link, and mounts what is no link", async () => {
    const source = box.make("source", { file: "content\n" });
    symlinkSync("../relative target", join(source, "link"));
    const mounts = [
      bind("source/link", "/made/link", "copy-symlink"),
      bind("source/file", "/made/file", "copy-symlink"),
    ];
    expect(await box.run("readlink /made/link; cat /made/file", { mounts })).toEqual(["../relative target", "content"]);
    // The same is there now; another is not replaced.
    await box.run("true", { mounts });
    rmSync(join(source, "link"));
    symlinkSync("other", join(source, "link"));
    await expect(box.run("true", { mounts })).rejects.toMatchObject({ code: "already-exists" });
    expect(readlinkSync(join(box.root, "made/link"))).toBe("../relative target");
  });

  it("follows neither the source's nor the destination's link where that is asked for", async () => {
    const source = box.make("source", { target: "of the source\n" });
    symlinkSync("target", join(source, "link"));
    symlinkSync("/etc/nowhere", join(box.root, "etc/link"));
    const found = await box.run("readlink /etc/link; grep -c etc/link /proc/self/mountinfo", {
      mounts: [bind("source/link", "/etc/link", "src-nofollow", "dest-nofollow")],
    });
    expect(found).toEqual(["target", "1"]);
    expect(readlinkSync(join(box.root, "etc/link"))).toBe("/etc/nowhere");
    expect(existsSync(join(box.root, "etc/nowhere"))).toBe(false);
  });

  it("of what is not there says what and where", async () => {
    const config = box.config("true", { mounts: [bind("missing", "/a")] });
    const error: unknown = await box.start(config).catch((cause: unknown) => withOrigin(cause, box.plan(config)));
    expect(String(error)).toContain(
      `Cannot bind "${box.path("missing")}" on "/a": no such file or directory ("${box.path("missing")}") (mounts[${config.mounts.length - 1}] of the config)`,
    );
  });

  it("of the host's /proc may stand at /proc", async () => {
    const mounts = [{ type: "bind", source: "/proc", destination: "/proc", options: ["rbind", "ro"] }];
    expect(await box.run(`test -d /proc/${process.pid} && echo seen`, { mounts, linux: without("pid") })).toEqual([
      "seen",
    ]);
  });
});

describe("a tmpfs", () => {
  const tmpfs = (destination: string, ...options: string[]): object => ({
    type: "tmpfs",
    source: "tmpfs",
    destination,
    options,
  });

  it("with tmpcopyup starts with what the image has there, in all its attributes", async () => {
    const at = join(box.root, "var");
    mkdirSync(join(at, "deep"), { recursive: true });
    writeFileSync(join(at, "deep/file"), "content\n");
    writeFileSync(join(at, "private"), "");
    symlinkSync("deep/file", join(at, "link"));
    chownSync(join(at, "deep/file"), 7, 8);
    chmodSync(join(at, "deep/file"), 0o4751);
    chmodSync(join(at, "deep"), 0o1777);
    chownSync(at, 9, 10);
    chmodSync(at, 0o750);
    execFileSync("setfattr", ["-n", "user.colour", "-v", "red", join(at, "private")]);
    const script =
      "cd /var; stat -c '%n %u:%g %a' . deep deep/file; cat link; readlink link; touch new && echo written";
    expect(await box.run(script, { mounts: [tmpfs("/var", "tmpcopyup", "size=1m")] })).toEqual([
      ". 9:10 750",
      "deep 0:0 1777",
      "deep/file 7:8 4751",
      "content",
      "deep/file",
      "written",
    ]);
    expect(existsSync(join(at, "new"))).toBe(false);
    const { pid } = await box.start(
      box.config("while :; do sleep 1; done", { mounts: [tmpfs("/var", "tmpcopyup", "ro")] }),
    );
    const inside = `/proc/${pid}/root/var`;
    expect(
      execFileSync("getfattr", [
        "--absolute-names",
        "--only-values",
        "-n",
        "user.colour",
        `${inside}/private`,
      ]).toString(),
    ).toBe("red");
    expect(() => writeFileSync(`${inside}/x`, "")).toThrow("EROFS");
  });

  it("has the mode of what it covers unless told otherwise, and its own default on nothing", async () => {
    mkdirSync(join(box.root, "kept"));
    chmodSync(join(box.root, "kept"), 0o2710);
    mkdirSync(join(box.root, "given"), 0o700);
    const mounts = [tmpfs("/kept"), tmpfs("/given", "mode=1500"), tmpfs("/none/at/all")];
    expect(await box.run("stat -c %a /kept /given /none/at/all", { mounts })).toEqual(["2710", "1500", "1777"]);
  });
});

describe("a new filesystem", () => {
  it("of type cgroup can be written to with a cgroup namespace of its own", async () => {
    const mounts = [{ type: "cgroup", source: "cgroup", destination: "/sys/fs/cgroup", options: ["rw", "nosuid"] }];
    const script = `d=/sys/fs/cgroup; if test -d $d/pids; then d=$d/pids; fi
      mkdir $d/mine && ls -d $d/mine/cgroup.procs | wc -l && rmdir $d/mine
      grep -c 'cgroup.* /sys/fs/cgroup' /proc/mounts | grep -c '^0$'`;
    execFileSync("ln", ["-s", "busybox", join(box.root, "bin/rmdir")]);
    expect(await box.run(script, { mounts })).toEqual(["1", "0"]);
  });

  it("of type cgroup2 shows the container's group at its top", async () => {
    const mounts = [{ type: "cgroup2", source: "cgroup2", destination: "/unified" }];
    const [line] = await box.run("grep -c . /unified/cgroup.procs; stat -f -c %T /unified", { mounts });
    expect(Number(line)).toBeGreaterThanOrEqual(0);
  });

  it("of type devpts is the container's own, with the modes that it is given", async () => {
    const mounts = [
      {
        type: "devpts",
        source: "devpts",
        destination: "/dev/pts",
        options: ["nosuid", "noexec", "newinstance", "ptmxmode=0640", "mode=0600", "gid=7"],
      },
    ];
    expect(await box.run("ls /dev/pts; stat -c %a /dev/pts/ptmx", { mounts })).toEqual(["ptmx", "640"]);
    expect((await box.mountinfo(["/dev/pts"], { mounts }))["/dev/pts"]?.superblock).toBe(
      "rw,gid=7,mode=600,ptmxmode=640",
    );
  });

  it("of type mqueue is that of the container's IPC namespace", async () => {
    expect(await box.run("touch /dev/mqueue/mine; ls /dev/mqueue")).toEqual(["mine"]);
    expect(existsSync("/dev/mqueue/mine")).toBe(false);
  });

  it("of procfs and sysfs is the host's where a user namespace has none of its own", async () => {
    box.remap();
    const { pid } = process;
    const linux = { ...ownUsers, namespaces: [{ type: "user" }, { type: "mount" }] };
    const lines = await box.run(
      `test -d /proc/${pid} && echo proc; ls /sys/class/net | head -n 1; grep ' /sys ' /proc/mounts | cut -d, -f1`,
      {
        linux,
        hostname: "",
        // Not every host has it.
        defaults: (destination) => destination !== "/dev/mqueue",
      },
    );
    expect(lines).toEqual(["proc", expect.stringMatching(/./), "sysfs /sys sysfs ro"]);
  });

  it("of type binfmt_misc goes to its place in /proc", async () => {
    box.remap();
    const mounts = [{ type: "binfmt_misc", source: "x", destination: "/proc/sys/fs/binfmt_misc" }];
    expect(await box.run("cat /proc/sys/fs/binfmt_misc/status", { mounts, linux: ownUsers })).toEqual(["enabled"]);
  });

  it("of type overlay stacks directories, with options that are longer than one string of fsconfig", async () => {
    const long = "d".repeat(120);
    for (const name of ["one", "two", "three"]) box.make(`${long}/${name}`, { [name]: `${name}\n`, top: `${name}\n` });
    box.make(`${long}/upper`);
    box.make(`${long}/work`);
    const at = (name: string): string => box.path(long, name);
    const mounts = [
      {
        type: "overlay",
        source: "overlay",
        destination: "/o",
        options: [
          `lowerdir=${["one", "two", "three"].map(at).join(":")}`,
          `upperdir=${at("upper")}`,
          `workdir=${at("work")}`,
          "nosuid",
          "noatime",
        ],
      },
      { type: "overlay", source: "overlay", destination: "/r", options: [`lowerdir=${at("two")}:${at("one")}`, "ro"] },
    ];
    expect(await box.run("cat /o/top /o/two /o/three /r/top; echo new > /o/new; touch /r/x", { mounts })).toEqual([
      "one",
      "two",
      "three",
      "two",
      "touch: /r/x: Read-only file system",
    ]);
    expect(readFileSync(box.path(long, "upper/new"), "utf8")).toBe("new\n");
    expect((await box.mountinfo(["/o"], { mounts }))["/o"]?.flags).toBe("rw,nosuid,noatime");
  });

  it("of a disk is mounted from its device, and told of what the kernel says", async () => {
    const image = box.path("disk");
    writeFileSync(image, "");
    truncateSync(image, 8 << 20);
    execFileSync("mkfs.ext4", ["-q", "-d", box.make("source", { file: "content\n" }), image]);
    const device = execFileSync("losetup", ["--find", "--show", image]).toString().trim();
    try {
      const disk = (...options: string[]): PlannedOptions => ({
        mounts: [{ type: "ext4", source: device, destination: "/disk", options }],
        linux: { resources: { devices: [{ allow: true, type: "b", access: "rwm" }] } },
      });
      expect(await box.run("cat /disk/file; touch /disk/x", disk("ro", "noload"))).toEqual([
        "content",
        "touch: /disk/x: Read-only file system",
      ]);
      expect((await box.mountinfo(["/disk"], disk("acl", "data=journal", "sync", "nodev")))["/disk"]).toMatchObject({
        flags: "rw,nodev,relatime",
        type: "ext4",
        superblock: expect.stringMatching(/^rw,sync.*data=journal/),
      });
      await expect(box.run("true", disk("colour=red"))).rejects.toThrow("Unknown parameter 'colour'");
    } finally {
      spawnSync("losetup", ["--detach", device]);
    }
  });
});
