import { failedPrecondition, invalidArgument } from "#errdefs";
import type { BlockIoResources, CpuResources, DeviceRule, MemoryResources, Resources } from "#spec";
import type { HostFacts } from "../host-facts.ts";
import type { Step } from "../plan.ts";
import { blkioToIoWeight, maxOr, sharesToWeight } from "./convert.ts";
import { freshLimits, type CurrentLimits } from "./current-limits.ts";
import { compileDeviceProgram } from "./device-program.ts";
import { effectiveRules } from "./device-rules.ts";
import { needController } from "./directories.ts";
import { checkPageSize, LimitWriter } from "./limit-writer.ts";
import {
  checkUsage,
  memoryLimits,
  pidsMax,
  rdmaLine,
  warnOfMemory,
  whyCpu,
  whyDevices,
  whyHugepages,
  whyIo,
  whyMemory,
  whyPids,
  whyRdma,
} from "./reasons.ts";
import { burstFirst, idleOrder } from "./write-order.ts";

/** Device rules and limits as writes to the files of cgroup v2, converted from the spec's v1 units where these differ. */
export function writeV2(
  resources: Resources | undefined,
  paths: ReadonlyMap<string, string>,
  facts: HostFacts,
  warnings: string[],
  current: CurrentLimits = freshLimits,
): readonly Step[] {
  const devices = filterSteps(resources?.devices ?? [], paths);
  return resources === undefined ? devices : [...devices, ...limitsV2(resources, paths, facts, warnings, current)];
}

/** The device rules, as a program that the kernel asks. It takes the place of one that is there, in one step. */
function filterSteps(rules: readonly DeviceRule[], paths: ReadonlyMap<string, string>): readonly Step[] {
  const devices = effectiveRules(rules);
  if (devices.allowAll && devices.rules.length === 0) return [];
  return filterStep(devices, paths);
}

/** Also where all is allowed: another program may be there already. */
export function filterStep(
  { allowAll, rules }: ReturnType<typeof effectiveRules>,
  paths: ReadonlyMap<string, string>,
): readonly Step[] {
  const writer = new LimitWriter(paths, []);
  const program = compileDeviceProgram(rules, allowAll);
  writer.add({ op: "cgroup-device-filter", path: paths.get("") ?? "", program }, whyDevices);
  return writer.steps;
}

/** Limits alone. */
export function limitsV2(
  resources: Resources,
  paths: ReadonlyMap<string, string>,
  facts: HostFacts,
  warnings: string[],
  current: CurrentLimits,
): readonly Step[] {
  const writer = new LimitWriter(paths, warnings);
  if (resources.memory !== undefined) writeMemory(writer, resources.memory, facts.swapAccounting, current);
  if (resources.cpu !== undefined) writeCpu(writer, resources.cpu, current);
  if (resources.pids !== undefined)
    writer.write("pids", "processes", "pids.max", pidsMax(resources.pids.limit), whyPids);
  if (resources.blockIO !== undefined) writeBlockIo(writer, resources.blockIO);
  for (const { pageSize, limit } of resources.hugepageLimits) {
    checkPageSize(pageSize, facts.hugepageSizes);
    writer.write("hugetlb", "huge pages", `hugetlb.${pageSize}.rsvd.max`, String(limit), whyHugepages, true);
    writer.write("hugetlb", "huge pages", `hugetlb.${pageSize}.max`, String(limit), whyHugepages);
  }
  for (const [name, limits] of resources.rdma)
    writer.write("rdma", "RDMA", "rdma.max", rdmaLine(name, limits), whyRdma);
  const { network } = resources;
  if (network !== undefined && ((network.classID ?? 0) !== 0 || network.priorities.length > 0))
    warnings.push("Network class and priority are left out, because cgroup v2 has no such controllers");
  for (const [file, data] of resources.unified) writeUnified(writer, file, data);
  return writer.steps;
}

/** A file of cgroup v2 by its name, whether Sampan knows it or not; several lines are several writes. */
function writeUnified(writer: LimitWriter, file: string, data: string): void {
  if (file === "" || file.includes("/") || file === "." || file === "..")
    throw invalidArgument(`Cannot set unified resource "${file}": it must be the name of a file, without slashes`);
  const [controller = "", parameter] = file.split(".", 2);
  if (parameter === undefined)
    throw invalidArgument(`Cannot set unified resource "${file}": it must have the form CONTROLLER.PARAMETER`);
  const directory =
    controller === "cgroup"
      ? (writer.paths.get("") ?? "")
      : needController(writer.paths, controller, `"${file}" of the unified resources`);
  for (const line of data.split("\n"))
    if (line !== "")
      writer.add(
        { op: "write-file", path: `${directory}/${file}`, data: line, tolerate: false },
        "The config sets this file of cgroup v2 as it is",
      );
}

