import { existsSync } from "node:fs";
import { mkdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  attribute,
  binaries,
  bind,
  Box,
  clone,
  directory,
  pivot,
  proc,
  propagation,
  rootBind,
  tmpfs,
} from "../support/keel-box.ts";

const text = (data: Uint8Array | undefined): string | undefined =>
  data === undefined ? undefined : new TextDecoder().decode(data);

const readOnly = (path: string): string => `/bin/sh: can't create ${path}: Read-only file system\n`;
const device = (minor: number) =>
  ({ op: "device", path: "/dev/x", mode: 0o020600, major: 1, minor, uid: 7, gid: 8 }) as const;
const link = (target: string) => ({ op: "symlink", target, path: "/dev/fd" }) as const;
const read = (path: string, limit = 100_000) => ({ op: "read-file", path, limit }) as const;

describe.each(binaries)("%s", (_, binary) => {
  it("root-overlay stacks layers, top first, and writes go to upper", async () => {
    await using box = await Box.make(binary);
    const at = (...parts: string[]): string => join(box.base, ...parts);
    for (const dir of ["top", "middle", "upper", "work", "merged"]) await mkdir(at(dir));
    await writeFile(at("top/name"), "top\n");
    await writeFile(at("middle/name"), "middle\n");
    await writeFile(at("middle/only"), "only\n");
    const output = await box.output([
      clone(),
      propagation,
      {
        op: "root-overlay",
        lower: [at("top"), at("middle"), box.root],
        upper: at("upper"),
        work: at("work"),
        parameters: [],
        target: at("merged"),
      },
      proc,
      tmpfs("/dev"),
      { op: "device", path: "/dev/null", mode: 0o020666, major: 1, minor: 3, uid: 0, gid: 0 },
      bind(box.out, "/out"),
      pivot,
      box.shell("cat /name /only; echo new > /new; /bin/busybox stat -c '%a %t:%T' /dev/null"),
    ]);
    expect(output).toBe("top\nonly\n666 1:3\n");
    expect(await readFile(at("upper/new"), "utf8")).toBe("new\n");
    expect(existsSync(at("merged/name"))).toBe(false);
  });

  it.each([1, 2])("root-overlay of %i layers without upper is read-only", async (count) => {
    await using box = await Box.make(binary);
    const extra = join(box.base, "extra");
    await mkdir(extra);
    await mkdir(join(box.root, "out"));
    await mkdir(join(box.base, "merged"));
    const output = await box.output([
      clone(),
      propagation,
      {
        op: "root-overlay",
        lower: [box.root, extra].slice(0, count),
        upper: "",
        work: "",
        parameters: [],
        target: join(box.base, "merged"),
      },
      proc,
      bind(box.out, "/out"),
      pivot,
      box.shell("echo x > /etc/x"),
    ]);
    expect(output).toContain("Read-only file system");
  });

  it("root-overlay takes layers with long names and special characters", async () => {
    await using box = await Box.make(binary);
    const long = join(box.base, "a".repeat(200), "b,c:d\\e".repeat(10));
    for (const dir of ["lower", "upper", "work"]) await mkdir(join(long, dir), { recursive: true });
    await writeFile(join(long, "lower/file"), "here\n");
    await mkdir(join(box.base, "merged"));
    const output = await box.output([
      clone(),
      propagation,
      {
        op: "root-overlay",
        lower: [join(long, "lower"), box.root],
        upper: join(long, "upper"),
        work: join(long, "work"),
        parameters: [],
        target: join(box.base, "merged"),
      },
      proc,
      bind(box.out, "/out"),
      pivot,
      box.shell("cat /file; echo new > /new"),
    ]);
    expect(output).toBe("here\n");
    expect(existsSync(join(long, "upper/new"))).toBe(true);
  });

  it("mask hides a file behind /dev/null and a directory behind an empty one, and passes over what is missing", async () => {
    await using box = await Box.make(binary);
    await mkdir(join(box.root, "secret/deep"), { recursive: true });
    await mkdir(join(box.root, "other/deep"), { recursive: true });
    const output = await box.run(
      "/bin/busybox wc -c < /proc/version; /bin/busybox stat -c %t:%T /proc/version; ls /secret /other; echo > /secret/x",
      [
        { op: "mask", path: "/proc/version" },
        { op: "mask", path: "/secret" },
        { op: "mask", path: "/other" },
        { op: "mask", path: "/not/there" },
        { op: "mask", path: "/bin/busybox/x" },
      ],
    );
    expect(output).toBe("0\n1:3\n/other:\n\n/secret:\n/bin/sh: can't create /secret/x: Read-only file system\n");
  });

  it("read-only-path and mount-attributes make mounts read-only", async () => {
    await using box = await Box.make(binary);
    const output = await box.run(
      "echo 1 > /proc/sys/kernel/domainname; echo > /scratch/x; echo > /etc/x; echo > /tmp/x",
      [
        { op: "read-only-path", path: "/proc/sys" },
        { op: "read-only-path", path: "/not/there" },
        tmpfs("/scratch"),
        tmpfs("/tmp"),
        { op: "mount-attributes", path: "/scratch", set: attribute.readOnly, clear: 0n, recursive: false },
        { op: "mount-attributes", path: "/", set: attribute.readOnly, clear: 0n, recursive: false },
      ],
    );
    expect(output).toBe(readOnly("/proc/sys/kernel/domainname") + readOnly("/scratch/x") + readOnly("/etc/x"));
  });

  it("bind sets attributes, and makes a file or a directory as its target", async () => {
    await using box = await Box.make(binary);
    await writeFile(join(box.base, "file"), "content\n");
    const output = await box.run(
      "cat /new/dir/file; echo > /new/dir/file; /bin/busybox grep ' /mnt/out ' /proc/self/mounts | /bin/busybox cut -d' ' -f4",
      [
        bind(join(box.base, "file"), "/new/dir/file", { set: attribute.readOnly }),
        bind(box.out, "/mnt/out", { setRecursive: attribute.noExec | attribute.noSuid | 0x10n }),
      ],
    );
    const [content, refused, options] = output.split("\n");
    expect([content, refused]).toEqual(["content", "/bin/sh: can't create /new/dir/file: Read-only file system"]);
    expect(options?.split(",").slice(0, 4)).toEqual(["rw", "nosuid", "noexec", "noatime"]);
  });

  it.each(["../../../outside", "/outside", "/proc/self/root/outside"])(
    "directory, bind and device stay in the root when a parent is a link to %s",
    async (target) => {
      await using box = await Box.make(binary);
      await rm(join(box.root, "etc"), { recursive: true });
      await symlink(target, join(box.root, "etc"));
      await mkdir(join(box.base, "outside"));
      const program = [
        clone(),
        propagation,
        rootBind(box.root),
        directory("/etc/made"),
        bind("/bin/busybox", "/etc/made/file"),
        { op: "device", path: "/etc/null", mode: 0o020666, major: 1, minor: 3, uid: 0, gid: 0 },
        { op: "symlink", target: "x", path: "/etc/link" },
      ] as const;
      await box.keel.execute(program);
      // Links are resolved as in the container: `..` ends at its root.
      const inside = join(box.root, target.startsWith("/proc") ? "proc/self/root/outside" : "outside");
      expect((await stat(join(inside, "made"))).isDirectory()).toBe(true);
      expect((await stat(join(inside, "null"))).isCharacterDevice()).toBe(true);
      expect(existsSync("/outside") || existsSync(join(box.base, "outside/made"))).toBe(false);
    },
  );

  it("a magic link of procfs in the root is not followed", async () => {
    await using box = await Box.make(binary);
    await expect(
      box.keel.execute([clone(), propagation, rootBind(box.root), proc, directory("/proc/self/root/made")]),
    ).rejects.toMatchObject({ fields: { errno: 40, step: 5 } });
  });

  it("mount refuses /proc as a symbolic link, and any mount over the root itself", async () => {
    await using box = await Box.make(binary);
    await rm(join(box.root, "proc"), { recursive: true });
    await symlink("etc", join(box.root, "proc"));
    await symlink("/", join(box.root, "top"));
    const start = [clone(), propagation, rootBind(box.root)];
    await expect(box.keel.execute([...start, proc])).rejects.toMatchObject({ fields: { errno: 40, path: "/proc" } });
    for (const target of ["/", ".", "top", "etc/.."])
      await expect(box.keel.execute([...start, tmpfs(target)])).rejects.toMatchObject({ fields: { errno: 16 } });
  });

  it("device accepts an existing node only when it is the same", async () => {
    await using box = await Box.make(binary);
    const start = { op: "root-directory", path: box.root } as const;
    await box.keel.execute([start, device(3), device(3)]);
    const { uid, gid, mode } = await stat(join(box.root, "dev/x"));
    expect([uid, gid, mode & 0o7777]).toEqual([7, 8, 0o600]);
    await expect(box.keel.execute([start, device(5)])).rejects.toMatchObject({ fields: { errno: 17, step: 2 } });
  });

  it("symlink leaves the same link and refuses another", async () => {
    await using box = await Box.make(binary);
    const start = { op: "root-directory", path: box.root } as const;
    await box.keel.execute([start, link("/proc/self/fd"), link("/proc/self/fd")]);
    await expect(box.keel.execute([start, link("/proc/self/f")])).rejects.toMatchObject({ code: "already-exists" });
  });

  it("read-file gives a regular file up to its limit, nothing for a missing one, and reads no other kind", async () => {
    await using box = await Box.make(binary);
    await writeFile(join(box.root, "etc/passwd"), "x".repeat(100_000));
    await symlink("/dev/x", join(box.root, "etc/group"));
    const start = { op: "root-directory", path: box.root } as const;
    const results = await box.keel.execute([
      start,
      read("/etc/passwd"),
      read("/none"),
      read("/etc/passwd/none"),
      read("etc/passwd"),
    ]);
    expect([...results.keys()]).toEqual([1, 4]);
    expect(text(results.get(4))).toBe("x".repeat(100_000));
    await expect(box.keel.execute([start, read("/etc/passwd", 99_999)])).rejects.toMatchObject({
      fields: { errno: 27 },
    });
    const fifo = { op: "device", path: "/dev/x", mode: 0o010644, major: 0, minor: 0, uid: 0, gid: 0 } as const;
    await expect(box.keel.execute([start, fifo, read("/etc/group")])).rejects.toMatchObject({
      fields: { errno: 22, step: 3 },
    });
  });

  it("mount tells what the kernel says of a parameter", async () => {
    await using box = await Box.make(binary);
    const error = await box.keel
      .execute([clone(), propagation, rootBind(box.root), tmpfs("/tmp", { key: "colour", value: "red" })])
      .catch((cause: unknown) => cause);
    expect(error).toMatchObject({ fields: { errno: 22, step: 4, syscall: "fsconfig" } });
    expect(error).toMatchObject({ fields: { path: "colour=red: tmpfs: Unknown parameter 'colour'" } });
  });
});
