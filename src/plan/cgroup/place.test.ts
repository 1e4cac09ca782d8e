import { describe, expect, it } from "vitest";
import { planContainer } from "../container/plan-container.ts";
import type { Operation } from "../operation.gen.ts";
import { hostV1, hostV2, options, sampleConfig } from "../testing/samples.ts";
import { execCgroups } from "./exec-cgroups.ts";
import { killAllOperations, planFreeze } from "./freeze.ts";
import { cgroupPlace, checkFoundCgroups } from "./place.ts";

const ownV1 = new Map([
  ["memory", "/sys/fs/cgroup/memory/user"],
  ["pids", "/sys/fs/cgroup/pids"],
]);

describe("cgroupPlace()", () => {
  it("starts an absolute path at the top, a relative one at the runtime's own group", () => {
    const own2 = new Map([["", "/sys/fs/cgroup/user.slice/shell"]]);
    expect(cgroupPlace("/a//b/./c", "id", hostV1.cgroup, ownV1)).toEqual({ cgroupPath: "/a/b/c" });
    expect(cgroupPlace("a/b", "id", hostV1.cgroup, ownV1)).toEqual({ cgroupPath: "/a/b", cgroupBase: ownV1 });
    expect(cgroupPlace(undefined, "id", hostV1.cgroup, ownV1)).toEqual({ cgroupPath: "/id", cgroupBase: ownV1 });
    expect(cgroupPlace("a", "id", hostV2.cgroup, own2)).toEqual({
      cgroupPath: "/a",
      cgroupBase: new Map([["", "/sys/fs/cgroup/user.slice"]]),
    });
    expect(cgroupPlace("", "id", hostV2.cgroup, new Map([["", "/sys/fs/cgroup"]]))).toEqual({
      cgroupPath: "/id",
      cgroupBase: new Map([["", "/sys/fs/cgroup"]]),
    });
  });

  it("lets no .. lead out, and no container have the top", () => {
    expect(cgroupPlace("../../a", "id", hostV1.cgroup, ownV1).cgroupPath).toBe("/a");
    expect(cgroupPlace("/x/../../a", "id", hostV1.cgroup, ownV1)).toEqual({ cgroupPath: "/a" });
    for (const path of ["/", "..", "/..", "a/.."])
      expect(() => cgroupPlace(path, "id", hostV1.cgroup, ownV1)).toThrow(`Cannot use cgroup "${path}": the top`);
  });
});

describe("checkFoundCgroups()", () => {
  it("refuses a group that is frozen or has processes, and takes an empty one", () => {
    const found = (frozen: boolean, processes: number) => () =>
      checkFoundCgroups(new Map([["/cg/a", { frozen, processes }]]));
    expect(found(true, 0)).toThrow('Cannot use cgroup "/cg/a": it is frozen');
    expect(found(false, 1)).toThrow('Cannot use cgroup "/cg/a": 1 process is in it');
    expect(found(false, 2)).toThrow('Cannot use cgroup "/cg/a": 2 processes are in it');
    expect(found(false, 0)).not.toThrow();
  });
});

const cgroupOperations = (operations: readonly Operation[]): readonly Operation[] =>
  operations.filter(({ op }) => ["cgroup-create", "cgroup-owner", "clone", "join-cgroup"].includes(op));

describe("planContainer()", () => {
  it("makes and joins groups below the runtime's own, and removes only what was not there before", () => {
    const base = new Map([["memory", "/sys/fs/cgroup/memory/user"]]);
    const cgroupFound = new Map([["/sys/fs/cgroup/pids/a", { frozen: false, processes: 0 }]]);
    const plan = planContainer(sampleConfig(), hostV1, { ...options, cgroupPath: "/a", cgroupBase: base, cgroupFound });
    expect(plan.cgroupPaths.get("memory")).toBe("/sys/fs/cgroup/memory/user/a");
    expect(plan.steps[1]?.operation).toEqual({
      op: "cgroup-create",
      path: "/sys/fs/cgroup/memory/user/a",
      mount: "/sys/fs/cgroup/memory",
      cpuset: false,
      controllers: [],
    });
    expect(plan.exit.map((o) => ("path" in o ? `${o.op} ${o.path}` : o.op))).toEqual([
      "cgroup-remove /sys/fs/cgroup/cpu,cpuacct/a",
      "cgroup-remove /sys/fs/cgroup/memory/user/a",
      "cgroup-remove /sys/fs/cgroup/devices/a",
      "cgroup-remove /sys/fs/cgroup/cpuset/a",
      "cgroup-remove /sys/fs/cgroup/systemd/a",
    ]);
  });

  const mounts = (...flags: string[]) => [{ destination: "/sys/fs/cgroup", type: "cgroup", options: flags }];
  const maps = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
  const delegated = {
    sysctl: {},
    namespaces: ["pid", "mount", "user", "cgroup"].map((type) => ({ type })),
    uidMappings: maps,
    gidMappings: maps,
  };

  it("gives the group to the container's user where it may write it and has a user namespace, on v2 only", () => {
    const config = sampleConfig({ user: { uid: 5, gid: 5 } }, delegated, { mounts: mounts(), hostname: "" });
    const owners = (plan: ReturnType<typeof planContainer>): Operation[] =>
      plan.steps.map(({ operation }) => operation).filter(({ op }) => op === "cgroup-owner");
    expect(owners(planContainer(config, hostV2, options))).toEqual([
      {
        op: "cgroup-owner",
        path: "/sys/fs/cgroup/sampan/abc",
        uid: 100_005,
        gid: 0xffff_ffff,
        files: ["cgroup.procs", "cgroup.threads", "cgroup.subtree_control"],
      },
    ]);
    expect(owners(planContainer(config, hostV1, options))).toEqual([]);
    const readOnly = sampleConfig({}, delegated, { mounts: mounts("ro"), hostname: "" });
    expect(owners(planContainer(readOnly, hostV2, options))).toEqual([]);
    const shared = sampleConfig(
      {},
      { ...delegated, namespaces: delegated.namespaces.slice(0, 3) },
      { mounts: mounts(), hostname: "" },
    );
    expect(owners(planContainer(shared, hostV2, options))).toEqual([]);
    const host = sampleConfig(
      {},
      { namespaces: ["pid", "mount", "cgroup"].map((type) => ({ type })), sysctl: {} },
      { mounts: mounts(), hostname: "" },
    );
    expect(owners(planContainer(host, hostV2, options))).toEqual([]);
  });

  it("puts the process into a group below the limited one when run.oci.delegate-cgroup names it", () => {
    const annotations = { "run.oci.delegate-cgroup": "payload" };
    const config = sampleConfig({}, delegated, { mounts: mounts(), hostname: "", annotations });
    const plan = planContainer(config, hostV2, options);
    const own = "/sys/fs/cgroup/sampan/abc";
    const give = { op: "cgroup-owner", uid: 100_999, gid: 0xffff_ffff, files: hostV2.delegateFiles } as const;
    expect(cgroupOperations(plan.steps.map(({ operation }) => operation))).toEqual([
      {
        op: "cgroup-create",
        path: own,
        mount: "/sys/fs/cgroup",
        cpuset: false,
        controllers: ["cpuset", "cpu", "io", "memory", "pids"],
      },
      { op: "cgroup-create", path: `${own}/payload`, mount: "/sys/fs/cgroup", cpuset: false, controllers: [] },
      { ...give, path: own },
      { ...give, path: `${own}/payload` },
      expect.objectContaining({ op: "clone", cgroup: own }),
      { op: "join-cgroup", paths: [], unshare: true },
      { op: "join-cgroup", paths: [`${own}/payload`], unshare: false },
    ]);
    expect(() => planContainer(config, hostV1, options)).toThrow('Cannot delegate cgroup "payload": that is safe on');
    const bad = sampleConfig({}, {}, { annotations: { "run.oci.delegate-cgroup": "../x" } });
    expect(() => planContainer(bad, hostV2, options)).toThrow('Cannot delegate cgroup "../x": it must be the name');
  });
});

