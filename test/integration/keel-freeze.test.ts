import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import type { Operation } from "#plan";
import { binaries, Box } from "../support/keel-box.ts";

const freezer = "/sys/fs/cgroup/freezer";
const unified = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((p) => existsSync(`${p}/cgroup.subtree_control`));
const name = `keel-freeze-${process.pid}`;

const freeze = (path: string, frozen: boolean): Operation => ({ op: "freeze", path, frozen });
const end = (path: string): Operation[] => [
  { op: "cgroup-kill", path },
  { op: "cgroup-remove", path },
];

/** A process that forks without end, in a cgroup: what it counts shows whether it runs. */
async function forker(directory: string): Promise<ChildProcess> {
  const child = spawn("/bin/busybox", ["sh", "-c", "read _; while :; do /bin/busybox true; echo; done"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  await once(child, "spawn");
  await writeFile(`${directory}/cgroup.procs`, String(child.pid));
  child.stdin?.write("\n");
  if (child.stdout !== null) await once(child.stdout, "data");
  return child;
}

const state = async (pid: number | undefined): Promise<string> =>
  /^State:\t(\w)/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1] ?? "";

describe.each(binaries)("%s freezer", (_, binary) => {
  it.runIf(existsSync(freezer))("freeze stops a v1 group that forks, and lets it go on", async () => {
    await using box = await Box.make(binary);
    const path = `${freezer}/${name}`;
    await mkdir(`${path}/deep`, { recursive: true });
    const child = await forker(`${path}/deep`);
    await box.keel.execute([freeze(path, true)]);
    expect(await readFile(`${path}/freezer.state`, "utf8")).toBe("FROZEN\n");
    expect(await readFile(`${path}/deep/freezer.state`, "utf8")).toBe("FROZEN\n");
    await box.keel.execute([freeze(path, true), freeze(path, false)]);
    expect(await readFile(`${path}/deep/freezer.state`, "utf8")).toBe("THAWED\n");
    if (child.stdout !== null) await once(child.stdout, "data");
    await box.keel.execute([freeze(path, true), ...end(path)]);
    expect(existsSync(path)).toBe(false);
  });

  it.runIf(unified !== undefined)("freeze stops a v2 group that forks, and lets it go on", async () => {
    await using box = await Box.make(binary);
    const path = `${unified}/${name}`;
    await mkdir(path);
    const child = await forker(path);
    await box.keel.execute([freeze(path, true)]);
    expect(await readFile(`${path}/cgroup.events`, "utf8")).toContain("frozen 1\n");
    expect(await state(child.pid)).not.toBe("R");
    await box.keel.execute([freeze(path, false)]);
    if (child.stdout !== null) await once(child.stdout, "data");
    await box.keel.execute([freeze(path, true), ...end(path)]);
    expect(existsSync(path)).toBe(false);
  });

  it("freeze refuses what is no cgroup", async () => {
    await using box = await Box.make(binary);
    await expect(box.keel.execute([freeze(box.base, true)])).rejects.toMatchObject({ fields: { errno: 22 } });
    await expect(box.keel.execute([freeze(`${box.base}/none`, true)])).rejects.toMatchObject({ fields: { errno: 2 } });
  });

  it.runIf(unified !== undefined)(
    "cgroup-owner gives a group and its files away, and passes over missing ones",
    async () => {
      await using box = await Box.make(binary);
      const path = `${unified}/${name}-owner`;
      await mkdir(path);
      const files = ["cgroup.procs", "cgroup.threads", "no.such.file"];
      await box.keel.execute([{ op: "cgroup-owner", path, uid: 1234, gid: 0xffff_ffff, files }]);
      const owners = ["", "cgroup.procs", "cgroup.threads", "cgroup.type"].map(async (file) => {
        const { uid, gid } = await stat(`${path}/${file}`);
        return [uid, gid];
      });
      expect(await Promise.all(owners)).toEqual([
        [1234, 0],
        [1234, 0],
        [1234, 0],
        [0, 0],
      ]);
      const escape: Operation = { op: "cgroup-owner", path, uid: 1, gid: 1, files: ["../cgroup.procs"] };
      await expect(box.keel.execute([escape])).rejects.toMatchObject({ fields: { errno: 22 } });
      await box.keel.execute(end(path));
    },
  );

  it.runIf(existsSync(freezer))("write-first writes the first file that is there, and fails when none is", async () => {
    await using box = await Box.make(binary);
    const path = `${freezer}/${name}-first`;
    await mkdir(path);
    const first = (...names: string[]): Operation => ({
      op: "write-first",
      directory: path,
      choices: names.map((file, index) => ({ name: file, data: ["1", "FROZEN"][index] ?? "" })),
    });
    await box.keel.execute([first("none", "freezer.state")]);
    expect(await readFile(`${path}/freezer.state`, "utf8")).toBe("FROZEN\n");
    await box.keel.execute([first("notify_on_release", "freezer.state")]);
    expect(await readFile(`${path}/notify_on_release`, "utf8")).toBe("1\n");
    for (const [names, errno] of [
      [["none"], 2],
      [[], 2],
      [["freezer.state"], 22],
      [["../x"], 22],
    ] as const)
      await expect(box.keel.execute([first(...names)])).rejects.toMatchObject({ fields: { errno } });
    await box.keel.execute(end(path));
  });
});