function writeMemory(
  writer: LimitWriter,
  memory: MemoryResources,
  swapAccounting: boolean,
  current: CurrentLimits,
): void {
  const write = (file: string, data: string): void => writer.write("memory", "memory", file, data, whyMemory);
  // Without a limit of memory, one of memory and swap together is taken for one of swap.
  const unlimited = memory.limit !== undefined && memory.limit < 0n && (memory.swap ?? 0n) > 0n;
  const { limit, swap } = unlimited ? { limit: -1n, swap: memory.swap } : memoryLimits(memory);
  if (memory.checkBeforeUpdate === true) checkUsage(limit, swap, current);
  if (limit !== undefined) write("memory.max", maxOr(limit));
  if (swap !== undefined) {
    // v1 counts memory and swap together, v2 swap alone.
    const alone = swap < 0n || unlimited ? swap : swap - (limit ?? 0n);
    if (swapAccounting) write("memory.swap.max", maxOr(alone));
    else if (alone > 0n)
      writer.warnings.push("The swap limit is left out, because this kernel does not account for swap");
  }
  if (memory.reservation !== undefined && memory.reservation !== 0n) write("memory.low", maxOr(memory.reservation));
  if (memory.swappiness !== undefined)
    writer.warnings.push("Swappiness is left out, because cgroup v2 has no such setting");
  if (memory.disableOOMKiller === true)
    writer.warnings.push("The OOM killer is left on, because cgroup v2 cannot turn it off");
  warnOfMemory(memory, writer.warnings);
}

function writeCpu(writer: LimitWriter, cpu: CpuResources, current: CurrentLimits): void {
  const write = (file: string, data: string): void => writer.write("cpu", "CPU", file, data, whyCpu);
  for (const key of idleOrder(cpu, current))
    if (key === "idle") write("cpu.idle", String(cpu.idle));
    else write("cpu.weight", String(sharesToWeight(cpu.shares ?? 0n)));
  const first = cpu.burst !== undefined && burstFirst(cpu.burst, current);
  if (first) write("cpu.max.burst", String(cpu.burst));
  const quota = cpu.quota === 0n ? undefined : cpu.quota;
  const period = cpu.period === 0n ? undefined : cpu.period;
  if (quota !== undefined || period !== undefined) {
    // The period may be left out, and is then kept; the quota may not.
    const limit = maxOr(quota ?? current.quota ?? -1n);
    write("cpu.max", period === undefined ? limit : `${limit} ${period}`);
  }
  if (cpu.burst !== undefined && !first) write("cpu.max.burst", String(cpu.burst));
  if ((cpu.realtimePeriod ?? 0n) !== 0n || (cpu.realtimeRuntime ?? 0n) !== 0n)
    throw failedPrecondition("Cannot limit real-time CPU: cgroup v2 has no such limit");
  if (cpu.cpus !== undefined && cpu.cpus !== "") writer.write("cpuset", "CPUs", "cpuset.cpus", cpu.cpus, whyCpu);
  if (cpu.mems !== undefined && cpu.mems !== "")
    writer.write("cpuset", "memory nodes", "cpuset.mems", cpu.mems, whyCpu);
}

/** io.bfq.weight is there with the scheduler BFQ, io.weight with the iocost controller. */
function writeBlockIo(writer: LimitWriter, io: BlockIoResources): void {
  const weigh = (bfq: string, cost: string): void =>
    writer.writeFirst(
      "io",
      "block I/O",
      [
        { name: "io.bfq.weight", data: bfq },
        { name: "io.weight", data: cost },
      ],
      whyIo,
    );
  if (io.weight !== undefined && io.weight !== 0) weigh(String(io.weight), `default ${blkioToIoWeight(io.weight)}`);
  for (const { major, minor, weight } of io.weightDevice)
    if (weight !== undefined && weight !== 0)
      weigh(`${major}:${minor} ${weight}`, `${major}:${minor} ${blkioToIoWeight(weight)}`);
  if ((io.leafWeight ?? 0) !== 0 || io.weightDevice.some(({ leafWeight }) => (leafWeight ?? 0) !== 0))
    writer.warnings.push("Leaf weights are left out, because cgroup v2 has no such setting");
  const throttles = [
    ["rbps", io.throttleReadBpsDevice],
    ["wbps", io.throttleWriteBpsDevice],
    ["riops", io.throttleReadIOPSDevice],
    ["wiops", io.throttleWriteIOPSDevice],
  ] as const;
  for (const [key, devices] of throttles)
    for (const { major, minor, rate } of devices)
      writer.write("io", "block I/O", "io.max", `${major}:${minor} ${key}=${rate === 0n ? "max" : rate}`, whyIo);
}