describe("execCgroups()", () => {
  const v1 = new Map([
    ["memory", "/m/c"],
    ["pids", "/p/c"],
    ["cpu", "/cpu/c"],
  ]);
  const v2 = new Map([
    ["", "/cg/c"],
    ["memory", "/cg/c"],
  ]);
  it("takes one path for all hierarchies, or one for each controller named", () => {
    expect(execCgroups(v1, [])).toBe(v1);
    expect([...execCgroups(v1, ["/a/b"]).values()]).toEqual(["/m/c/a/b", "/p/c/a/b", "/cpu/c/a/b"]);
    expect([...execCgroups(v1, ["memory,pids:a", "cpu:/"]).values()]).toEqual(["/m/c/a", "/p/c/a", "/cpu/c"]);
    expect([...execCgroups(v2, ["a:b"]).values()]).toEqual(["/cg/c/a:b", "/cg/c/a:b"]);
  });

  it("follows the first process on v2, when it is in the container's group or below", () => {
    expect([...execCgroups(v2, [], "/cg/c/init").values()]).toEqual(["/cg/c/init", "/cg/c/init"]);
    expect(execCgroups(v2, [], "/cg/other")).toBe(v2);
    expect(execCgroups(v2, [], "/cg/c")).toBe(v2);
    expect(execCgroups(v1, [], "/m/c/init")).toBe(v1);
    expect([...execCgroups(v2, ["/"], "/cg/c/init").values()]).toEqual(["/cg/c", "/cg/c"]);
  });

  it("refuses what leads out, unknown controllers and double ones", () => {
    const attempt =
      (...groups: string[]) =>
      () =>
        execCgroups(v1, groups);
    expect(attempt("../x")).toThrow('Cannot join cgroup "../x": it must be below the container\'s own');
    expect(attempt("memory:a/../../x")).toThrow("it must be below the container's own");
    expect(attempt("none:a")).toThrow('Cannot join cgroup "none:a": there is no controller "none"');
    expect(attempt(":a")).toThrow('Cannot join cgroup ":a": there is no controller ""');
    expect(attempt("memory:a", "memory:b")).toThrow(
      'Cannot join cgroup "memory:b": controller "memory" is named twice',
    );
    expect(attempt("a", "b")).toThrow('Cannot join cgroup "a": with several, each must name its controllers');
  });
});

describe("planFreeze()", () => {
  it("stops a container by its freezer on v1, by its one group on v2", () => {
    const v1 = new Map([
      ["cpu", "/cpu/c"],
      ["freezer", "/f/c"],
    ]);
    expect(planFreeze(v1, true).map(({ operation }) => operation)).toEqual([
      { op: "freeze", path: "/f/c", frozen: true },
    ]);
    expect(planFreeze(new Map([["", "/cg/c"]]), false).map(({ operation }) => operation)).toEqual([
      { op: "freeze", path: "/cg/c", frozen: false },
    ]);
    expect(() => planFreeze(new Map([["cpu", "/cpu/c"]]), true)).toThrow("Cannot pause container: it has no");
    expect(killAllOperations(v1)).toEqual([{ op: "cgroup-kill", path: "/f/c" }]);
    expect(killAllOperations(new Map([["cpu", "/cpu/c"]]))).toEqual([{ op: "cgroup-kill", path: "/cpu/c" }]);
    expect(killAllOperations(new Map())).toEqual([]);
  });
});
