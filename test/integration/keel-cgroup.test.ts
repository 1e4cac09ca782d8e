import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import type { Operation } from "#plan";
import { binaries, bind, Box, clone, ns, ordinary, pivot, proc, propagation, rootBind } from "../support/keel-box.ts";

const v1 = "/sys/fs/cgroup/pids";
const v2 = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((path) => existsSync(`${path}/cgroup.subtree_control`));
const name = `keel-test-${process.pid}`;

const create = (
  mount: string,
  path: string,
  more: Partial<Extract<Operation, { op: "cgroup-create" }>> = {},
): Operation => ({
  op: "cgroup-create",
  path: `${mount}/${path}`,
  mount,
  cpuset: false,
  controllers: [],
  ...more,
});
const remove = (path: string): Operation => ({ op: "cgroup-remove", path });
const kill = (path: string): Operation => ({ op: "cgroup-kill", path });

/** A process that does nothing, in a cgroup. */
async function sleeper(procs: string): Promise<ChildProcess> {
  const child = spawn("/bin/busybox", ["sleep", "600"], { stdio: "ignore" });
  await once(child, "spawn");
  await writeFile(procs, String(child.pid));
  return child;
}

/** An eBPF program: r0 = value; exit. */
const answer = (value: number): Uint8Array => Uint8Array.of(0xb7, 0, 0, 0, value, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);

