import { describe, expect, it } from "vitest";
import type { HostFacts } from "../host-facts.ts";
import type { PlanOptions } from "../plan.ts";
import { brieflySteps } from "../testing/brief.ts";
import { hostV1, hostV2, options, sampleConfig } from "../testing/samples.ts";
import { planContainer } from "./plan-container.ts";
import { planMountAdd, planMountRemove } from "./plan-mounts.ts";

interface Given {
  readonly linux?: object;
  readonly facts?: HostFacts;
  readonly options?: Partial<PlanOptions>;
}

/** The steps of these mounts, and `clone` among them. */
function mounted(mounts: readonly object[], given: Given = {}): readonly string[] {
  const config = sampleConfig({}, { sysctl: {}, ...given.linux }, { hostname: "", mounts });
  const { steps } = planContainer(config, given.facts ?? hostV1, { ...options, ...given.options });
  const chosen = steps.filter(({ operation, config: of }) => of !== undefined || operation.op === "clone");
  return brieflySteps(chosen).map((line) => line.replace(/^clone .*/, "clone"));
}

const namespaces = (...types: string[]): object[] => types.map((type) => ({ type }));
const users = {
  namespaces: namespaces("mount", "pid", "network", "ipc", "uts", "cgroup", "user"),
  uidMappings: [
    { containerID: 0, hostID: 1000, size: 1 },
    { containerID: 1, hostID: 100_000, size: 65_535 },
  ],
  gidMappings: [{ containerID: 0, hostID: 1000, size: 10 }],
};
const bind = (more: object): object => ({ type: "bind", source: "/s", destination: "/d", ...more });
const opened = (more = ""): string =>
  `open-source slot=0 source=/s recursive=false noFollow=false peer=false set=0 clear=0 setRecursive=0 clearRecursive=0 propagation=0 propagationRecursive=false ${more}`;
const attached = "attach-source slot=0 target=/d noFollow=false copyLink=false";
const map = [{ containerID: 5, hostID: 6, size: 7 }];

