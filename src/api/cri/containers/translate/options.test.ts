/** The CRI's description of a container as the engine's options. */
import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { NamespaceMode, SecurityProfile_ProfileType as Profile } from "../../gen/runtime/v1/common_pb.ts";
import { ContainerConfigSchema, MountPropagation, Signal, SignalSchema } from "../../gen/runtime/v1/containers_pb.ts";
import { PodSandboxConfigSchema } from "../../gen/runtime/v1/pods_pb.ts";
import { containerOptions, type TranslationFacts } from "./options.ts";
import { signalName, signalOf } from "./signals.ts";

const facts: TranslationFacts = {
  cgroupVersion: 2,
  hugepageSizes: ["2MB"],
  leastOomScore: 0,
  lsm: [],
  readProfile: (path) => ({ path }),
  podId: "0123456789abcdef",
  pod: create(PodSandboxConfigSchema, { linux: { securityContext: { privileged: true } } }),
  logDirectory: "/var/log/pods/a",
  findTarget: (_, id) => `${id}-whole`,
};

const least = { metadata: { name: "web", attempt: 2 }, image: { image: "nginx" } };

describe("containerOptions()", () => {
  it("takes the least", () => {
    expect(containerOptions(create(ContainerConfigSchema, least), facts)).toEqual({
      name: "web_0123456789ab_2",
      image: "nginx",
      pull: "never",
      pod: facts.podId,
      logDriver: "none",
      groupsPolicy: "merge",
    });
  });

  it("takes everything", () => {
    const config = create(ContainerConfigSchema, {
      ...least,
      command: ["a"],
      args: ["b"],
      workingDir: "/w",
      envs: [{ key: "A", value: Uint8Array.from([0x62, 0xff]) }],
      mounts: [
        {
          hostPath: "/h//x/",
          containerPath: "c/d/",
          readonly: true,
          recursiveReadOnly: true,
          mountOptions: ["noexec"],
          uidMappings: [{ hostId: 5, containerId: 0, length: 9 }],
          gidMappings: [{ hostId: 6, containerId: 0, length: 9 }],
        },
        { hostPath: "/h", containerPath: "/e", propagation: MountPropagation.PROPAGATION_BIDIRECTIONAL },
        { image: { image: "data" }, containerPath: "/f", imageSubPath: "./g/" },
      ],
      devices: [{ hostPath: "/dev/null", containerPath: "/dev/x", permissions: "rw" }],
      CDIDevices: [{ name: "v/c=1" }],
      annotations: { "cdi.k8s.io/x": "v/c=2,v/c=1", other: "y" },
      labels: { l: "m" },
      logPath: "web/2.log",
      stdin: true,
      stdinOnce: true,
      tty: true,
      stopSignal: Signal.SIGRTMINPLUS1,
      linux: {
        resources: {
          cpuPeriod: 100_000n,
          cpuQuota: -5n,
          cpuShares: 2n,
          memoryLimitInBytes: 1_048_576n,
          oomScoreAdj: -999n,
          cpusetCpus: "0-1",
          cpusetMems: "0",
          hugepageLimits: [
            { pageSize: "2MB", limit: 0n },
            { pageSize: "1GB", limit: 0n },
          ],
          unified: { "memory.high": "1" },
        },
        securityContext: {
          capabilities: {
            addCapabilities: ["NET_ADMIN"],
            dropCapabilities: ["ALL"],
            addAmbientCapabilities: ["CHOWN"],
          },
          namespaceOptions: { pid: NamespaceMode.TARGET, targetId: "t" },
          runAsUser: { value: 1n },
          runAsGroup: { value: 2n },
          supplementalGroups: [3n],
          readonlyRootfs: true,
          noNewPrivs: true,
          maskedPaths: ["/m"],
          readonlyPaths: ["/r"],
          seccomp: { profileType: Profile.Localhost, localhostRef: "/p" },
        },
      },
    });
    expect(containerOptions(config, facts)).toEqual({
      name: "web_0123456789ab_2",
      image: "nginx",
      pull: "never",
      pod: facts.podId,
      entrypoint: ["a"],
      command: ["b"],
      workdir: "/w",
      env: ["A=b\udcff"],
      mounts: [
        {
          type: "bind",
          source: "/h/x/",
          target: "/c/d",
          makeSource: true,
          readOnly: true,
          recursiveReadOnly: true,
          propagation: "rprivate",
          mountOptions: ["noexec"],
          uidMappings: [{ hostId: 5, containerId: 0, size: 9 }],
          gidMappings: [{ hostId: 6, containerId: 0, size: 9 }],
        },
        { type: "bind", source: "/h", target: "/e", makeSource: true, propagation: "rshared" },
        { type: "image", source: "data", target: "/f", subpath: "g" },
      ],
      devices: [{ hostPath: "/dev/null", path: "/dev/x", permissions: "rw" }],
      cdiDevices: ["v/c=1", "v/c=2"],
      labels: { l: "m" },
      annotations: { "cdi.k8s.io/x": "v/c=2,v/c=1", other: "y" },
      logPath: "/var/log/pods/a/web/2.log",
      tty: true,
      openStdin: true,
      stdinOnce: true,
      stopSignal: "SIGRTMIN+1",
      cpuPeriod: 100_000,
      cpuQuota: -1,
      cpuShares: 2,
      cpusetCpus: "0-1",
      cpusetMems: "0",
      memory: 1_048_576,
      memorySwap: 1_048_576,
      hugepages: { "2MB": 0 },
      cgroupFiles: { "memory.high": "1" },
      oomScoreAdj: 0,
      user: "1:2",
      groupAdd: ["3"],
      groupsPolicy: "merge",
      capAdd: ["NET_ADMIN"],
      capDrop: ["ALL"],
      capAmbient: ["CHOWN"],
      readOnly: true,
      noNewPrivileges: true,
      maskedPaths: ["/m"],
      readonlyPaths: ["/r"],
      seccomp: { path: "/p" },
      pid: "container:t-whole",
    });
  });

  it("says clearly what this host can't do", () => {
    const refused = (linux: object, more: Partial<TranslationFacts> = {}): (() => unknown) => {
      const config = create(ContainerConfigSchema, { ...least, linux });
      return () => containerOptions(config, { ...facts, ...more });
    };
    const profile = { profileType: Profile.Localhost, localhostRef: "mine" };
    expect(refused({ securityContext: { apparmor: profile } })).toThrow(
      'Cannot use config.linux.security_context.apparmor.localhost_ref "mine": AppArmor is not active on this host',
    );
    expect(refused({ securityContext: { apparmor: profile } }, { lsm: ["apparmor"] })()).toMatchObject({
      apparmor: "mine",
    });
    expect(refused({ securityContext: { selinuxOptions: { level: "s0:c1,c2" } } })()).not.toHaveProperty(
      "selinuxLabel",
    );
    expect(
      refused({ securityContext: { selinuxOptions: { level: "s0:c1,c2" } } }, { lsm: ["selinux"] })(),
    ).toMatchObject({ selinuxLabel: "system_u:system_r:container_t:s0:c1,c2" });
    expect(refused({ resources: { unified: { "memory.high": "1" } } }, { cgroupVersion: 1 })).toThrow("cgroup v1");
    expect(refused({ resources: { unified: { "../x": "1" } } })).toThrow("it is no file of a cgroup");
    expect(refused({ resources: { hugepageLimits: [{ pageSize: "1GB", limit: 1n }] } })).toThrow(
      "this host can't limit such pages",
    );
    expect(refused({ securityContext: { privileged: true } }, { pod: create(PodSandboxConfigSchema) })).toThrow(
      "the pod sandbox is not privileged",
    );
  });
});

describe("signals", () => {
  it("are the same back and forth, but for names that mean the same", () => {
    const synonyms = new Map<number, number>([
      [Signal.SIGCLD, Signal.SIGCHLD],
      [Signal.SIGIOT, Signal.SIGABRT],
      [Signal.SIGPOLL, Signal.SIGIO],
    ]);
    expect(signalName("s", Signal.RUNTIME_DEFAULT)).toBeUndefined();
    expect([signalOf(15), signalOf(34), signalOf(49), signalOf(50), signalOf(64), signalOf(32)]).toEqual([
      Signal.SIGTERM,
      Signal.SIGRTMIN,
      Signal.SIGRTMINPLUS15,
      Signal.SIGRTMAXMINUS14,
      Signal.SIGRTMAX,
      Signal.RUNTIME_DEFAULT,
    ]);
    const given = new Set(Array.from({ length: 64 }, (_, n) => signalOf(n + 1)));
    const all = SignalSchema.values.map(({ number }) => synonyms.get(number) ?? number);
    expect(all.filter((number) => number !== 0 && !given.has(number as Signal))).toEqual([]);
  });
});
