/** Mounts that are added to a running container, and removed again. */
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { operationsOf, planMountAdd, planMountRemove, type MountChange } from "#plan";
import { parseRuntimeConfig, type RuntimeConfig } from "#spec";
import { buildKeel } from "../support/monitored.ts";
import { ownUsers, MountBox, type PlannedOptions } from "../support/mount-box.ts";

let box: MountBox;
beforeAll(buildKeel);
beforeEach(() => {
  box = new MountBox();
});
afterEach(() => box[Symbol.asyncDispose]());

interface Running {
  readonly config: RuntimeConfig;
  readonly change: MountChange;
  readonly pid: number;
}

async function running(options: PlannedOptions = {}): Promise<Running> {
  const config = box.config("while :; do sleep 1; done", options);
  const { pid, plan } = await box.start(config);
  return { config, pid, change: { pid, bundle: box.directory, cgroupPaths: plan.cgroupPaths } };
}

const read = (mounts: readonly object[]): RuntimeConfig["mounts"] =>
  parseRuntimeConfig({ ociVersion: "1.3.0", mounts }).mounts;

async function add({ config, change }: Running, ...mounts: readonly object[]): Promise<void> {
  await box.monitored.executor.execute(operationsOf(planMountAdd(read(mounts), config, box.facts, change)));
}
async function remove({ config, change }: Running, ...destinations: readonly string[]): Promise<void> {
  const mounts = destinations.map((destination) => ({ destination }));
  await box.monitored.executor.execute(operationsOf(planMountRemove(mounts, config, box.facts, change)));
}

/** Options of a mount of the container, from outside. */
const seen = (pid: number, point: string): readonly string[] =>
  readFileSync(`/proc/${pid}/mountinfo`, "utf8")
    .split("\n")
    .filter((line) => line.split(" ")[4] === point)
    .map((line) => `${line.split(" - ")[1]?.split(" ")[0]} ${line.split(" ")[5]}`);
const inside = (pid: number, path: string): string => `/proc/${pid}/root${path}`;