describe("planContainer(), for mounts,", () => {
  it("maps ids in the container's process, or before it where the user namespace is another's", () => {
    const mount = bind({ options: ["bind"], uidMappings: map, gidMappings: map });
    const open = opened('uids=[5:6:7] gids=[5:6:7] userNamespace="" mapRecursive=false');
    expect(mounted([mount])).toEqual(["clone", open, attached]);
    const joined = { namespaces: [...namespaces("mount", "pid", "network", "ipc"), { type: "user", path: "/u" }] };
    expect(mounted([mount], { linux: joined })).toEqual([open, "clone", attached]);
    expect(mounted([bind({ options: ["bind", "ridmap"] })], { linux: joined })).toEqual([
      opened("uids=[] gids=[] userNamespace=/u mapRecursive=true"),
      "clone",
      attached,
    ]);
  });

  it("takes the maps of the container's own user namespace, and crun's relative to it", () => {
    const maps = 'uids=[0:1000:1 1:100000:65535] gids=[0:1000:10] userNamespace=""';
    expect(mounted([bind({ options: ["bind", "idmap"] })], { linux: users })).toEqual([
      "clone",
      opened(`${maps} mapRecursive=false`),
      attached,
    ]);
    const crun = bind({ options: ["bind", "ridmap=uids=1-3-10#@50-4-2;gids=@0-2-1"] });
    expect(mounted([crun], { linux: users })[1]).toBe(
      opened('uids=[1:3:10 50:100003:2] gids=[0:1002:1] userNamespace="" mapRecursive=true'),
    );
  });

  it("binds links as they are, or makes them anew, as crun does", () => {
    const words = (...names: string[]): readonly string[] => mounted([bind({ options: ["bind", ...names] })]).slice(1);
    const open = opened('uids=[] gids=[] userNamespace="" mapRecursive=false');
    const noFollow = open.replace("noFollow=false", "noFollow=true");
    expect(words("src-nofollow")).toEqual([noFollow, attached]);
    expect(words("dest-nofollow")).toEqual([open, attached.replace("noFollow=false", "noFollow=true")]);
    expect(words("copy-symlink")).toEqual([noFollow, attached.replace("copyLink=false", "copyLink=true")]);
  });

  it("keeps binds peers of the host's mounts under a shared root, unless they or a user namespace say otherwise", () => {
    const lines = (linux: object, ...words: string[]): readonly string[] =>
      mounted([bind({ options: ["rbind", ...words] })], { linux: { rootfsPropagation: "rshared", ...linux } }).map(
        (line) => line.replace(/ (source|recursive|set)=.*(peer=\S+).*/, " $2").replace(/ source=.*/, ""),
      );
    const peer = ["open-source slot=0 peer=true", "clone", attached];
    expect([lines({}), lines({}, "rshared"), lines({}, "rprivate"), lines(users)]).toEqual([
      peer,
      peer,
      ["clone", "bind"],
      ["clone", "bind"],
    ]);
  });

  it("gives a tmpfs the mode of what it covers unless it is told one, and its content with tmpcopyup", () => {
    const tmpfs = (...words: string[]): object => ({ type: "tmpfs", destination: "run", options: words });
    expect(mounted([tmpfs(), tmpfs("mode=700"), tmpfs("tmpcopyup", "mode=700", "ro"), tmpfs("rshared")])).toEqual([
      "clone",
      "mount-over type=tmpfs source=tmpfs target=/run attributes=0 parameters=[] mode=0755 keepMode=true copy=false",
      "mount type=tmpfs source=tmpfs target=/run attributes=0 parameters=[mode:700] mode=0755",
      "mount-over type=tmpfs source=tmpfs target=/run attributes=0 parameters=[mode:700] mode=0755 keepMode=false copy=true",
      "mount-over type=tmpfs source=tmpfs target=/run attributes=0 parameters=[] mode=0755 keepMode=true copy=false",
      "mount-propagation path=/run mode=0x100000 recursive=true",
    ]);
  });

  it("changes what is there with remount", () => {
    const remount = (type: string, ...words: string[]): object => ({
      type,
      source: "x",
      destination: "/a",
      options: ["remount", ...words],
    });
    expect(
      mounted([
        remount("none", "bind", "ro", "exec"),
        remount("proc", "ro", "hidepid=2"),
        remount("ext4", "rw", "sync", "rnosuid", "slave"),
      ]),
    ).toEqual([
      "clone",
      "mount-attributes path=/a set=0x1 clear=0x8 recursive=false",
      "reconfigure path=/a parameters=[hidepid:2]",
      "mount-attributes path=/a set=0x1 clear=0 recursive=false",
      "reconfigure path=/a parameters=[sync: rw:]",
      "mount-attributes path=/a set=0 clear=0x1 recursive=false",
      "mount-attributes path=/a set=0x2 clear=0 recursive=true",
      "mount-propagation path=/a mode=0x80000 recursive=false",
    ]);
  });

  it("shares the host's procfs, sysfs and message queues where a user namespace may mount none", () => {
    const all = ["proc:/proc", "sysfs:/sys", "mqueue:/dev/mqueue"].map((text) => {
      const [type, destination] = text.split(":");
      return { type, destination, options: ["ro"] };
    });
    const kinds = (...own: object[]): readonly string[] =>
      mounted(all, { linux: { ...users, namespaces: own } }).map((line) => line.split(" ").slice(0, 2).join(" "));
    expect(kinds(...namespaces("mount", "user"))).toEqual([
      "clone",
      "bind source=/proc",
      "bind source=/sys",
      "bind source=/dev/mqueue",
    ]);
    const path = (type: string): object => ({ type, path: "/n" });
    const fresh = ["clone", "mount type=proc", "mount type=sysfs", "mount type=mqueue"];
    expect(kinds(...namespaces("mount", "user", "pid", "network", "ipc"))).toEqual(fresh);
    expect(kinds(...namespaces("mount"), ...["user", "pid", "network", "ipc"].map(path))).toEqual(fresh);
  });

  it("takes destinations relative to the root, with `..`, and with the root's own path before them", () => {
    const to = (destination: string): object => ({ type: "tmpfs", destination, options: ["mode=1"] });
    const root = { options: { root: { kind: "bind", path: "/b/root" } } } as const;
    const lines = mounted([to("a/b"), to("/a/../../b/./c/"), to("/b/root/d"), to("/b/rootx")], root);
    expect(lines.map((line) => /target=(\S+)/.exec(line)?.[1]).slice(1)).toEqual(["/a/b", "/b/c", "/d", "/b/rootx"]);
  });

  it("tells of each step which mount of the config it is for", () => {
    const config = sampleConfig(
      {},
      {},
      { mounts: [bind({ options: ["bind"] }), { type: "proc", destination: "/proc" }] },
    );
    const { steps } = planContainer(config, hostV2, options);
    expect(
      steps.filter(({ config: of }) => of !== undefined).map(({ operation, config: of }) => [operation.op, of]),
    ).toEqual([
      ["bind", "mounts[0]"],
      ["mount", "mounts[1]"],
    ]);
  });

  const refusals: readonly (readonly [name: string, message: string, mount: object, given?: Given])[] = [
    ["a map of one kind of ids", 'Cannot map gids on "/d": there must be 1', bind({ uidMappings: map })],
    [
      "maps that overlap on the disk",
      'Cannot map uids on "/d": containerID 11 is in two entries',
      bind({ gidMappings: map, uidMappings: [{ containerID: 11, hostID: 100, size: 7 }, ...map] }),
    ],
    [
      "maps that overlap where they are seen",
      'Cannot map gids on "/d": hostID 12 is in two entries',
      bind({ uidMappings: map, gidMappings: [{ containerID: 12, hostID: 12, size: 7 }, ...map] }),
    ],
    ["idmap without a user namespace", "the container has no user namespace", bind({ options: ["bind", "idmap"] })],
    [
      "maps of what is no bind",
      'Cannot map ids on "/d": only those of a bind can be',
      { type: "tmpfs", destination: "/d", uidMappings: map, gidMappings: map },
    ],
    [
      "maps without the rights of root",
      "that takes the rights of root",
      bind({ uidMappings: map, gidMappings: map }),
      { facts: { ...hostV1, rootless: true, uid: 1000 } },
    ],
    [
      "idmap= beside uidMappings",
      "stands beside uidMappings",
      bind({ options: ["idmap=uids=0-0-1;gids=0-0-1"], uidMappings: map }),
    ],
    ["idmap= without gids", "has no gids=", bind({ options: ["idmap=uids=0-0-1"] })],
    ["idmap= of another form", "is not uids=… or gids=…", bind({ options: ["idmap=x"] })],
    ["idmap= without numbers", '"0-1" is not three numbers', bind({ options: ["idmap=uids=0-1;gids=0-1-1"] })],
    ["idmap= beyond the last id", "is not three numbers", bind({ options: ["idmap=uids=0-4294967295-1;gids=0-1-1"] })],
    [
      "idmap= relative to what is not there",
      "relative to a user namespace",
      bind({ options: ["idmap=uids=@0-1-1;gids=0-1-1"] }),
    ],
    [
      "idmap= relative to an id that is not there",
      "does not have",
      bind({ options: ["idmap=uids=0-1-1;gids=@0-11-1"] }),
      { linux: users },
    ],
    ["a bind with an option of filesystems", 'option "size=1" is one of filesystems', bind({ options: ["size=1"] })],
    [
      "tmpcopyup for another filesystem",
      "tmpcopyup is for a tmpfs",
      { type: "proc", destination: "/p", options: ["tmpcopyup"] },
    ],
    [
      "binfmt_misc elsewhere in /proc",
      "only procfs may be at /proc",
      { type: "binfmt_misc", destination: "/proc/sys/fs" },
    ],
  ];
  for (const [name, message, mount, given] of refusals)
    it(`refuses ${name}`, () => {
      expect(() => mounted([mount], given)).toThrow(message);
    });

  it("moves the root where pivot_root is not wanted, and sets the propagation that the config asks for", () => {
    const lines = (rootfsPropagation: string, noPivot = false): readonly string[] =>
      brieflySteps(
        planContainer(sampleConfig({}, { rootfsPropagation }), hostV1, { ...options, noPivot }).steps,
      ).filter((line) => /^(propagation|pivot|move)/.test(line));
    const slave = "propagation mode=0x80000 recursive=true";
    expect(lines("rslave", true)).toEqual([slave, "move-root"]);
    expect(lines("private")).toEqual([slave, "pivot-root", "propagation mode=0x40000 recursive=false"]);
    expect(lines("rprivate")).toEqual([
      "propagation mode=0x40000 recursive=true",
      "pivot-root",
      "propagation mode=0x40000 recursive=true",
    ]);
    expect(lines("unbindable")).toEqual([slave, "pivot-root", "propagation mode=0x20000 recursive=false"]);
    expect(lines("runbindable")).toEqual([slave, "pivot-root", "propagation mode=0x20000 recursive=true"]);
  });
});

