/** PodSandboxStats. */
import { create } from "@bufbuild/protobuf";
import type { NetworkInterfaceStats } from "#host";
import type { CriContext } from "../context.ts";
import type { CriContainer } from "../containers/book.ts";
import { PodSandboxStatsSchema, type PodSandboxStats } from "../gen/runtime/v1/stats_pb.ts";
import type { CriPod } from "../pods/book.ts";
import { containerStats } from "./container-stats.ts";
import { present } from "./present.ts";
import { nanosecondsNow } from "./time.ts";
import { cpuUsage, ioUsage, memoryUsage } from "./usage.ts";

/**
 * Of a pod that is down only its containers are told.
 *
 * @param members its containers
 */
export async function podStats(
  context: CriContext,
  pod: CriPod,
  members: readonly CriContainer[],
): Promise<PodSandboxStats> {
  const { engine, measurements, rates } = context;
  const { id, record, config } = pod;
  const { metadata, labels, annotations } = config;
  const attributes = { id, labels, annotations, ...(metadata && { metadata }) };
  const containers = await present(members.map((member) => containerStats(context, member)));
  if (!engine.pods.isUp(id)) return create(PodSandboxStatsSchema, { attributes, linux: { containers } });
  const interfaces = await podInterfaces(context, pod, members);
  const usage = measurements.podUsage(record);
  const timestamp = nanosecondsNow();
  const { cpu: total, processes } = usage;
  const rate = total === undefined ? undefined : rates.of(id, record.createdAt, total);
  const io = ioUsage(usage, timestamp);
  const [first] = interfaces;
  return create(PodSandboxStatsSchema, {
    attributes,
    linux: {
      containers,
      cpu: cpuUsage(usage, rate, timestamp),
      memory: memoryUsage(usage, timestamp),
      ...(io && { io }),
      ...(processes !== undefined && { process: { timestamp, processCount: { value: processes } } }),
      ...(first && {
        network: {
          timestamp,
          defaultInterface: interfaceUsage(first),
          interfaces: interfaces.map(interfaceUsage),
        },
      }),
    },
  });
}

/** All but the loopback one, the default one first. */
export async function podInterfaces(
  { measurements }: CriContext,
  { record }: CriPod,
  members: readonly CriContainer[],
): Promise<readonly NetworkInterfaceStats[]> {
  let pid: number | undefined;
  for (const { id } of members) pid ??= measurements.running(id)?.pid;
  const all = (await measurements.podNetwork(record, pid)).filter(({ name }) => name !== "lo");
  return all.toSorted((a, b) => Number(b.name === "eth0") - Number(a.name === "eth0"));
}

const interfaceUsage = ({ name, rxBytes, rxErrors, txBytes, txErrors }: NetworkInterfaceStats) => ({
  name,
  rxBytes: { value: rxBytes },
  rxErrors: { value: rxErrors },
  txBytes: { value: txBytes },
  txErrors: { value: txErrors },
});
