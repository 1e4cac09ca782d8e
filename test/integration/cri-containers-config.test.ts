/** What a container of the CRI is made from, field by field, as it shows inside. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  NamespaceMode,
  SecurityProfile_ProfileType as Profile,
  SupplementalGroupsPolicy,
} from "../../src/api/cri/gen/runtime/v1/common_pb.ts";
import { MountPropagation } from "../../src/api/cri/gen/runtime/v1/containers_pb.ts";
import { CriHost } from "../support/cri.ts";
import { CriContainers, refusal, type ContainerInit } from "../support/cri-containers.ts";

let cri: CriHost;
let pod: CriContainers;
beforeAll(async () => {
  cri = await CriHost.create(["busybox"]);
  // Each container has processes of its own, so that its first one is the one to look at.
  const securityContext = { privileged: true, namespaceOptions: { pid: NamespaceMode.CONTAINER } };
  pod = new CriContainers(cri, await cri.runPod({ hostname: "web", linux: { securityContext } }));
});
afterAll(async () => await cri[Symbol.asyncDispose]());

const file = (name: string): string => join(cri.host.files, name);
const secured = (
  securityContext: NonNullable<NonNullable<ContainerInit["linux"]>["securityContext"]>,
): ContainerInit => ({
  linux: { securityContext },
});
const capabilities = (text: string): Readonly<Record<string, bigint>> =>
  Object.fromEntries(text.split("\n").map((line) => [line.slice(0, 6), BigInt(`0x${line.split(/\s+/)[1]}`)]));
const netBind = 1n << 10n;
const netAdmin = 1n << 12n;

describe("the process", () => {
  it("has its words, its directory, and variables of any bytes", async () => {
    const value = Uint8Array.from([0x61, 0xff, 0x3d, 0xc3, 0xa9]);
    const id = await pod.run({
      command: ["sh", "-c", 'pwd; echo "$0 $1"; sleep 1000; :'],
      args: ["a", "b c"],
      workingDir: "/made/here",
      envs: [
        { key: "BYTES", value },
        { key: "PATH", value: Buffer.from("/bin") },
      ],
    });
    const environment = await cri.runtime.execSync({ containerId: id, cmd: ["cat", "/proc/1/environ"] });
    expect(
      Buffer.from(environment.stdout).includes(Buffer.concat([Buffer.from("BYTES="), value, Buffer.from([0])])),
    ).toBe(true);
    expect(await pod.sh(id, "readlink /proc/1/cwd; tr '\\0' ' ' < /proc/1/cmdline; echo; echo $PATH $HOSTNAME")).toBe(
      '/made/here\nsh -c pwd; echo "$0 $1"; sleep 1000; : a b c \n/bin web',
    );
    await pod.remove(id);
  });

  it("is who it is to be, with the groups that the policy gives", async () => {
    const id = async (context: Parameters<typeof secured>[0]): Promise<string> =>
      await pod.look(secured(context), "id -u; id -g; id -G");
    expect(await id({ runAsUser: { value: 1000n } })).toBe("1000\n1000\n1000 29 50");
    expect(await id({ runAsUsername: "app", runAsGroup: { value: 7n } })).toBe("1000\n7\n7 29 50");
    expect(
      await id({
        runAsUser: { value: 1000n },
        supplementalGroups: [5n, 6n],
        supplementalGroupsPolicy: SupplementalGroupsPolicy.Strict,
      }),
    ).toBe("1000\n1000\n1000 5 6");
    expect(await id({ runAsUser: { value: 4711n }, supplementalGroups: [5n] })).toBe("4711\n0\n0 5");
    const container = await pod.run(secured({ runAsUsername: "app", supplementalGroups: [5n] }));
    expect((await pod.status(container)).user).toMatchObject({
      linux: { uid: 1000n, gid: 1000n, supplementalGroups: [1000n, 50n, 29n, 5n] },
    });
    await pod.remove(container);
  });

  it("has the capabilities that it is given, ambient ones without being root", async () => {
    const status = "grep -E '^Cap(Inh|Prm|Eff|Bnd|Amb)' /proc/1/status";
    const plain = capabilities(
      await pod.look(
        secured({ capabilities: { addCapabilities: ["NET_ADMIN"], dropCapabilities: ["cap_chown"] } }),
        status,
      ),
    );
    expect([(plain["CapEff"] ?? 0n) & netAdmin, (plain["CapEff"] ?? 0n) & 1n, plain["CapInh"]]).toEqual([
      netAdmin,
      0n,
      0n,
    ]);
    const ambient = capabilities(
      await pod.look(
        secured({
          runAsUser: { value: 1000n },
          capabilities: { dropCapabilities: ["ALL"], addAmbientCapabilities: ["NET_BIND_SERVICE"] },
        }),
        status,
      ),
    );
    expect(ambient).toEqual({ CapInh: netBind, CapPrm: netBind, CapEff: netBind, CapBnd: netBind, CapAmb: netBind });
    const privileged = capabilities(await pod.look(secured({ privileged: true }), status));
    expect(privileged["CapEff"]).toBeGreaterThan(plain["CapEff"] ?? 0n);
  });

  it("is filtered, without new privileges, and sees paths as they are given", async () => {
    const status = "grep -E '^(Seccomp|NoNewPrivs):' /proc/1/status | tr '\\t\\n' '  ' | sed 's/ $//'";
    expect(
      await pod.look(secured({ seccomp: { profileType: Profile.RuntimeDefault }, noNewPrivs: true }), status),
    ).toBe("NoNewPrivs: 1 Seccomp: 2");
    expect(await pod.look(secured({ seccomp: { profileType: Profile.Unconfined } }), status)).toBe(
      "NoNewPrivs: 0 Seccomp: 0",
    );
    expect(await pod.look(secured({}), status)).toBe("NoNewPrivs: 0 Seccomp: 0");
    expect(await pod.look({}, status)).toBe("NoNewPrivs: 0 Seccomp: 2");
    await writeFile(
      file("no-chmod.json"),
      JSON.stringify({
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names: ["chmod", "fchmodat", "fchmodat2"], action: "SCMP_ACT_ERRNO" }],
      }),
    );
    const localhost = { profileType: Profile.Localhost, localhostRef: file("no-chmod.json") };
    expect(await pod.look(secured({ seccomp: localhost }), "chmod 700 /tmp || echo refused")).toBe("refused");
    await mkdir(file("seen"), { recursive: true });
    const paths =
      "ls /proc/acpi 2>/dev/null | wc -l; ls /proc/bus | wc -l; grep ' /proc/sys ' /proc/mounts | grep -c ' ro,'; head -c1 /proc/kcore | wc -c";
    expect(
      await pod.look(secured({ maskedPaths: ["/proc/kcore", "/proc/bus"], readonlyPaths: ["/proc/sys"] }), paths),
    ).toMatch(/\n0\n1\n0$/);
    expect(await pod.look(secured({}), "mount | grep -c ' /proc/'; true")).toBe("0");
    expect(await pod.look({}, "mount | grep -c ' /proc/'")).not.toBe("0");
    expect(
      await pod.look(secured({ readonlyRootfs: true }), "touch /x 2>&1 | grep -c Read-only; touch /dev/shm/x"),
    ).toBe("1");
  });

  it("sees the processes of itself, of another container, or of the host", async () => {
    const target = await pod.run({ command: ["sleep", "4321"] });
    const see = async (pid: NamespaceMode, targetId = ""): Promise<string> =>
      await pod.look(
        secured({ namespaceOptions: { pid, targetId } }),
        "ps -o pid,args | grep -c '[s]leep 4321'; readlink /proc/self/ns/pid; true",
      );
    const own = (await see(NamespaceMode.CONTAINER)).split("\n");
    const other = (await see(NamespaceMode.TARGET, target)).split("\n");
    const host = (await see(NamespaceMode.NODE)).split("\n");
    expect([own[0], other[0], host[0]]).toEqual(["0", "1", "1"]);
    expect(other[1]).toBe(await pod.sh(target, "readlink /proc/self/ns/pid"));
    expect(new Set([own[1], other[1], host[1]]).size).toBe(3);
    expect(await refusal(pod.create(secured({ namespaceOptions: { pid: NamespaceMode.TARGET } })))).toBe(
      'InvalidArgument: Cannot use config.linux.security_context.namespace_options.target_id "": it is empty',
    );
    await cri.runtime.stopContainer({ containerId: target, timeout: 0n });
    expect(
      await refusal(pod.create(secured({ namespaceOptions: { pid: NamespaceMode.TARGET, targetId: target } }))),
    ).toContain("the container is not running");
    await pod.remove(target);
  });

  it("has a terminal, or a stdin that is kept open", async () => {
    expect(await pod.look({ command: ["sh"], tty: true, stdin: true }, "readlink /proc/1/fd/0")).toMatch(
      /^\/dev\/pts\/|^\/dev\/console/,
    );
    expect(await pod.look({ command: ["sh"], stdin: true, stdinOnce: true }, "readlink /proc/1/fd/0")).toMatch(
      /^pipe:/,
    );
  });
});

describe("mounts", () => {
  it("are the host's files, made when missing, read-only where they are to be", async () => {
    const hostPath = file("missing/deep");
    const id = await pod.run({
      mounts: [
        { hostPath, containerPath: "/data" },
        { hostPath: file("missing"), containerPath: "/ro", readonly: true },
      ],
    });
    await pod.sh(id, "echo hello > /data/x");
    expect(await readFile(join(hostPath, "x"), "utf8")).toBe("hello\n");
    expect(await pod.sh(id, "touch /ro/y 2>&1 | grep -c Read-only; cat /ro/deep/x")).toBe("1\nhello");
    expect((await pod.status(id)).mounts).toMatchObject([{ hostPath, containerPath: "/data" }, { readonly: true }]);
    await pod.remove(id);
  });

  it("pass on what is mounted below them, as their propagation says", async () => {
    const shared = file("shared");
    const sh = async (script: string): Promise<string> => await cri.host.must(["sh", "-c", script]);
    await sh(
      `mkdir -p ${shared} && mount --bind ${shared} ${shared} && mount --make-shared ${shared} && mkdir ${shared}/a ${shared}/b ${shared}/c`,
    );
    const mount = (propagation: MountPropagation): ContainerInit => ({
      mounts: [{ hostPath: shared, containerPath: "/m", propagation }],
      ...secured({ privileged: true }),
    });
    const alone = await pod.run(mount(MountPropagation.PROPAGATION_PRIVATE));
    const follows = await pod.run(mount(MountPropagation.PROPAGATION_HOST_TO_CONTAINER));
    const both = await pod.run(mount(MountPropagation.PROPAGATION_BIDIRECTIONAL));
    await sh(`mount -t tmpfs one ${shared}/a`);
    await pod.sh(both, "mount -t tmpfs two /m/b");
    await pod.sh(follows, "mount -t tmpfs three /m/c");
    const seen = async (id: string): Promise<string> =>
      await pod.sh(id, "grep -oE '^[^ ]+ /m/.' /proc/mounts | cut -d' ' -f1 | tr '\\n' ' '");
    expect([await seen(alone), await seen(follows), await seen(both)]).toEqual(["", "one two three ", "one two "]);
    expect(await sh(`grep -oE '^[^ ]+ ${shared}/.' /proc/mounts | cut -d' ' -f1 | tr '\\n' ' '`)).toBe("one two ");
    for (const id of [alone, follows, both]) await pod.remove(id);
    const apart = file("apart");
    await sh(`mkdir ${apart} && mount -t tmpfs apart ${apart} && mount --make-private ${apart}`);
    expect(
      await refusal(
        pod.create({
          mounts: [{ hostPath: apart, containerPath: "/m", propagation: MountPropagation.PROPAGATION_BIDIRECTIONAL }],
        }),
      ),
    ).toMatch(/^FailedPrecondition: .*is not shared/);
    // Read-only down to what is mounted below.
    const recursive = { hostPath: shared, containerPath: "/m", readonly: true };
    const write = "touch /m/a/x 2>&1 | grep -c Read-only; rm -f /m/a/x; true";
    expect(await pod.look({ mounts: [recursive] }, write)).toBe("0");
    expect(await pod.look({ mounts: [{ ...recursive, recursiveReadOnly: true }] }, write)).toBe("1");
    await sh(`umount ${shared}/a ${shared}/b; umount ${shared} ${apart}`);
  });

  it("show other owners, and refuse programs, where that is asked for", async () => {
    await mkdir(file("owned"), { recursive: true });
    await cri.host.must([
      "sh",
      "-c",
      `echo '#!/bin/sh' > ${file("owned/x")}; chmod 755 ${file("owned/x")}; chown 5:6 ${file("owned/x")}`,
    ]);
    const map = [{ hostId: 1000, containerId: 0, length: 100 }];
    const mount = { hostPath: file("owned"), containerPath: "/m" };
    expect(
      await pod.look(
        { mounts: [{ ...mount, uidMappings: map, gidMappings: map, mountOptions: ["noexec"] }] },
        "stat -c %u:%g /m/x; /m/x 2>&1 | grep -c denied",
      ),
    ).toBe("1005:1006\n1");
  });

  it("are an image's files, or a part of them, never to be changed", async () => {
    const image = { image: cri.image("busybox") };
    const id = await pod.run({
      mounts: [
        { image, containerPath: "/all" },
        { image, containerPath: "/part", imageSubPath: "etc/" },
      ],
    });
    expect(
      await pod.sh(id, "grep -c app /all/etc/passwd; grep -c app /part/passwd; touch /part/x 2>&1 | grep -c Read-only"),
    ).toBe("1\n1\n1");
    const { mounts, imageId } = await pod.status(id);
    expect(mounts.map((mount) => mount.image?.imageRef)).toEqual([imageId, imageId]);
    await pod.remove(id);
    expect(await refusal(pod.create({ mounts: [{ image, containerPath: "/part", imageSubPath: "no/such" }] }))).toBe(
      'InvalidArgument: Cannot mount "no/such" of an image on "/part": the image has no such path',
    );
  });
});

describe("devices", () => {
  it("are the host's, by path or by the names of the CDI", async () => {
    await cri.host.must(["sh", "-c", "mkdir -p /var/run/cdi"]);
    const spec = {
      cdiVersion: "0.8.0",
      kind: "vendor.com/gpu",
      devices: [
        {
          name: "one",
          containerEdits: { env: ["GPU=one"], deviceNodes: [{ path: "/dev/gpu", hostPath: "/dev/zero" }] },
        },
      ],
      containerEdits: {
        mounts: [{ hostPath: "/etc", containerPath: "/gpu", options: ["ro"] }],
        additionalGids: [77],
        hooks: [{ hookName: "createRuntime", path: "/bin/sh", args: ["sh", "-c", `cat > ${file("hook")}`] }],
      },
    };
    await cri.host.run(["sh", "-c", "cat > /var/run/cdi/gpu.json"], { input: JSON.stringify(spec) });
    const script =
      "head -c 3 /dev/mine | wc -c; head -c 4 /dev/gpu | wc -c; echo $GPU; ls /gpu | grep -c hostname; id -G; dd if=/dev/zero of=/dev/mine bs=1 count=1 2>&1 | grep -ci 'not permitted\\|denied'; true";
    expect(
      await pod.look(
        {
          devices: [{ hostPath: "/dev/zero", containerPath: "/dev/mine", permissions: "r" }],
          CDIDevices: [{ name: "vendor.com/gpu=one" }],
        },
        script,
      ),
    ).toBe("3\n4\none\n1\n0 77\n0");
    expect(JSON.parse(await readFile(file("hook"), "utf8"))).toMatchObject({ status: "creating" });
    expect(await refusal(pod.create({ CDIDevices: [{ name: "vendor.com/gpu=two" }] }))).toContain(
      'Cannot give device "vendor.com/gpu=two": no file of',
    );
    expect(
      await cri.stocked.must([
        "--namespace",
        "k8s.io",
        "run",
        "--rm",
        "--network",
        "none",
        "--device",
        "vendor.com/gpu=one",
        cri.image("busybox"),
        "sh",
        "-c",
        "echo $GPU",
      ]),
    ).toBe("one");
  });
});

describe("resources", () => {
  const mebibyte = 1024n * 1024n;
  it("are in force, are updated all or none, and are told of as they are", async () => {
    const id = await pod.run({
      linux: {
        resources: {
          cpuShares: 512n,
          cpuPeriod: 100_000n,
          cpuQuota: 50_000n,
          memoryLimitInBytes: 64n * mebibyte,
          cpusetCpus: "0",
          oomScoreAdj: 500n,
        },
      },
    });
    const told = async (): Promise<object> => (await pod.status(id)).resources?.linux ?? {};
    expect(await told()).toMatchObject({
      cpuShares: 512n,
      cpuPeriod: 100_000n,
      cpuQuota: 50_000n,
      memoryLimitInBytes: 64n * mebibyte,
      cpusetCpus: "0",
      oomScoreAdj: 500n,
    });
    expect(await pod.sh(id, "cat /proc/1/oom_score_adj")).toBe("500");
    await cri.runtime.updateContainerResources({
      containerId: id,
      linux: { cpuQuota: 80_000n, memoryLimitInBytes: 96n * mebibyte },
    });
    const after = { cpuShares: 512n, cpuQuota: 80_000n, memoryLimitInBytes: 96n * mebibyte, cpusetCpus: "0" };
    expect(await told()).toMatchObject(after);
    expect(
      await refusal(
        cri.runtime.updateContainerResources({
          containerId: id,
          linux: { cpuQuota: 70_000n, memoryLimitInBytes: 80n * mebibyte, cpusetCpus: "999" },
        }),
      ),
    ).toMatch(/^\w+: Cannot /);
    expect(await told()).toMatchObject(after);
    await cri.restart();
    expect(await told()).toMatchObject(after);
    await cri.runtime.stopContainer({ containerId: id, timeout: 0n });
    expect(await told()).toMatchObject({ cpuShares: 512n, memoryLimitInBytes: 96n * mebibyte });
    expect(await refusal(cri.runtime.updateContainerResources({ containerId: id, linux: { cpuShares: 2n } }))).toBe(
      `FailedPrecondition: Cannot update container "${id}": it has ended`,
    );
    await pod.remove(id);
  });
});

describe("bad input", () => {
  const image = (): ContainerInit => ({ image: { image: cri.image("busybox") } });
  it.each<[string, ContainerInit, string]>([
    ["no metadata", { metadata: undefined }, "config.metadata is missing"],
    ["no name", { metadata: { name: "" } }, "config.metadata.name is empty"],
    ["no image", { image: { image: "" } }, "config.image.image is empty"],
    ["a NUL in a word", { args: ["a\0b"] }, 'config.args[0] "a\\u0000b": it contains a NUL character'],
    ["a variable without name", { envs: [{ key: "" }] }, "config.envs[0].key"],
    ["a relative directory", { workingDir: "x" }, 'config.working_dir "x": it is not absolute'],
    ["a log outside", { logPath: "../../etc/x" }, "config.log_path"],
    ["a mount without source", { mounts: [{ containerPath: "/x" }] }, 'config.mounts[0].host_path "": it is empty'],
    ["a mount on the root", { mounts: [{ containerPath: "/", hostPath: "/tmp" }] }, "config.mounts[0].container_path"],
    ["a mount that leads out", { mounts: [{ containerPath: "/a/../..", hostPath: "/tmp" }] }, "it leads upwards"],
    [
      "half a recursion",
      { mounts: [{ containerPath: "/x", hostPath: "/tmp", recursiveReadOnly: true }] },
      "config.mounts[0].recursive_read_only true: readonly is not set",
    ],
    [
      "an unknown propagation",
      { mounts: [{ containerPath: "/x", hostPath: "/tmp", propagation: 9 as never }] },
      "config.mounts[0].propagation",
    ],
    [
      "a device's permissions",
      { devices: [{ hostPath: "/dev/null", containerPath: "/dev/x", permissions: "rx" }] },
      "config.devices[0].permissions",
    ],
    [
      "an unknown capability",
      secured({ capabilities: { addCapabilities: ["NO_SUCH"] } }),
      'Cannot use capability "CAP_NO_SUCH"',
    ],
    ["a group without user", secured({ runAsGroup: { value: 1n } }), "config.linux.security_context.run_as_group"],
    [
      "a huge user",
      secured({ runAsUser: { value: 2n ** 32n } }),
      "config.linux.security_context.run_as_user 4294967296",
    ],
    [
      "a negative group",
      secured({ supplementalGroups: [-1n] }),
      "config.linux.security_context.supplemental_groups[0] -1",
    ],
    [
      "a missing profile",
      secured({ seccomp: { profileType: Profile.Localhost, localhostRef: "/no/such" } }),
      'seccomp profile "/no/such" (localhost_ref): no such file',
    ],
    [
      "too little memory",
      { linux: { resources: { memoryLimitInBytes: 1000n } } },
      "config.linux.resources.memory_limit_in_bytes 1000",
    ],
    ["a huge period", { linux: { resources: { cpuPeriod: 2n ** 62n } } }, "config.linux.resources.cpu_period"],
    ["no list of processors", { linux: { resources: { cpusetCpus: "a" } } }, 'config.linux.resources.cpuset_cpus "a"'],
    ["an unknown signal", { stopSignal: 99 as never }, "config.stop_signal 99"],
  ])("%s is refused by the name of its field", async (_, config, message) => {
    const before = (await cri.runtime.listContainers({})).containers.length;
    const sandboxConfig = { logDirectory: "/var/log/x" };
    const call = cri.runtime.createContainer({
      podSandboxId: pod.podId,
      config: { ...pod.config(), ...config },
      sandboxConfig,
    });
    const text = await refusal(call);
    expect(text).toMatch(/^InvalidArgument: Cannot /);
    expect(text).toContain(message);
    expect((await cri.runtime.listContainers({})).containers.length).toBe(before);
  });

  it("what is not there, or in another state, is refused with the code that clients know", async () => {
    const config = { ...pod.config(), ...image() };
    expect(await refusal(cri.runtime.createContainer({ podSandboxId: "", config }))).toContain(
      "InvalidArgument: Cannot find a pod sandbox: pod_sandbox_id is empty",
    );
    expect(await refusal(cri.runtime.createContainer({ podSandboxId: "abc", config }))).toContain(
      'NotFound: Cannot find pod sandbox "abc"',
    );
    expect(await refusal(cri.runtime.createContainer({ podSandboxId: pod.podId }))).toBe(
      "InvalidArgument: Cannot make a container: config is missing",
    );
    expect(await refusal(pod.create({ image: { image: "docker.io/library/nowhere" } }))).toMatch(
      /^NotFound: .*config.image.image.*has not been pulled/,
    );
    for (const call of [
      "startContainer",
      "containerStatus",
      "reopenContainerLog",
      "updateContainerResources",
      "execSync",
    ] as const) {
      expect(await refusal(cri.runtime[call]({ containerId: "" }))).toBe(
        "InvalidArgument: Cannot find a container: container_id is empty",
      );
      expect(await refusal(cri.runtime[call]({ containerId: pod.podId }))).toBe(
        `NotFound: Cannot find container_id "${pod.podId}": there is none with this id`,
      );
    }
    await cri.runtime.stopContainer({ containerId: "abc", timeout: 1n });
    expect(await refusal(cri.runtime.stopContainer({ containerId: "abc", timeout: -1n }))).toContain(
      "InvalidArgument: Cannot use timeout -1",
    );
    const ended = await cri.runPod();
    const waiting = await new CriContainers(cri, ended).create();
    await cri.runtime.stopPodSandbox({ podSandboxId: ended });
    expect(await refusal(cri.runtime.startContainer({ containerId: waiting }))).toMatch(
      /^FailedPrecondition: .*is not ready/,
    );
    expect(await refusal(new CriContainers(cri, ended).create())).toMatch(/^FailedPrecondition: .*is not ready/);
    expect(await refusal(new CriContainers(cri, ended).create(secured({ privileged: true })))).toMatch(
      /^FailedPrecondition: /,
    );
    await cri.runtime.removePodSandbox({ podSandboxId: ended });
    const metadata = { name: "twice", attempt: 0 };
    const first = await pod.create({ metadata });
    expect(await refusal(pod.create({ metadata }))).toMatch(/^AlreadyExists: /);
    await pod.remove(first);
  });

  it("a pod that goes while containers are made and started in it takes them with it", async () => {
    const going = new CriContainers(cri, await cri.runPod());
    const calls = Promise.allSettled(Array.from({ length: 8 }, async () => await going.run()));
    await cri.runtime.removePodSandbox({ podSandboxId: going.podId });
    await calls;
    const { containers } = await cri.runtime.listContainers({ filter: { podSandboxId: going.podId } });
    expect(containers).toEqual([]);
  });
});