describe("planMountAdd()", () => {
  const config = sampleConfig({}, users);

  it("takes sources on the host, enters the container with the mount namespace last, and mounts there", () => {
    const mounts = sampleConfig(
      {},
      {},
      {
        mounts: [bind({ options: ["bind", "idmap"] }), { type: "tmpfs", destination: "/t", options: ["ro", "mode=1"] }],
      },
    ).mounts;
    expect(brieflySteps(planMountAdd(mounts, config, hostV1, { pid: 42 }).steps)).toEqual([
      opened("uids=[] gids=[] userNamespace=/proc/42/ns/user mapRecursive=false"),
      "join-namespace kind=0x40000000 path=/proc/42/ns/net",
      "join-namespace kind=0x8000000 path=/proc/42/ns/ipc",
      "join-namespace kind=0x2000000 path=/proc/42/ns/cgroup",
      "join-namespace kind=0x10000000 path=/proc/42/ns/user",
      "join-namespace kind=0x20000 path=/proc/42/ns/mnt",
      attached,
      "mount type=tmpfs source=tmpfs target=/t attributes=0 parameters=[mode:1] mode=0755",
      "mount-attributes path=/t set=0x1 clear=0 recursive=false",
    ]);
  });

  it("refuses procfs, and what a config may not have either", () => {
    const add = (mount: object): unknown =>
      planMountAdd(sampleConfig({}, {}, { mounts: [mount] }).mounts, config, hostV1, { pid: 42 });
    expect(() => add({ type: "proc", destination: "/proc" })).toThrow("cannot be mounted in a running container");
    expect(() => add(bind({ destination: "/x/../proc/1" }))).toThrow("only procfs may be at /proc");
    expect(() => add(bind({ source: "relative" }))).toThrow("the path is not absolute");
  });
});

describe("planMountRemove()", () => {
  it("unmounts in the container, the last first", () => {
    const config = sampleConfig();
    const mounts = [{ destination: "/a" }, { destination: "a/../b" }];
    expect(brieflySteps(planMountRemove(mounts, config, hostV1, { pid: 42 }).steps)).toEqual([
      "join-namespace kind=0x20000 path=/proc/42/ns/mnt",
      "unmount-path path=/b",
      "unmount-path path=/a",
    ]);
  });
});