describe.each(binaries)("%s cgroups", (_, binary) => {
  it.runIf(existsSync(v1))("join-cgroup moves the process on v1 and gives it a cgroup namespace", async () => {
    await using box = await Box.make(binary);
    const path = `${v1}/${name}`;
    const output = await box.output([
      create(v1, `${name}/a`),
      clone(ordinary | ns.cgroup),
      { op: "join-cgroup", paths: [`${path}/a`], unshare: true },
      propagation,
      rootBind(box.root),
      proc,
      bind(box.out, "/out"),
      bind(`${path}/a`, "/cg"),
      pivot,
      box.shell("/bin/busybox grep -E ':pids:' /proc/self/cgroup; cat /cg/tasks | /bin/busybox wc -l"),
    ]);
    expect(output.replace(/^\d+/, "")).toMatch(/^:pids:\/\n[1-4]\n$/);
    await box.keel.execute([kill(path), remove(path)]);
    expect(existsSync(path)).toBe(false);
  });

  it.runIf(existsSync(v1))("join-cgroup works from within a user namespace, as X opens the files", async () => {
    await using box = await Box.make(binary);
    const path = `${v1}/${name}-user`;
    await box.keel.execute([
      create(v1, `${name}-user`),
      clone(ns.user | ns.mnt),
      {
        op: "id-map",
        uids: [{ inside: 0, outside: 100_000, count: 1 }],
        gids: [{ inside: 0, outside: 100_000, count: 1 }],
        denySetgroups: false,
      },
      { op: "join-cgroup", paths: [path], unshare: false },
    ]);
    await box.keel.execute([remove(path)]);
    expect(existsSync(path)).toBe(false);
  });

  it.runIf(existsSync("/sys/fs/cgroup/cpuset/cpuset.cpus"))(
    "cgroup-create fills an empty v1 cpuset from its parent",
    async () => {
      await using box = await Box.make(binary);
      const mount = "/sys/fs/cgroup/cpuset";
      await box.keel.execute([create(mount, `${name}/a/b`, { cpuset: true })]);
      for (const file of ["cpuset.cpus", "cpuset.mems"]) {
        const value = await readFile(`${mount}/${file}`, "utf8");
        expect(value.trim()).not.toBe("");
        expect(await readFile(`${mount}/${name}/a/b/${file}`, "utf8")).toBe(value);
      }
      await box.keel.execute([remove(`${mount}/${name}`)]);
      expect(existsSync(`${mount}/${name}`)).toBe(false);
    },
  );

  it.runIf(existsSync("/sys/fs/cgroup/freezer"))("cgroup-kill ends frozen processes of all levels on v1", async () => {
    await using box = await Box.make(binary);
    const path = `/sys/fs/cgroup/freezer/${name}`;
    await mkdir(`${path}/deep`, { recursive: true });
    const children = await Promise.all([sleeper(`${path}/cgroup.procs`), sleeper(`${path}/deep/cgroup.procs`)]);
    const ends = children.map((child) => once(child, "exit"));
    await writeFile(`${path}/freezer.state`, "FROZEN");
    await box.keel.execute([kill(path), remove(path)]);
    expect(await Promise.all(ends)).toEqual([
      [null, "SIGKILL"],
      [null, "SIGKILL"],
    ]);
    expect(existsSync(path)).toBe(false);
  });

  it("cgroup-kill and cgroup-remove of a missing directory are no failure", async () => {
    await using box = await Box.make(binary);
    const path = `/sys/fs/cgroup/${name}-none`;
    await expect(box.keel.execute([kill(path), remove(path)])).resolves.toEqual(new Map());
  });

  it("cgroup-create refuses a path beside its mount or a mount that is none", async () => {
    await using box = await Box.make(binary);
    const attempt = (path: string, mount: string) =>
      box.keel.execute([{ op: "cgroup-create", path, mount, cpuset: false, controllers: [] }]);
    for (const [path, mount] of [
      [`${v1}/../x`, v1],
      [`${v1}x/y`, v1],
      ["relative", ""],
      [box.base + "/x", box.base],
    ] as const)
      await expect(attempt(path, mount)).rejects.toMatchObject({ fields: { errno: 22 } });
    await expect(box.keel.execute([remove(box.base)])).rejects.toMatchObject({ fields: { errno: 22 } });
    expect(existsSync(box.base)).toBe(true);
  });

  it.runIf(existsSync(v1))("cgroup-remove says that a cgroup with processes is busy", async () => {
    await using box = await Box.make(binary);
    const path = `${v1}/${name}-busy`;
    await mkdir(path);
    const child = await sleeper(`${path}/cgroup.procs`);
    const end = once(child, "exit");
    await expect(box.keel.execute([remove(path)])).rejects.toMatchObject({ fields: { errno: 16, path } });
    child.kill("SIGKILL");
    await end;
    await box.keel.execute([remove(path)]);
  });

  it.runIf(v2 !== undefined)("clone bears the process in its cgroup on v2, whose namespace root that is", async () => {
    await using box = await Box.make(binary);
    const path = `${v2}/${name}`;
    const output = await box.output([
      create(v2 ?? "", `${name}/a`, { controllers: ["not-a-controller"] }),
      clone(ordinary | ns.cgroup, `${path}/a`),
      propagation,
      rootBind(box.root),
      proc,
      bind(box.out, "/out"),
      bind(`${path}/a`, "/cg"),
      pivot,
      box.shell("/bin/busybox grep ^0: /proc/self/cgroup; cat /cg/cgroup.procs | /bin/busybox wc -l"),
    ]);
    expect(output).toMatch(/^0::\/\n[1-4]\n$/);
    await box.keel.execute([kill(path), remove(path)]);
    expect(existsSync(path)).toBe(false);
  });

  it.runIf(v2 !== undefined)("cgroup-device-filter puts a program in place of the one before", async () => {
    await using box = await Box.make(binary);
    const path = `${v2}/${name}-dev`;
    const filter = (value: number): Operation => ({ op: "cgroup-device-filter", path, program: answer(value) });
    const attempt = (...filters: Operation[]): Promise<string> =>
      box.output([
        create(v2 ?? "", `${name}-dev`),
        ...filters,
        clone(ordinary, path),
        propagation,
        rootBind(box.root),
        bind("/dev/zero", "/dev/zero"),
        bind(box.out, "/out"),
        pivot,
        box.shell("/bin/busybox head -c 1 /dev/zero | /bin/busybox wc -c"),
      ]);
    expect(await attempt(filter(0))).toContain("Operation not permitted");
    expect(await attempt(filter(1))).toBe("1\n");
    expect(await attempt(filter(1), filter(0), filter(1))).toBe("1\n");
    await expect(
      box.keel.execute([{ op: "cgroup-device-filter", path, program: new Uint8Array(7) }]),
    ).rejects.toMatchObject({ fields: { errno: 22 } });
    await box.keel.execute([kill(path), remove(path)]);
  });
});
