/** Every mount option, as the kernel tells of it inside the container. */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { mountOptions } from "#plan";
import { buildKeel } from "../support/monitored.ts";
import { ownUsers, MountBox, type MountLine, type PlannedOptions } from "../support/mount-box.ts";

let box: MountBox;
let tree = "";
const tested = new Set<string>();
const all = "nosuid,nodev,noexec,noatime,nodiratime,nosymfollow";

beforeAll(buildKeel);

/** A mount with every restriction, and one below it: what the `no…less` words have something to take away from. */
beforeEach(() => {
  box = new MountBox();
  tree = box.make("tree");
  const below = `${tree}/below`;
  execFileSync("mount", ["-t", "tmpfs", "-o", all, "x", tree]);
  mkdirSync(below);
  execFileSync("mount", ["-t", "tmpfs", "-o", all, "x", below]);
  execFileSync("mount", ["-o", `remount,bind,ro,${all}`, below]);
});

afterEach(async () => {
  execFileSync("umount", ["-R", tree]);
  await box[Symbol.asyncDispose]();
});

const note = (...words: readonly string[]): string[] => {
  for (const word of words) tested.add(word);
  return [...words];
};

/** A tmpfs on /t with these options. */
async function tmpfs(...words: string[]): Promise<MountLine> {
  const mounts = [{ type: "tmpfs", source: "tmpfs", destination: "/t", options: note(...words) }];
  const { "/t": found } = await box.mountinfo(["/t"], { mounts });
  if (found === undefined) throw new Error("nothing is mounted on /t");
  return found;
}

/** Flags of a bind of `tree`, and of the mount below it. */
async function bound(words: readonly string[], options: PlannedOptions = {}): Promise<readonly MountLine[]> {
  const mounts = [{ type: "none", source: tree, destination: "/b", options: note("rbind", ...words) }];
  const found = await box.mountinfo(["/b", "/b/below"], { ...options, mounts });
  return [found["/b"], found["/b/below"]].filter((line) => line !== undefined);
}
const flags = (lines: readonly MountLine[]): readonly string[] => lines.map((line) => line.flags);

describe("mount options of a new filesystem", () => {
  it.each([
    [["ro"], "ro,relatime"],
    [["ro", "rw"], "rw,relatime"],
    [["nosuid", "nodev", "noexec"], "rw,nosuid,nodev,noexec,relatime"],
    [["nosuid", "nodev", "noexec", "suid", "dev", "exec"], "rw,relatime"],
    [["noatime", "nodiratime"], "rw,noatime,nodiratime"],
    [["noatime", "atime"], "rw,relatime"],
    [["nodiratime", "diratime"], "rw,relatime"],
    [["strictatime"], "rw"],
    [["strictatime", "nostrictatime"], "rw,relatime"],
    [["norelatime"], "rw"],
    [["norelatime", "relatime"], "rw,relatime"],
    [["nosymfollow"], "rw,relatime,nosymfollow"],
    [["nosymfollow", "symfollow"], "rw,relatime"],
    [["defaults", "iversion", "noiversion", "silent", "loud"], "rw,relatime"],
    [["rro", "rnosuid"], "ro,nosuid,relatime"],
  ])("%s: %s", async (words, expected) => {
    expect((await tmpfs(...words)).flags).toBe(expected);
  });

  it.each([
    [["sync"], "rw,sync"],
    [["sync", "async"], "rw"],
    [["dirsync"], "rw,dirsync"],
    [["lazytime"], "rw,lazytime"],
    [["lazytime", "nolazytime"], "rw"],
    [["mand"], "rw,mand"],
    [["mand", "nomand"], "rw"],
    [["rsync", "rasync", "rdirsync", "rmand", "rnomand"], "rw"],
    [["size=64k", "mode=700"], "rw,size=64k,mode=700"],
  ])("%s: superblock %s", async (words, expected) => {
    expect((await tmpfs(...words)).superblock.replace(/,?inode64/, "")).toBe(expected);
  });

  it.each([
    [["shared"], /^shared:\d+$/],
    [["rshared"], /^shared:\d+$/],
    [["unbindable"], /^unbindable$/],
    [["runbindable"], /^unbindable$/],
    [["private"], /^$/],
    [["rprivate"], /^$/],
    [["slave"], /^$/],
    [["rslave"], /^$/],
  ])("%s", async (words, expected) => {
    expect((await tmpfs(...words)).propagation).toMatch(expected);
  });
});

