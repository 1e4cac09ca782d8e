/** Pods of the CRI, over gRPC: all that they can have, what is refused, and that a restart of the daemon loses nothing. */
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectSocket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NamespaceMode } from "../../src/api/cri/gen/runtime/v1/common_pb.ts";
import { ContainerState } from "../../src/api/cri/gen/runtime/v1/containers_pb.ts";
import { PodSandboxState, Protocol } from "../../src/api/cri/gen/runtime/v1/pods_pb.ts";
import { CgroupDriver } from "../../src/api/cri/gen/runtime/v1/runtime_pb.ts";
import { CriHost, type PodConfig } from "../support/cri.ts";
import { CriContainers, refusal } from "../support/cri-containers.ts";

let cri: CriHost;
beforeAll(async () => (cri = await CriHost.create(["busybox"])));
afterAll(async () => await cri[Symbol.asyncDispose]());

const namespaces = (namespaceOptions: object): PodConfig => ({ linux: { securityContext: { namespaceOptions } } });
const remove = async (podSandboxId: string): Promise<void> => {
  await cri.runtime.removePodSandbox({ podSandboxId });
};
/** What a shell says in a container of a new pod, which goes then. */
const look = async (config: PodConfig, script: string): Promise<string> => {
  const id = await cri.runPod(config);
  try {
    return await new CriContainers(cri, id).look({}, script);
  } finally {
    await remove(id);
  }
};
/** What pods leave on the host. */
const left = async (): Promise<string> => {
  const { state, cgroupParent } = cri.host;
  const script = `grep -c ${state}/pods /proc/self/mountinfo; ls -A ${state}/pods ${state}/forwards 2>/dev/null | grep -v :; ls -d /sys/fs/cgroup/*${cgroupParent}/pod-*; pgrep keel-forward; true`;
  return (await cri.host.run(["sh", "-c", script])).stdout;
};

