/** What pods and containers use, by the CRI over gRPC. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NamespaceMode } from "../../src/api/cri/gen/runtime/v1/common_pb.ts";
import { MetricType, type ContainerStats } from "../../src/api/cri/gen/runtime/v1/stats_pb.ts";
import { CriHost } from "../support/cri.ts";
import { CriContainers, refusal } from "../support/cri-containers.ts";

let cri: CriHost;
let pod: CriContainers;
let busy: string;
let limited: string;
beforeAll(async () => {
  cri = await CriHost.create(["busybox"]);
  pod = new CriContainers(cri, await cri.runPod({ labels: { tier: "front" }, annotations: { note: "x" } }));
  busy = await pod.run({ command: ["sh", "-c", "while :; do :; done"], labels: { app: "busy" } });
  limited = await pod.run({
    labels: { app: "limited" },
    linux: { resources: { memoryLimitInBytes: 67_108_864n, cpuPeriod: 100_000n, cpuQuota: 50_000n, cpuShares: 512n } },
  });
  await pod.exec(limited, "dd", "if=/dev/zero", "of=/big", "bs=1M", "count=2");
});
afterAll(async () => await cri[Symbol.asyncDispose]());

const stats = async (containerId: string): Promise<ContainerStats> => {
  const { stats: one } = await cri.runtime.containerStats({ containerId });
  if (one === undefined) throw new Error("Cannot look at the statistics: the answer has none");
  return one;
};
const now = (): bigint => BigInt(Date.now()) * 1_000_000n;

describe("containerStats()", () => {
  it("tells CPU time and its rate, memory, and what was written", async () => {
    await stats(busy);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { attributes, cpu, memory, writableLayer, swap } = await stats(busy);
    expect(attributes).toMatchObject({ id: busy, labels: { app: "busy" } });
    expect(attributes?.metadata?.name).toMatch(/^container/);
    expect(cpu?.usageCoreNanoSeconds?.value).toBeGreaterThan(50_000_000n);
    // A part of one processor, on however loaded a machine.
    expect(cpu?.usageNanoCores?.value).toBeGreaterThan(50_000_000n);
    expect(cpu?.usageNanoCores?.value).toBeLessThan(1_500_000_000n);
    for (const { timestamp } of [cpu, memory, writableLayer].filter((part) => part !== undefined))
      expect(Number((now() - timestamp) / 1_000_000n)).toBeLessThan(60_000);
    expect(memory?.usageBytes?.value).toBeGreaterThan(0n);
    expect(memory?.workingSetBytes?.value).toBeLessThanOrEqual(memory?.usageBytes?.value ?? 0n);
    expect(memory?.rssBytes?.value).toBeGreaterThan(0n);
    expect(memory?.pageFaults?.value).toBeGreaterThan(0n);
    expect(memory?.majorPageFaults).toBeDefined();
    expect(memory?.availableBytes).toBeUndefined();
    expect(writableLayer?.fsId?.mountpoint).toBe(cri.host.root);
    expect(writableLayer?.inodesUsed?.value).toBeGreaterThan(0n);
    if (swap !== undefined) expect(swap.swapUsageBytes?.value).toBeGreaterThanOrEqual(0n);
  });

  it("tells what is left below a limit, and only the writable layer of one that does not run", async () => {
    const { memory, writableLayer } = await stats(limited);
    const [available, used] = [memory?.availableBytes?.value ?? 0n, memory?.workingSetBytes?.value ?? 0n];
    expect(available + used).toBe(67_108_864n);
    expect(writableLayer?.usedBytes?.value).toBeGreaterThanOrEqual(2_097_152n);
    const created = await pod.create();
    const idle = await stats(created);
    expect(idle.attributes?.id).toBe(created);
    expect([idle.cpu, idle.memory, idle.swap, idle.io]).toStrictEqual([undefined, undefined, undefined, undefined]);
    expect(idle.writableLayer?.usedBytes).toBeDefined();
    await cri.runtime.removeContainer({ containerId: created });
    expect(await refusal(cri.runtime.containerStats({ containerId: created }))).toMatch(/^NotFound: /);
    expect(await refusal(cri.runtime.containerStats({}))).toMatch(/^InvalidArgument: .*container_id is empty/);
  });

  it("lists by id, pod and labels, also as a stream", async () => {
    const list = async (filter?: object): Promise<string[]> => {
      const { stats: all } = await cri.runtime.listContainerStats(filter === undefined ? {} : { filter });
      const streamed = [];
      for await (const part of cri.runtime.streamContainerStats(filter === undefined ? {} : { filter }))
        streamed.push(...part.containerStats);
      const ids = all.map(({ attributes }) => attributes?.id ?? "");
      expect(streamed.map(({ attributes }) => attributes?.id)).toStrictEqual(ids);
      return ids.toSorted();
    };
    expect(await list()).toStrictEqual([busy, limited].toSorted());
    expect(await list({ id: busy.slice(0, 13) })).toStrictEqual([busy]);
    expect(await list({ podSandboxId: pod.podId })).toStrictEqual([busy, limited].toSorted());
    expect(await list({ labelSelector: { app: "limited" } })).toStrictEqual([limited]);
    expect(await list({ id: busy, labelSelector: { app: "limited" } })).toStrictEqual([]);
    expect(await list({ podSandboxId: busy })).toStrictEqual([]);
    expect(await list({ labelSelector: { toString: "x" } })).toStrictEqual([]);
  });
});

describe("podSandboxStats()", () => {
  it("tells CPU, memory, network, processes and containers of a pod", async () => {
    const { stats: one } = await cri.runtime.podSandboxStats({ podSandboxId: pod.podId });
    expect(one?.attributes).toMatchObject({ id: pod.podId, labels: { tier: "front" }, annotations: { note: "x" } });
    expect(one?.attributes?.metadata?.uid).toMatch(/^uid-/);
    const linux = one?.linux;
    expect(linux?.containers.map(({ attributes }) => attributes?.id).toSorted()).toStrictEqual(
      [busy, limited].toSorted(),
    );
    const sum =
      linux?.containers.reduce((total, { cpu }) => total + (cpu?.usageCoreNanoSeconds?.value ?? 0n), 0n) ?? 0n;
    expect(sum).toBeGreaterThan(0n);
    expect(linux?.cpu?.usageCoreNanoSeconds?.value).toBeGreaterThanOrEqual((sum * 9n) / 10n);
    expect(linux?.cpu?.usageNanoCores?.value).toBeGreaterThan(0n);
    expect(linux?.memory?.usageBytes?.value).toBeGreaterThan(2_097_152n);
    expect(linux?.process?.processCount?.value).toBeGreaterThanOrEqual(2n);
    expect(linux?.network?.defaultInterface?.name).toBe("eth0");
    expect(linux?.network?.interfaces.map(({ name }) => name)).toStrictEqual(["eth0"]);
  });

  it("counts what a pod receives, also when nothing of it runs, and lists pods", async () => {
    const idle = await cri.runPod({ labels: { tier: "back" } });
    const { stats: one } = await cri.runtime.podSandboxStats({ podSandboxId: idle });
    expect(one?.linux?.network?.defaultInterface?.name).toBe("eth0");
    const { stats: before } = await cri.runtime.podSandboxStats({ podSandboxId: pod.podId });
    const { status } = await cri.runtime.podSandboxStatus({ podSandboxId: pod.podId });
    await cri.host.run(["ping", "-c", "2", "-i", "0.1", "-s", "1000", status?.network?.ip ?? ""]);
    const { stats: after } = await cri.runtime.podSandboxStats({ podSandboxId: pod.podId });
    const received = (of: typeof before): bigint => of?.linux?.network?.defaultInterface?.rxBytes?.value ?? 0n;
    expect(received(after) - received(before)).toBeGreaterThan(2000n);
    const list = async (filter?: object): Promise<string[]> => {
      const { stats: all } = await cri.runtime.listPodSandboxStats(filter === undefined ? {} : { filter });
      const streamed = [];
      for await (const part of cri.runtime.streamPodSandboxStats(filter === undefined ? {} : { filter }))
        streamed.push(...part.podSandboxStats);
      const ids = all.map(({ attributes }) => attributes?.id ?? "");
      expect(streamed.map(({ attributes }) => attributes?.id)).toStrictEqual(ids);
      return ids.toSorted();
    };
    expect(await list()).toStrictEqual([idle, pod.podId].toSorted());
    expect(await list({ id: idle })).toStrictEqual([idle]);
    expect(await list({ labelSelector: { tier: "front" } })).toStrictEqual([pod.podId]);
    await cri.runtime.stopPodSandbox({ podSandboxId: idle });
    const { stats: down } = await cri.runtime.podSandboxStats({ podSandboxId: idle });
    expect([down?.linux?.cpu, down?.linux?.network]).toStrictEqual([undefined, undefined]);
    await cri.runtime.removePodSandbox({ podSandboxId: idle });
    expect(await refusal(cri.runtime.podSandboxStats({ podSandboxId: idle }))).toMatch(/^NotFound: /);
    expect(await refusal(cri.runtime.podSandboxStats({}))).toMatch(/^InvalidArgument: .*pod_sandbox_id is empty/);
  });

  it("of a pod with the host's network tells none of that", async () => {
    const host = await cri.runPod({
      linux: { securityContext: { namespaceOptions: { network: NamespaceMode.NODE } } },
    });
    const { stats: one } = await cri.runtime.podSandboxStats({ podSandboxId: host });
    expect(one?.linux?.cpu).toBeDefined();
    expect(one?.linux?.network).toBeUndefined();
    await cri.runtime.removePodSandbox({ podSandboxId: host });
  });
});

describe("metrics", () => {
  it("have cAdvisor's names, and as many labels as their descriptors say", async () => {
    const { descriptors } = await cri.runtime.listMetricDescriptors({});
    const keys = new Map(descriptors.map(({ name, labelKeys }) => [name, labelKeys]));
    expect(keys.size).toBe(descriptors.length);
    for (const { name, help } of descriptors)
      expect([name.startsWith("container_"), help === ""]).toStrictEqual([true, false]);
    const { podMetrics } = await cri.runtime.listPodSandboxMetrics({});
    const [one] = podMetrics;
    expect(podMetrics.map(({ podSandboxId }) => podSandboxId)).toStrictEqual([pod.podId]);
    const containers = one?.containerMetrics ?? [];
    expect(containers.map(({ containerId }) => containerId).toSorted()).toStrictEqual([busy, limited].toSorted());
    const all = [...(one?.metrics ?? []), ...containers.flatMap(({ metrics }) => metrics)];
    for (const { name, labelValues, timestamp, value } of all) {
      expect(labelValues, name).toHaveLength(keys.get(name)?.length ?? -1);
      expect(timestamp, name).toBeGreaterThan(0n);
      expect(value, name).toBeDefined();
    }
    const seen = new Set(all.map(({ name }) => name));
    const absent = [...keys.keys()].filter((name) => !seen.has(name));
    // What this kernel or these containers have nothing of.
    for (const name of absent) expect(name).toMatch(/_pressure_|_hugetlb_|_fs_(reads|writes)|_blkio_/);
  });

  it("tell each container's own figures", async () => {
    const { podMetrics } = await cri.runtime.listPodSandboxMetrics({});
    const { metrics = [] } = podMetrics[0]?.containerMetrics.find(({ containerId }) => containerId === limited) ?? {};
    const { status } = await cri.runtime.containerStatus({ containerId: limited });
    const { status: of } = await cri.runtime.podSandboxStatus({ podSandboxId: pod.podId });
    const metric = (name: string) => metrics.find((one) => one.name === name);
    expect(metric("container_spec_memory_limit_bytes")).toMatchObject({
      metricType: MetricType.GAUGE,
      value: { value: 67_108_864n },
      labelValues: [limited, cri.image("busybox"), "test", of?.metadata?.name, status?.metadata?.name],
    });
    const values = [
      "container_spec_cpu_period",
      "container_spec_cpu_quota",
      "container_spec_cpu_shares",
      "container_processes",
    ];
    expect(values.map((name) => metric(name)?.value?.value)).toStrictEqual([100_000n, 50_000n, 512n, 1n]);
    expect(metric("container_fs_usage_bytes")?.value?.value).toBeGreaterThanOrEqual(2_097_152n);
    expect(metric("container_cpu_usage_seconds_total")?.metricType).toBe(MetricType.COUNTER);
    expect(metric("container_file_descriptors")?.value?.value).toBeGreaterThanOrEqual(3n);
    expect(metric("container_ulimits_soft")?.labelValues.at(-1)).toBe("max_open_files");
    const streamed = [];
    for await (const part of cri.runtime.streamPodSandboxMetrics({})) streamed.push(...part.podSandboxMetrics);
    expect(streamed.map(({ podSandboxId }) => podSandboxId)).toStrictEqual([pod.podId]);
  });
});