describe.each([
  ["without a user namespace", {}, false],
  ["with a user namespace", { linux: ownUsers }, true],
] as const)("planMountAdd() and planMountRemove(), %s,", (_, options, users) => {
  beforeEach(() => {
    if (users) box.remap();
  });

  it("add a bind, a file and a tmpfs to a running container, and take them away", async () => {
    const source = box.make("source", { file: "content\n" });
    // On the way there root of the container is nobody.
    chmodSync(source, 0o700);
    const container = await running(options);
    const { pid } = container;
    await add(
      container,
      { source: "source", destination: "/added/here", options: ["rbind", "ro"] },
      { source: join(source, "file"), destination: "etc/../etc/file", options: ["bind", "nosuid"] },
      { type: "tmpfs", destination: "/added/here/..", options: ["mode=711", "size=64k", "noexec"] },
    );
    expect([seen(pid, "/added/here"), seen(pid, "/etc/file"), seen(pid, "/added")]).toEqual([
      ["ext4 ro,relatime"],
      ["ext4 rw,nosuid,relatime"],
      ["tmpfs rw,noexec,relatime"],
    ]);
    expect(readFileSync(inside(pid, "/etc/file"), "utf8")).toBe("content\n");
    await remove(container, "/added", "/etc/file");
    expect(readFileSync(inside(pid, "/added/here/file"), "utf8")).toBe("content\n");
    await remove(container, "added/here/");
    expect([seen(pid, "/added/here"), seen(pid, "/etc/file"), seen(pid, "/added")]).toEqual([[], [], []]);
    expect(existsSync(inside(pid, "/added/here/file"))).toBe(false);
    expect(readFileSync(join(source, "file"), "utf8")).toBe("content\n");
  });

  it("make new filesystems in the container's namespaces", async () => {
    const container = await running(options);
    const { pid } = container;
    await add(
      container,
      { type: "sysfs", destination: "/net", options: ["ro"] },
      { type: "mqueue", destination: "/queues" },
      { type: "tmpfs", destination: "/bin", options: ["tmpcopyup", "ro"] },
      { type: "cgroup", destination: "/groups", options: ["ro"] },
    );
    const look = (script: string): string =>
      execFileSync("nsenter", ["-t", String(pid), "-m", "/bin/sh", "-c", script], { env: { PATH: "/bin" } }).toString();
    expect(look("ls /net/class/net; stat -c %u /queues; cat --help 2>&1 | head -n 1 | cut -c1-7")).toMatch(
      /^lo\n(0|100000)\nBusyBox\n$/,
    );
    expect(seen(pid, "/bin")).toEqual(["tmpfs ro,relatime"]);
    await remove(container, "/net", "/queues", "/bin");
    expect(existsSync(inside(pid, "/bin/sh"))).toBe(true);
  });

  it("take sources as the host has them, and destinations as the container has them", async () => {
    const container = await running(options);
    const { pid } = container;
    box.make("source", { file: "of the host\n" });
    const host = box.make("outside");
    mkdirSync(inside(pid, "/trap"));
    // What the container has at the source's path is not meant, nor what the host has at the destination's.
    symlinkSync(host, inside(pid, "/trap/link"));
    await add(container, { source: box.path("source"), destination: "/trap/link/made", options: ["bind"] });
    expect(readFileSync(inside(pid, `${host}/made/file`), "utf8")).toBe("of the host\n");
    expect(existsSync(join(host, "made"))).toBe(false);
    await expect(
      add(container, { source: "/bin/busybox", destination: "/etc/../proc/self/exe", options: ["bind"] }),
    ).rejects.toThrow("only procfs may be at /proc");
    symlinkSync("/proc/self", inside(pid, "/alias"));
    await expect(
      add(container, { source: "/bin/busybox", destination: "/alias/attr", options: ["bind"] }),
    ).rejects.toThrow('Cannot bind on "/alias/attr"');
    expect(() => inside(pid, "/")).not.toThrow();
  });

  it("say what is no mount, and leave what is not the container's", async () => {
    const container = await running(options);
    symlinkSync("/proc", inside(container.pid, "/link"));
    await expect(remove(container, "/tmp")).rejects.toMatchObject({ fields: { errno: 22, path: "/tmp" } });
    await expect(remove(container, "/link")).rejects.toMatchObject({ fields: { errno: 22, path: "/link" } });
    await expect(remove(container, "/")).rejects.toMatchObject({ fields: { errno: 22, path: "/" } });
    await expect(remove(container, "/missing/at/all")).rejects.toMatchObject({ code: "not-found" });
    await expect(add(container, { source: "missing", destination: "/a", options: ["bind"] })).rejects.toMatchObject({
      code: "not-found",
      fields: { path: box.path("missing") },
    });
    expect(existsSync(inside(container.pid, "/a"))).toBe(false);
    expect(seen(container.pid, "/proc").length).toBe(1);
  });
});

describe("planMountAdd()", () => {
  it("maps ids as the container's user namespace has them", async () => {
    box.remap();
    const source = box.make("source");
    writeFileSync(join(source, "file"), "");
    chownSync(join(source, "file"), 7, 8);
    const container = await running({ linux: ownUsers });
    await add(
      container,
      { source, destination: "/implied", options: ["bind", "idmap"] },
      {
        source,
        destination: "/given",
        options: ["bind"],
        uidMappings: [{ containerID: 7, hostID: 100_001, size: 1 }],
        gidMappings: [{ containerID: 8, hostID: 100_002, size: 1 }],
      },
    );
    const owners = execFileSync("stat", [
      "-c",
      "%u:%g",
      ...["implied", "given"].map((x) => inside(container.pid, `/${x}/file`)),
    ]);
    expect(owners.toString()).toBe("100007:100008\n100001:100002\n");
  });
});