describe("a pod", () => {
  it("is ready when it is made, not ready when it is stopped, and gone when it is removed", async () => {
    const config = cri.podConfig({ labels: { app: "a" }, annotations: { note: "b" } });
    const { podSandboxId: id } = await cri.runtime.runPodSandbox({ config, runtimeHandler: "sampan" });
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    const { status, timestamp, info } = await cri.runtime.podSandboxStatus({ podSandboxId: id });
    expect(status).toMatchObject({
      id,
      metadata: config.metadata,
      state: PodSandboxState.SANDBOX_READY,
      labels: { app: "a" },
      annotations: { note: "b" },
      runtimeHandler: "sampan",
      linux: { namespaces: { options: { network: 0, pid: 0, ipc: 0, targetId: "" } } },
    });
    expect(status?.network?.ip).toMatch(/^\d+(\.\d+){3}$/);
    expect(Number((status?.createdAt ?? 0n) / 1_000_000n)).toBeCloseTo(Date.now(), -5);
    expect(timestamp).toBeGreaterThan(status?.createdAt ?? 0n);
    expect(info).toEqual({});
    const again = { config, runtimeHandler: "" };
    expect(await refusal(cri.runtime.runPodSandbox(again))).toMatch(/^AlreadyExists: /);

    for (const podSandboxId of [id, id]) await cri.runtime.stopPodSandbox({ podSandboxId });
    const stopped = await cri.runtime.podSandboxStatus({ podSandboxId: id, verbose: true });
    expect(stopped.status).toMatchObject({ state: PodSandboxState.SANDBOX_NOTREADY, network: { ip: "" } });
    expect(JSON.parse(stopped.info["info"] ?? "")).toMatchObject({ runtimeSpec: { linux: { namespaces: [] } } });
    for (const podSandboxId of [id, id]) await remove(podSandboxId);
    expect(await refusal(cri.runtime.podSandboxStatus({ podSandboxId: id }))).toMatch(/^NotFound: .*no.*this id/);
    expect(await left()).toBe("0\n");
  });

  it("is found by the filters of lists, also in a list that is streamed", async () => {
    const a = await cri.runPod({ labels: { app: "a", tier: "x" } });
    const b = await cri.runPod({ labels: { app: "b", tier: "x" } });
    await cri.runtime.stopPodSandbox({ podSandboxId: b });
    const list = async (filter: object): Promise<readonly string[]> => {
      const { items } = await cri.runtime.listPodSandbox({ filter });
      const streamed: string[] = [];
      for await (const part of cri.runtime.streamPodSandboxes({ filter }))
        streamed.push(...part.podSandboxes.map(({ id }) => id));
      const ids = items.map(({ id }) => id);
      expect(streamed).toEqual(ids);
      return ids;
    };
    expect(await list({})).toEqual([b, a]);
    expect(await list({ id: a.slice(0, 12) })).toEqual([a]);
    expect(await list({ id: "zz" })).toEqual([]);
    expect(await list({ labelSelector: { tier: "x" } })).toEqual([b, a]);
    expect(await list({ labelSelector: { tier: "x", app: "a" } })).toEqual([a]);
    expect(await list({ labelSelector: { constructor: "x" } })).toEqual([]);
    expect(await list({ state: { state: PodSandboxState.SANDBOX_NOTREADY } })).toEqual([b]);
    expect(await list({ state: { state: PodSandboxState.SANDBOX_READY }, id: b })).toEqual([]);
    for (const id of [a, b]) await remove(id);
  });

  it("gives its containers host name, resolver, sysctls, and its namespaces or the host's", async () => {
    const dnsConfig = { servers: ["10.9.8.7", "fd00::1"], searches: ["a.test", "b.test"], options: ["ndots:5"] };
    const sysctls = { "net.ipv4.ip_unprivileged_port_start": "99", "kernel.shm_rmid_forced": "1" };
    const script =
      "hostname; cat /etc/resolv.conf /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/shm_rmid_forced";
    expect(await look({ hostname: "web-1", dnsConfig, linux: { sysctls } }, script)).toBe(
      "web-1\nsearch a.test b.test\nnameserver 10.9.8.7\nnameserver fd00::1\noptions ndots:5\n99\n1",
    );
    const outside = async (name: string): Promise<string> => await cri.host.must(["readlink", `/proc/self/ns/${name}`]);
    const own = "for n in net ipc pid; do readlink /proc/self/ns/$n; done";
    const hosts = await Promise.all(["net", "ipc", "pid"].map(outside));
    const inside = async (options: object): Promise<readonly boolean[]> =>
      (await look(namespaces(options), own)).split("\n").map((text, index) => text === hosts[index]);
    const { NODE, CONTAINER } = NamespaceMode;
    expect(await inside({})).toEqual([false, false, false]);
    expect(await inside({ network: NODE, ipc: NODE, pid: NODE })).toEqual([true, true, true]);
    expect(await inside({ ipc: NODE, pid: CONTAINER })).toEqual([false, true, false]);
    // A shared namespace has a process of the engine as its first; with one of its own, the container's is the first.
    expect(await look({}, "cat /proc/1/comm")).toBe("sampan-pod");
    expect(await look(namespaces({ pid: CONTAINER }), "cat /proc/1/comm")).toBe("sleep");
  });

  it("publishes ports of the host, of all protocols and on one address", async () => {
    const id = await cri.runPod({
      portMappings: [
        { containerPort: 80, hostPort: 8180, hostIp: "127.0.0.1" },
        { containerPort: 81, hostPort: 8181, protocol: Protocol.UDP },
        { containerPort: 99 },
      ],
    });
    const pod = new CriContainers(cri, id);
    await pod.run({ command: ["sh", "-c", "while :; do echo over-tcp | nc -l -p 80; done"] });
    await expect.poll(async () => (await cri.host.run(["socat", "-", "TCP:127.0.0.1:8180"])).stdout).toBe("over-tcp\n");
    const taken = { portMappings: [{ containerPort: 1, hostPort: 8180, hostIp: "127.0.0.1" }] };
    expect(await refusal(cri.runPod(taken))).toMatch(/^AlreadyExists: .*8180/);
    const { items } = await cri.runtime.listPodSandbox({});
    expect(items.map((item) => item.id)).toEqual([id]);
    await remove(id);
  });

  it("is in the cgroup that a kubelet of either driver names, and limits itself where nobody else does", async () => {
    const { cgroupParent: own } = cri.host;
    const name = own.slice(1);
    const at = async (parent: string): Promise<string> => {
      const id = await cri.runPod({ linux: { cgroupParent: parent } });
      const { info } = await cri.runtime.podSandboxStatus({ podSandboxId: id, verbose: true });
      await remove(id);
      const { runtimeSpec } = JSON.parse(info["info"] ?? "") as { runtimeSpec: { linux: { cgroupsPath: string } } };
      return runtimeSpec.linux.cgroupsPath.replace(/\/pod-[0-9a-f]{64}$/, "");
    };
    expect(await at(`${own}/burstable/podX`)).toBe(`${own}/burstable/podX`);
    const slice = `${name.replaceAll("-", "_")}.slice`;
    expect(await at(slice.replace(".slice", "-pod1.slice"))).toBe(
      `/${slice}/${slice.replace(".slice", "-pod1.slice")}`,
    );
    await cri.host.run(["sh", "-c", `for d in /sys/fs/cgroup/*/${slice}; do rmdir $d/* $d; done`]);
    const memory = 64n * 1024n * 1024n;
    const resources = { memoryLimitInBytes: memory, cpuQuota: 50_000n, cpuPeriod: 100_000n };
    const id = await cri.runPod({ linux: { resources, overhead: { memoryLimitInBytes: 1024n * 1024n } } });
    const file = async (path: string): Promise<string> =>
      await cri.host.must(["sh", "-c", `cat /sys/fs/cgroup/${path.replace("@", `${name}/pod-${id}`)}`]);
    expect(await file("memory/@/memory.limit_in_bytes")).toBe(String(65 * 1024 * 1024));
    expect(await file("cpu/@/cpu.cfs_quota_us")).toBe("50000");
    await cri.runtime.updatePodSandboxResources({
      podSandboxId: id,
      resources: { ...resources, memoryLimitInBytes: 2n * memory },
    });
    expect(await file("memory/@/memory.limit_in_bytes")).toBe(String(129 * 1024 * 1024));
    await cri.restart();
    const { info } = await cri.runtime.podSandboxStatus({ podSandboxId: id, verbose: true });
    expect(JSON.parse(info["info"] ?? "")).toMatchObject({
      config: { linux: { resources: { memory_limit_in_bytes: String(2n * memory) } } },
    });
    await remove(id);
  });

  it("lives on, with its containers, while the daemon is killed and started again", async () => {
    const id = await cri.runPod({ labels: { keep: "me" } });
    const pod = new CriContainers(cri, id);
    const container = await pod.run();
    const before = await cri.runtime.podSandboxStatus({ podSandboxId: id });
    await cri.restart("SIGKILL");
    const after = await cri.runtime.podSandboxStatus({ podSandboxId: id });
    expect(after.status).toEqual(before.status);
    expect(after.containersStatuses).toMatchObject([{ id: container, state: ContainerState.CONTAINER_RUNNING }]);
    expect(await pod.sh(container, "echo alive")).toBe("alive");
    await cri.runtime.stopPodSandbox({ podSandboxId: id });
    expect((await pod.status(container)).exitCode).toBe(137);
    expect(await refusal(pod.create())).toMatch(/^FailedPrecondition: .*not ready/);
    await remove(id);
    expect((await cri.runtime.listContainers({})).containers).toEqual([]);
    expect(await left()).toBe("0\n");
  });

  it("is left half-made by nobody who has gone, and made and removed by many at once", async () => {
    const leaving = Array.from({ length: 8 }, async (_, index) => {
      const gone = new AbortController();
      setTimeout(() => gone.abort(), index * 4);
      await cri.runtime.runPodSandbox({ config: cri.podConfig() }, { signal: gone.signal }).then(
        async ({ podSandboxId }) => await remove(podSandboxId),
        () => undefined,
      );
    });
    await Promise.all(leaving);
    const ids = await Promise.all(Array.from({ length: 8 }, () => cri.runPod()));
    const addresses = await Promise.all(
      ids.map(async (id) => (await cri.runtime.podSandboxStatus({ podSandboxId: id })).status?.network?.ip),
    );
    expect(new Set(addresses).size).toBe(8);
    const ends = ids.flatMap((id) => [cri.runtime.stopPodSandbox({ podSandboxId: id }), remove(id), remove(id)]);
    await Promise.all(ends);
    await expect
      .poll(async () => (await cri.runtime.listPodSandbox({})).items.map((item) => item.metadata))
      .toEqual([]);
    await expect.poll(left).toBe("0\n");
  });
});

