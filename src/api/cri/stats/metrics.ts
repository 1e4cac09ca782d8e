/** PodSandboxMetrics: of the pod its network, of its containers that run everything else. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { statfsSync } from "node:fs";
import type { NetworkInterfaceStats } from "#host";
import type { CriContext } from "../context.ts";
import type { CriContainer } from "../containers/book.ts";
import {
  MetricType,
  PodSandboxMetricsSchema,
  type MetricSchema,
  type PodSandboxMetrics,
} from "../gen/runtime/v1/stats_pb.ts";
import type { CriPod } from "../pods/book.ts";
import { cpuFigures, deviceFigures, memoryFigures, pressureFigures } from "./metric-figures.ts";
import { isCounter, type MetricName } from "./metric-descriptors.ts";
import { podInterfaces } from "./pod-stats.ts";
import { present } from "./present.ts";
import { processFigures } from "./process-figures.ts";
import { nanosecondsNow } from "./time.ts";

/** A metric's name and value, and its labels beside the common ones. */
export type Figure = readonly [name: MetricName, value: bigint | number, ...labels: string[]];

type Metric = MessageInitShape<typeof MetricSchema>;

export async function podMetrics(
  context: CriContext,
  pod: CriPod,
  members: readonly CriContainer[],
): Promise<PodSandboxMetrics> {
  const { name = "", namespace = "" } = pod.config.metadata ?? {};
  const interfaces = await podInterfaces(context, pod, members);
  const running = members.filter(({ id }) => context.measurements.running(id) !== undefined);
  return create(PodSandboxMetricsSchema, {
    podSandboxId: pod.id,
    metrics: metrics([pod.id, "", namespace, name, "POD"], interfaces.flatMap(networkFigures)),
    containerMetrics: await present(
      running.map(async (member) => {
        const { metadata, image } = member.config;
        const labels = [
          member.id,
          image?.userSpecifiedImage || image?.image || "",
          namespace,
          name,
          metadata?.name ?? "",
        ];
        return { containerId: member.id, metrics: metrics(labels, await containerFigures(context, member)) };
      }),
    ),
  });
}

function metrics(common: readonly string[], figures: readonly Figure[]): Metric[] {
  const timestamp = nanosecondsNow();
  return figures.map(([name, value, ...labels]) => ({
    name,
    timestamp,
    metricType: isCounter(name) ? MetricType.COUNTER : MetricType.GAUGE,
    labelValues: [...common, ...labels],
    value: { value: BigInt(value) },
  }));
}

async function containerFigures(context: CriContext, { id }: CriContainer): Promise<readonly Figure[]> {
  const { measurements } = context;
  const counters = measurements.counters(id);
  const running = measurements.running(id);
  if (running === undefined) return [];
  return [
    ["container_last_seen", Math.floor(Date.now() / 1000)],
    ["container_start_time_seconds", Math.floor(running.startedAt / 1000)],
    ...cpuFigures(counters.cpu),
    ...memoryFigures(counters.memory),
    ["container_oom_events_total", measurements.oomKills(id)],
    ...pressureFigures(counters),
    ...deviceFigures(counters.blkio),
    ...[...counters.hugetlb].flatMap(([size, { usage, max }]): Figure[] => [
      ["container_hugetlb_usage_bytes", usage, size],
      ["container_hugetlb_max_usage_bytes", max, size],
    ]),
    ...(await fileSystemFigures(context, id)),
    ...(await processFigures(running.pid, measurements.processes(id), counters.pids)),
    ...limitFigures(context, id),
  ];
}

function networkFigures(one: NetworkInterfaceStats): readonly Figure[] {
  return [
    ["container_network_receive_bytes_total", one.rxBytes, one.name],
    ["container_network_receive_packets_total", one.rxPackets, one.name],
    ["container_network_receive_packets_dropped_total", one.rxDropped, one.name],
    ["container_network_receive_errors_total", one.rxErrors, one.name],
    ["container_network_transmit_bytes_total", one.txBytes, one.name],
    ["container_network_transmit_packets_total", one.txPackets, one.name],
    ["container_network_transmit_packets_dropped_total", one.txDropped, one.name],
    ["container_network_transmit_errors_total", one.txErrors, one.name],
  ];
}

async function fileSystemFigures({ measurements, written }: CriContext, id: string): Promise<readonly Figure[]> {
  const { bytes } = await written.of(id);
  const { blocks, bsize, files, ffree } = statfsSync(measurements.directory, { bigint: true });
  return [
    ["container_fs_usage_bytes", bytes, "/"],
    ["container_fs_limit_bytes", blocks * bsize, "/"],
    ["container_fs_inodes_total", files, "/"],
    ["container_fs_inodes_free", ffree, "/"],
  ];
}

/** What there is no limit of is 0. */
function limitFigures({ measurements }: CriContext, id: string): readonly Figure[] {
  const { cpu, memory } = measurements.limits(id);
  const positive = (value: bigint | undefined): bigint => (value === undefined || value < 0n ? 0n : value);
  const figures: Figure[] = [
    ["container_spec_memory_limit_bytes", positive(memory?.limit)],
    ["container_spec_memory_reservation_limit_bytes", positive(memory?.reservation)],
    ["container_spec_memory_swap_limit_bytes", positive(memory?.swap)],
  ];
  if (cpu?.period !== undefined) figures.push(["container_spec_cpu_period", cpu.period]);
  if (cpu?.quota !== undefined && cpu.quota > 0n) figures.push(["container_spec_cpu_quota", cpu.quota]);
  if (cpu?.shares !== undefined) figures.push(["container_spec_cpu_shares", cpu.shares]);
  return figures;
}
