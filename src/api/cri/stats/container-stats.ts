/** ContainerStats. */
import { create } from "@bufbuild/protobuf";
import type { CriContext } from "../context.ts";
import type { CriContainer } from "../containers/book.ts";
import { ContainerStatsSchema, type ContainerStats } from "../gen/runtime/v1/stats_pb.ts";
import { fileSystem } from "../images/file-systems.ts";
import { nanosecondsNow } from "./time.ts";
import { cpuUsage, ioUsage, memoryUsage, swapUsage } from "./usage.ts";

/** One that does not run has its writable layer only. */
export async function containerStats(
  { measurements, rates, written }: CriContext,
  { id, config }: CriContainer,
): Promise<ContainerStats> {
  const { metadata, labels, annotations } = config;
  const running = measurements.running(id);
  const size = await written.of(id);
  const timestamp = nanosecondsNow();
  const common = {
    attributes: { id, labels, annotations, ...(metadata && { metadata }) },
    writableLayer: fileSystem(measurements.directory, size),
  };
  if (running === undefined) return create(ContainerStatsSchema, common);
  const usage = measurements.usage(id);
  const { cpu: total } = usage;
  const [swap, io] = [swapUsage(usage, timestamp), ioUsage(usage, timestamp)];
  return create(ContainerStatsSchema, {
    ...common,
    cpu: cpuUsage(usage, total === undefined ? undefined : rates.of(id, running.startedAt, total), timestamp),
    memory: memoryUsage(usage, timestamp),
    ...(swap && { swap }),
    ...(io && { io }),
  });
}
