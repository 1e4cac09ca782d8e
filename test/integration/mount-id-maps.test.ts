/** Id-mapped mounts: who owns the files of a bind, as seen in the container and on the host. */
import { chmodSync, chownSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { buildKeel } from "../support/monitored.ts";
import { ownUsers, MountBox, type PlannedOptions } from "../support/mount-box.ts";

let box: MountBox;
const mounted: string[] = [];

beforeAll(buildKeel);

beforeEach(() => {
  box = new MountBox();
  for (const [name, uid, gid] of [
    ["a", 100, 211],
    ["b", 101, 222],
    ["c", 102, 233],
  ] as const)
    for (const directory of ["tree", "other"]) {
      box.make(directory);
      const file = box.path(directory, name);
      writeFileSync(file, `${name}\n`);
      chownSync(file, directory === "tree" ? uid : uid + 100, gid);
    }
});

afterEach(async () => {
  for (const path of mounted.splice(0).toReversed()) execFileSync("umount", [path]);
  await box[Symbol.asyncDispose]();
});

const map = (containerID: number, hostID: number, size: number) => ({ containerID, hostID, size });
const bind = (source: string, destination: string, uids?: object[], gids?: object[], ...options: string[]): object => ({
  type: "bind",
  source,
  destination,
  options: ["rbind", ...options],
  ...(uids === undefined ? {} : { uidMappings: uids }),
  ...(gids === undefined ? {} : { gidMappings: gids }),
});
const uids = [map(100, 101_000, 3)];
const gids = [map(210, 101_100, 10), map(220, 102_200, 10), map(230, 103_300, 10)];
const owners = (...paths: string[]): string => `stat -c '%u:%g' ${paths.join(" ")}`;
const files = (directory: string): string => `${directory}/a ${directory}/b ${directory}/c`;
const users: PlannedOptions = { linux: ownUsers };

/** A second mount below `tree`, with files of users 200 to 202. */
function mountBelow(): void {
  mkdirSync(box.path("tree/below"));
  execFileSync("mount", ["--bind", box.path("other"), box.path("tree/below")]);
  mounted.push(box.path("tree/below"));
}

describe.each([
  ["without a user namespace", {}, 0],
  ["with a user namespace", users, 100_000],
] as const)("an id-mapped mount, %s,", (_, options, base) => {
  beforeEach(() => {
    if (base !== 0) box.remap();
  });

  it("shows the owners of its maps, and the plain bind beside it those of the disk", async () => {
    const lines = await box.run(`${owners(files("/m"))}; ${owners(files("/plain"))}`, {
      ...options,
      mounts: [bind(box.path("tree"), "/m", uids, gids), bind(box.path("tree"), "/plain")],
    });
    expect(lines).toEqual([
      `${101_000 - base}:${101_101 - base}`,
      `${101_001 - base}:${102_202 - base}`,
      `${101_002 - base}:${103_303 - base}`,
      ...(base === 0 ? ["100:211", "101:222", "102:233"] : ["65534:65534", "65534:65534", "65534:65534"]),
    ]);
    expect(statSync(box.path("tree/a")).uid).toBe(100);
  });

  it("takes several maps of one source, and of a symbolic link to it", async () => {
    symlinkSync("tree", box.path("link"));
    const lines = await box.run(owners("/one/a", "/two/a", "/three/a"), {
      ...options,
      mounts: [
        bind(box.path("tree"), "/one", [map(100, 100_000, 100)], [map(200, 100_000, 100)]),
        bind(box.path("tree"), "/two", [map(100, 101_000, 100)], [map(200, 102_000, 100)]),
        bind(box.path("link"), "/three", [map(100, 102_000, 100)], [map(200, 103_000, 100)]),
      ],
    });
    expect(lines).toEqual([
      `${100_000 - base}:${100_011 - base}`,
      `${101_000 - base}:${102_011 - base}`,
      `${102_000 - base}:${103_011 - base}`,
    ]);
  });

  it.each([
    ["without a word", [], false],
    ["with idmap", ["idmap"], false],
    ["with ridmap", ["ridmap"], true],
  ] as const)("%s, maps what is mounted below only when asked to", async (_name, words, recursive) => {
    mountBelow();
    const wide = [map(100, 101_000, 3), map(200, 102_000, 3)];
    const lines = await box.run(owners("/m/a", "/m/below/a", "/m/below/c"), {
      ...options,
      mounts: [bind(box.path("tree"), "/m", wide, gids, ...words)],
    });
    const plain = base === 0 ? ["200:211", "202:233"] : ["65534:65534", "65534:65534"];
    expect(lines).toEqual([
      `${101_000 - base}:${101_101 - base}`,
      ...(recursive ? [`${102_000 - base}:${101_101 - base}`, `${102_002 - base}:${103_303 - base}`] : plain),
    ]);
  });

  it("can be read-only with all below it, shared, and of a file at a relative destination", async () => {
    mountBelow();
    const mounts = [
      bind(box.path("tree"), "/m", uids, gids, "rro", "ridmap", "nosuid", "shared"),
      { ...bind("tree/a", "etc/file", uids, gids), options: ["bind"] },
    ];
    const found = await box.mountinfo(["/m", "/m/below", "/etc/file"], { ...options, mounts });
    expect(found["/m"]?.flags).toBe("ro,nosuid,relatime,idmapped");
    expect(found["/m"]?.propagation).toMatch(/^shared:\d+/);
    expect(found["/m/below"]?.flags).toBe("ro,relatime,idmapped");
    expect(found["/etc/file"]?.flags).toBe("rw,relatime,idmapped");
    const script = "touch /m/new; touch /m/below/new; cat /etc/file";
    expect(await box.run(script, { ...options, mounts })).toEqual([
      "touch: /m/new: Read-only file system",
      "touch: /m/below/new: Read-only file system",
      "a",
    ]);
  });

  it("takes crun's idmap=", async () => {
    const lines = await box.run(owners(files("/m")), {
      ...options,
      mounts: [
        bind(box.path("tree"), "/m", undefined, undefined, "idmap=uids=100-101000-1#101-102000-2;gids=0-103000-300"),
      ],
    });
    expect(lines).toEqual([
      `${101_000 - base}:${103_211 - base}`,
      `${102_000 - base}:${103_222 - base}`,
      `${102_001 - base}:${103_233 - base}`,
    ]);
  });

  it("leaves the process few descriptors and does not run out of them", async () => {
    const mounts = Array.from({ length: 20 }, (_x, i) =>
      bind(box.path("tree"), `/m${i}`, [map(100, 100_000 + i, 3)], [map(0, 100_000, 1000)]),
    );
    const process = { rlimits: [{ type: "RLIMIT_NOFILE", soft: 20, hard: 20 }] };
    expect(await box.run(`${owners("/m19/a")}; ls /proc/self/fd | wc -l`, { ...options, mounts, process })).toEqual([
      `${100_019 - base}:${100_211 - base}`,
      "4",
    ]);
  });

  it("takes a source that earlier mounts of the container are part of", async () => {
    mkdirSync(join(box.root, "mnt"));
    const mounts = [
      bind(box.path("tree"), "/mnt"),
      bind(box.path("other"), "/mnt/x"),
      bind(join(box.root, "mnt"), `${box.root}/final`, [map(0, 100_000, 1000)], [map(0, 100_000, 1000)], "ridmap"),
    ];
    chmodSync(box.path("tree"), 0o777);
    expect(await box.run(owners("/final/a", "/final/x/a"), { ...options, mounts })).toEqual([
      `${100_100 - base}:${100_211 - base}`,
      `${100_200 - base}:${100_211 - base}`,
    ]);
  });

  it("of a filesystem that cannot says which, and nothing is left", async () => {
    await expect(box.run("true", { ...options, mounts: [bind("/proc/sys", "/m", uids, gids)] })).rejects.toThrow(
      "/proc/sys: ids cannot be mapped on a filesystem of type proc",
    );
    expect(existsSync(join(box.root, "m"))).toBe(false);
  });
});

describe("an id-mapped mount", () => {
  beforeEach(() => box.remap());

  it("writes as root of the container where the maps have it, and not where they have not", async () => {
    const mounts = [bind(box.path("tree"), "/m", [map(0, 100_000, 65_536)], [map(0, 100_000, 65_536)])];
    expect(await box.run(`touch /m/new && ${owners("/m/new")}`, { ...users, mounts })).toEqual(["0:0"]);
    expect(statSync(box.path("tree/new")).uid).toBe(0);
    expect(await box.run("touch /m/newer", { mounts })).toEqual([
      "touch: /m/newer: Value too large for defined data type",
    ]);
  });

  it("takes over the container's own maps with idmap and ridmap alone", async () => {
    mountBelow();
    const script = owners("/m/a", "/m/below/a");
    const one = { ...users, mounts: [bind(box.path("tree"), "/m", undefined, undefined, "idmap")] };
    const all = { ...users, mounts: [bind(box.path("tree"), "/m", undefined, undefined, "ridmap")] };
    expect([await box.run(script, one), await box.run(script, all)]).toEqual([
      ["100:211", "65534:65534"],
      ["100:211", "200:211"],
    ]);
  });

  it("takes over the maps of a user namespace that the container joins", async () => {
    mountBelow();
    const holder = await box.start(box.config("while :; do sleep 1; done", users), {
      cgroupPath: "/sampan/planned-holder",
    });
    const joined = {
      namespaces: ownUsers.namespaces.map((x) =>
        x.type === "user" ? { ...x, path: `/proc/${holder.pid}/ns/user` } : x,
      ),
    };
    const lines = await box.run(owners("/m/a", "/m/below/a", "/n/a"), {
      linux: joined,
      mounts: [
        bind(box.path("tree"), "/m", undefined, undefined, "idmap"),
        bind(box.path("tree"), "/n", uids, gids, "idmap"),
      ],
    });
    expect(lines).toEqual(["100:211", "65534:65534", "1000:1101"]);
  });

  it("reads the ids behind @ as those of the container", async () => {
    const lines = await box.run(owners("/m/a"), {
      ...users,
      mounts: [bind(box.path("tree"), "/m", undefined, undefined, "idmap=uids=@100-7-10;gids=@200-8-100")],
    });
    expect(lines).toEqual(["7:19"]);
  });
});