describe("a pod is refused, with the field's name", () => {
  const security = (securityContext: object): PodConfig => ({ linux: { securityContext } });
  const users = (usernsOptions: object): PodConfig => namespaces({ usernsOptions });
  const map = { containerId: 0, hostId: 100_000, length: 65_536 };
  it.each<[string, PodConfig]>([
    ["config.metadata is missing", { metadata: undefined }],
    ["config.metadata.name is missing", { metadata: { namespace: "a", uid: "b" } }],
    ["config.metadata.namespace is missing", { metadata: { name: "a", uid: "b" } }],
    ["config.metadata.uid is missing", { metadata: { name: "a", namespace: "b" } }],
    ["config.hostname", { hostname: "a\nb" }],
    ["config.hostname", { hostname: "a".repeat(65) }],
    ["config.log_directory", { logDirectory: "relative" }],
    ["config.log_directory", { logDirectory: "/var/../etc" }],
    ["config.dns_config.servers[1]", { dnsConfig: { servers: ["1.2.3.4", "1.2.3.4\nnameserver 6.6.6.6"] } }],
    ["config.dns_config.searches[0]", { dnsConfig: { searches: ["a b"] } }],
    ["config.dns_config.options[0]", { dnsConfig: { options: ["ndots:1\nnameserver 6.6.6.6"] } }],
    ["config.port_mappings[0].host_port 65536", { portMappings: [{ containerPort: 1, hostPort: 65_536 }] }],
    ["config.port_mappings[0].host_port -1", { portMappings: [{ containerPort: 1, hostPort: -1 }] }],
    ["config.port_mappings[0].container_port 0", { portMappings: [{ hostPort: 80 }] }],
    ["config.port_mappings[0].host_ip", { portMappings: [{ containerPort: 1, hostPort: 1, hostIp: "here" }] }],
    ["config.linux.cgroup_parent", { linux: { cgroupParent: "/a/../../b" } }],
    ["config.linux.cgroup_parent", { linux: { cgroupParent: "a--b.slice" } }],
    ["namespace_options.network is CONTAINER", namespaces({ network: NamespaceMode.CONTAINER })],
    ["namespace_options.pid is TARGET", namespaces({ pid: NamespaceMode.TARGET })],
    ["namespace_options.ipc is CONTAINER", namespaces({ ipc: NamespaceMode.CONTAINER })],
    ["security_context.run_as_group is given without run_as_user", security({ runAsGroup: { value: 1n } })],
    ["security_context.run_as_user -1", security({ runAsUser: { value: -1n } })],
    ["security_context.seccomp.localhost_ref is missing", security({ seccomp: { profileType: 2 } })],
    ["userns_options.uids has 0 maps", users({ gids: [map] })],
    ["userns_options.uids has 2 maps", users({ uids: [map, map], gids: [map] })],
    ["userns_options has different maps", users({ uids: [map], gids: [{ ...map, length: 5 }] })],
    ["userns_options.uids[0].length is 0", users({ uids: [{ ...map, length: 0 }], gids: [map] })],
    ["userns_options.mode is CONTAINER", users({ mode: NamespaceMode.CONTAINER })],
    ["userns_options has maps with mode NODE", users({ mode: NamespaceMode.NODE, uids: [map] })],
  ])("%s", async (words, config) => {
    const said = await refusal(cri.runPod(config));
    expect(said).toMatch(/^InvalidArgument: Cannot make a pod sandbox: /);
    expect(said).toContain(words);
    expect((await cri.runtime.listPodSandbox({})).items).toEqual([]);
  });

  it("and without a config, with a handler that is not there, or a user namespace", async () => {
    expect(await refusal(cri.runtime.runPodSandbox({}))).toBe(
      "InvalidArgument: Cannot make a pod sandbox: config is missing",
    );
    expect(await refusal(cri.runPod({}, "nosuch"))).toMatch(/^InvalidArgument: .*runtime_handler "nosuch"/);
    const both = { uids: [map], gids: [map] };
    expect(await refusal(cri.runPod(users(both)))).toMatch(/^Unimplemented: .*user namespace/);
  });

  it("ids that are empty, unknown, a container's, or no ids: the calls that may be repeated do nothing", async () => {
    const id = await cri.runPod();
    const container = await new CriContainers(cri, id).run();
    for (const podSandboxId of ["", container, "f".repeat(64), "../x", "Ω", "a".repeat(100_000)]) {
      const code = podSandboxId === "" ? "InvalidArgument" : "NotFound";
      expect(await refusal(cri.runtime.podSandboxStatus({ podSandboxId }))).toMatch(`${code}: `);
      expect(await refusal(cri.runtime.portForward({ podSandboxId }))).toMatch(`${code}: `);
      expect(await refusal(cri.runtime.updatePodSandboxResources({ podSandboxId }))).toMatch(`${code}: `);
      if (podSandboxId === "") continue;
      await cri.runtime.stopPodSandbox({ podSandboxId });
      await remove(podSandboxId);
    }
    expect(await refusal(cri.runtime.stopPodSandbox({}))).toMatch(/^InvalidArgument: .*pod_sandbox_id is empty/);
    expect((await cri.runtime.podSandboxStatus({ podSandboxId: id })).containersStatuses.length).toBe(1);
    await remove(id);
  });
});

