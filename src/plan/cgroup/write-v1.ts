import { failedPrecondition, invalidArgument } from "#errdefs";
import type { BlockIoResources, CpuResources, MemoryResources, Resources } from "#spec";
import type { HostFacts } from "../host-facts.ts";
import type { Step } from "../plan.ts";
import { freshLimits, type CurrentLimits } from "./current-limits.ts";
import { deviceSteps } from "./device-list.ts";
import { checkPageSize, LimitWriter } from "./limit-writer.ts";
import {
  memoryLimits,
  pidsMax,
  rdmaLine,
  warnOfMemory,
  whyCpu,
  whyHugepages,
  whyIo,
  whyMemory,
  whyNetwork,
  whyPids,
  whyRdma,
} from "./reasons.ts";
import { cpuOrder, swapFirst, type CpuWrite } from "./write-order.ts";

/** Device rules and limits as writes to the files of cgroup v1, for directories that have just been made. */
export function writeV1(
  resources: Resources | undefined,
  paths: ReadonlyMap<string, string>,
  facts: HostFacts,
  warnings: string[],
  current: CurrentLimits = freshLimits,
): readonly Step[] {
  const devices = deviceSteps(undefined, resources?.devices ?? [], paths);
  return resources === undefined ? devices : [...devices, ...limitsV1(resources, paths, facts, warnings, current)];
}

/** Limits alone. */
export function limitsV1(
  resources: Resources,
  paths: ReadonlyMap<string, string>,
  facts: HostFacts,
  warnings: string[],
  current: CurrentLimits,
): readonly Step[] {
  const writer = new LimitWriter(paths, warnings);
  if (resources.unified.size > 0)
    throw failedPrecondition("Cannot set unified resources: this host has cgroup v1, which has no such files");
  if (resources.memory !== undefined) writeMemory(writer, resources.memory, facts.swapAccounting, current);
  if (resources.cpu !== undefined) writeCpu(writer, resources.cpu, current);
  if (resources.pids !== undefined)
    writer.write("pids", "processes", "pids.max", pidsMax(resources.pids.limit), whyPids);
  if (resources.blockIO !== undefined) writeBlockIo(writer, resources.blockIO);
  for (const { pageSize, limit } of resources.hugepageLimits) {
    checkPageSize(pageSize, facts.hugepageSizes);
    // The reservation counter is newer (Linux 5.7) and stricter; a kernel without it still has the other.
    writer.write("hugetlb", "huge pages", `hugetlb.${pageSize}.rsvd.limit_in_bytes`, String(limit), whyHugepages, true);
    writer.write("hugetlb", "huge pages", `hugetlb.${pageSize}.limit_in_bytes`, String(limit), whyHugepages);
  }
  if (resources.network?.classID !== undefined)
    writer.write("net_cls", "network class", "net_cls.classid", String(resources.network.classID), whyNetwork);
  for (const { name, priority } of resources.network?.priorities ?? [])
    writer.write("net_prio", "network priority", "net_prio.ifpriomap", `${name} ${priority}`, whyNetwork);
  for (const [name, limits] of resources.rdma)
    writer.write("rdma", "RDMA", "rdma.max", rdmaLine(name, limits), whyRdma);
  return writer.steps;
}

function writeMemory(
  writer: LimitWriter,
  memory: MemoryResources,
  swapAccounting: boolean,
  current: CurrentLimits,
): void {
  const write = (file: string, data: string): void => writer.write("memory", "memory", file, data, whyMemory);
  const { limit, swap } = memoryLimits(memory);
  const writeLimit = (): void => {
    if (limit !== undefined) write("memory.limit_in_bytes", String(limit));
  };
  if (swap !== undefined && swapAccounting) {
    const first = limit === undefined || swapFirst(limit, swap, current);
    if (!first) writeLimit();
    write("memory.memsw.limit_in_bytes", String(swap));
    if (first) writeLimit();
  } else {
    writeLimit();
    if (memory.swap !== undefined && memory.swap !== 0n)
      writer.warnings.push("The swap limit is left out, because this kernel does not account for swap");
  }
  if (memory.reservation !== undefined && memory.reservation !== 0n)
    write("memory.soft_limit_in_bytes", String(memory.reservation));
  if (memory.swappiness !== undefined) {
    if (memory.swappiness > 100)
      throw failedPrecondition(`Cannot set swappiness ${memory.swappiness}: cgroup v1 takes 0 to 100`);
    write("memory.swappiness", String(memory.swappiness));
  }
  if (memory.disableOOMKiller === true) write("memory.oom_control", "1");
  warnOfMemory(memory, writer.warnings);
}

const cpuFiles: Readonly<Record<CpuWrite, string>> = {
  shares: "cpu.shares",
  idle: "cpu.idle",
  quota: "cpu.cfs_quota_us",
  period: "cpu.cfs_period_us",
  burst: "cpu.cfs_burst_us",
  realtimeRuntime: "cpu.rt_runtime_us",
  realtimePeriod: "cpu.rt_period_us",
};

function writeCpu(writer: LimitWriter, cpu: CpuResources, current: CurrentLimits): void {
  const { shares } = cpu;
  // The kernel would take the nearest value that it knows, and tell nobody.
  if (shares !== undefined && shares !== 0n && (shares < 2n || shares > 262_144n))
    throw invalidArgument(`Cannot set CPU shares to "${shares}": they are from 2 to 262144`);
  for (const key of cpuOrder(cpu, current)) writer.write("cpu", "CPU", cpuFiles[key], String(cpu[key]), whyCpu);
  if (cpu.cpus !== undefined && cpu.cpus !== "") writer.write("cpuset", "CPUs", "cpuset.cpus", cpu.cpus, whyCpu);
  if (cpu.mems !== undefined && cpu.mems !== "")
    writer.write("cpuset", "memory nodes", "cpuset.mems", cpu.mems, whyCpu);
}

/** Only a scheduler with weights has files for them: CFQ (before Linux 5.0) or BFQ, each its own. */
function writeBlockIo(writer: LimitWriter, io: BlockIoResources): void {
  const write = (file: string, data: string): void => writer.write("blkio", "block I/O", file, data, whyIo);
  const weigh = (suffix: string, data: string): void => {
    const choices = ["blkio.weight", "blkio.bfq.weight"].map((name) => ({ name: name + suffix, data }));
    writer.writeFirst("blkio", "block I/O", choices, whyIo);
  };
  if (io.weight !== undefined && io.weight !== 0) weigh("", String(io.weight));
  if (io.leafWeight !== undefined && io.leafWeight !== 0) write("blkio.leaf_weight", String(io.leafWeight));
  for (const { major, minor, weight, leafWeight } of io.weightDevice) {
    if (weight !== undefined && weight !== 0) weigh("_device", `${major}:${minor} ${weight}`);
    if (leafWeight !== undefined && leafWeight !== 0)
      write("blkio.leaf_weight_device", `${major}:${minor} ${leafWeight}`);
  }
  const throttles = [
    ["read_bps_device", io.throttleReadBpsDevice],
    ["write_bps_device", io.throttleWriteBpsDevice],
    ["read_iops_device", io.throttleReadIOPSDevice],
    ["write_iops_device", io.throttleWriteIOPSDevice],
  ] as const;
  for (const [file, devices] of throttles)
    for (const { major, minor, rate } of devices) write(`blkio.throttle.${file}`, `${major}:${minor} ${rate}`);
}