describe("mount options of a bind", () => {
  it.each([
    [[], `rw,${all}`, `ro,${all}`],
    [["ro"], `ro,${all}`, `ro,${all}`],
    [["rrw"], `rw,${all}`, `rw,${all}`],
    [["rro"], `ro,${all}`, `ro,${all}`],
    [["suid", "dev", "exec", "symfollow"], "rw,noatime,nodiratime", `ro,${all}`],
    [["rsuid", "rdev", "rexec", "rsymfollow"], "rw,noatime,nodiratime", "ro,noatime,nodiratime"],
    [["diratime", "relatime"], "rw,nosuid,nodev,noexec,relatime,nosymfollow", `ro,${all}`],
    [
      ["rdiratime", "rrelatime"],
      "rw,nosuid,nodev,noexec,relatime,nosymfollow",
      "ro,nosuid,nodev,noexec,relatime,nosymfollow",
    ],
    [
      ["ratime"],
      "rw,nosuid,nodev,noexec,nodiratime,relatime,nosymfollow",
      "ro,nosuid,nodev,noexec,nodiratime,relatime,nosymfollow",
    ],
    [
      ["rstrictatime"],
      "rw,nosuid,nodev,noexec,nodiratime,nosymfollow",
      "ro,nosuid,nodev,noexec,nodiratime,nosymfollow",
    ],
    [["rnorelatime"], "rw,nosuid,nodev,noexec,nodiratime,nosymfollow", "ro,nosuid,nodev,noexec,nodiratime,nosymfollow"],
    [
      ["rstrictatime", "rnostrictatime"],
      "rw,nosuid,nodev,noexec,nodiratime,relatime,nosymfollow",
      "ro,nosuid,nodev,noexec,nodiratime,relatime,nosymfollow",
    ],
    [
      [
        "rsuid",
        "rnosuid",
        "rdev",
        "rnodev",
        "rexec",
        "rnoexec",
        "ratime",
        "rnoatime",
        "rdiratime",
        "rnodiratime",
        "rsymfollow",
        "rnosymfollow",
      ],
      `rw,${all}`,
      `ro,${all}`,
    ],
  ] as const)("%s", async (words, top, below) => {
    expect(flags(await bound(words))).toEqual([top, below]);
  });

  it("ro leaves what is mounted below as it is, and rro does not", async () => {
    execFileSync("mount", ["-o", `remount,bind,rw,${all}`, `${tree}/below`]);
    const mount = (word: string): PlannedOptions => ({
      mounts: [{ source: tree, destination: "/b", options: ["rbind", word] }],
    });
    const script = "touch /b/x; touch /b/below/x && echo written";
    const refused = (path: string): string => `touch: ${path}: Read-only file system`;
    expect(await box.run(script, mount("ro"))).toEqual([refused("/b/x"), "written"]);
    expect(await box.run(script, mount("rro"))).toEqual([refused("/b/x"), refused("/b/below/x")]);
  });

  it.each([
    [["private"], /^$/, /^$/],
    [["rprivate"], /^$/, /^$/],
    [["shared"], /^shared:\d+/, /^$/],
    [["rshared"], /^shared:\d+/, /^shared:\d+/],
    [["unbindable"], /^unbindable$/, /^$/],
    [["runbindable"], /^unbindable$/, /^unbindable$/],
  ] as const)("%s", async (words, top, below) => {
    const lines = await bound(words);
    expect(lines[0]?.propagation).toMatch(top);
    expect(lines[1]?.propagation).toMatch(below);
  });

  it.each(["slave", "rslave"])("%s receives what the host mounts, and gives back nothing", async (word) => {
    execFileSync("mount", ["--make-rshared", tree]);
    const [top, below] = await bound([word]);
    expect([top?.propagation, below?.propagation]).toEqual([
      expect.stringMatching(/^master:\d+$/),
      expect.stringMatching(/^master:\d+$/),
    ]);
    execFileSync("mount", ["--make-rprivate", tree]);
  });

  it("bind takes only the mount itself, and rbind those below", async () => {
    const mounts = [{ type: "bind", source: tree, destination: "/b", options: note("bind") }];
    expect(Object.keys(await box.mountinfo(["/b", "/b/below"], { mounts }))).toEqual(["/b"]);
    box.remap();
    // There the mount below is locked to its parent, so that somebody with more rights must take it.
    expect(Object.keys(await box.mountinfo(["/b", "/b/below"], { mounts, linux: ownUsers }))).toEqual(["/b"]);
    expect((await bound([], { linux: ownUsers })).length).toBe(2);
  });

  it("what belongs to a filesystem is refused", async () => {
    await expect(bound(["size=1m"])).rejects.toThrow('option "size=1m" is one of filesystems, not of binds');
  });
});

describe("remount", () => {
  const base = { type: "tmpfs", source: "tmpfs", destination: "/t", options: ["nosuid", "size=1m", "mode=755"] };

  it("with bind changes the mount alone, without it the filesystem too, and leaves the rest", async () => {
    const after = async (...options: string[]): Promise<MountLine | undefined> =>
      (
        await box.mountinfo(["/t"], {
          mounts: [base, { type: "tmpfs", destination: "/t", options: note("remount", ...options) }],
        })
      )["/t"];
    expect(await after("bind", "ro", "nodev")).toMatchObject({
      flags: "ro,nosuid,nodev,relatime",
      superblock: expect.stringContaining("rw,size=1024k"),
    });
    expect(await after("size=2m", "noexec")).toMatchObject({
      flags: "rw,nosuid,noexec,relatime",
      superblock: expect.stringContaining("size=2048k"),
    });
    expect(await after("shared")).toMatchObject({ propagation: expect.stringMatching(/^shared:/) });
  });

  it("of a path that is no mount fails", async () => {
    const mounts = [{ destination: "/tmp", options: ["remount", "bind", "ro"] }];
    await expect(box.run("true", { mounts })).rejects.toThrow('Cannot change the mount "/tmp": invalid argument');
  });
});

it("all options have been looked at, but for those that other tests are about", () => {
  const elsewhere = new Set(["idmap", "ridmap", "tmpcopyup", "copy-symlink", "src-nofollow", "dest-nofollow"]);
  expect(mountOptions.filter((word) => !tested.has(word) && !elsewhere.has(word))).toEqual([]);
});