describe("the runtime", () => {
  it("tells its version, status, configuration and handlers", async () => {
    const version = await cri.runtime.version({ version: "v1" });
    expect(version).toMatchObject({ version: "0.1.0", runtimeName: "sampan", runtimeApiVersion: "v1" });
    expect(version.runtimeVersion).toMatch(/^\d+\.\d+/);
    const { status, runtimeHandlers, features, info } = await cri.runtime.status({ verbose: true });
    expect(status?.conditions).toMatchObject([
      { type: "RuntimeReady", status: true },
      { type: "NetworkReady", status: true },
    ]);
    expect(runtimeHandlers.map(({ name }) => name).slice(0, 2)).toEqual(["", "sampan"]);
    expect(features).toMatchObject({ supplementalGroupsPolicy: true });
    expect(JSON.parse(info["config"] ?? "")).toMatchObject({ cgroupDriver: "cgroupfs", podCidr: "" });
    expect((await cri.runtime.runtimeConfig({})).linux?.cgroupDriver).toBe(CgroupDriver.CGROUPFS);
    const update = (podCidr: string) =>
      cri.runtime.updateRuntimeConfig({ runtimeConfig: { networkConfig: { podCidr } } });
    await update("10.1.0.0/24,fd00::/64");
    expect(await refusal(update("10.1.0.0/33"))).toMatch(/^InvalidArgument: .*pod_cidr has "10.1.0.0\/33"/);
  });

  it("answers JSON over HTTP at the same socket, and clients of gRPC that name the socket or nothing as the host", async () => {
    const curl = ["curl", "-s", "--unix-socket", `${cri.host.state}/cri.sock`, "-H", "content-type: application/json"];
    const said = await cri.host.must([...curl, "-d", "{}", "http://x/runtime.v1.RuntimeService/Version"]);
    expect(JSON.parse(said)).toMatchObject({ runtimeName: "sampan", runtimeApiVersion: "v1" });
    for (const authority of ["localhost", "%2Frun%2Fsampan%2Fcri.sock", undefined]) {
      const session = connectHttp2("http://x", { createConnection: () => connectSocket({ path: cri.socket }) });
      const stream = session.request({
        ":method": "POST",
        ":path": "/runtime.v1.RuntimeService/Version",
        "content-type": "application/grpc",
        te: "trailers",
        ...(authority !== undefined && { ":authority": authority }),
      });
      const trailers = once(stream, "trailers");
      stream.resume();
      stream.end(Buffer.alloc(5));
      expect((await trailers)[0]).toMatchObject({ "grpc-status": "0" });
      session.close();
    }
  });

  it("makes no checkpoints yet, and says so", async () => {
    const id = await cri.runPod();
    expect(await refusal(cri.runtime.checkpointPod({ podSandboxId: id }))).toMatch(/^Unimplemented: .*yet/);
    expect(await refusal(cri.runtime.restorePod({}))).toMatch(/^Unimplemented: .*yet/);
    await remove(id);
  });
});
