import { failedPrecondition, invalidArgument } from "#errdefs";
import type { BlockIoResources, CpuResources, MemoryResources, Resources } from "#spec";
import type { Step } from "../plan.ts";
import { blkioToIoWeight, maxOr, sharesToWeight } from "./convert.ts";
import { compileDeviceProgram } from "./device-program.ts";
import { effectiveRules } from "./device-rules.ts";
import { needController } from "./directories.ts";
import { checkSwap, whyCpu, whyDevices, whyHugepages, whyIo, whyMemory, whyPids, whyRdma } from "./reasons.ts";

const source = "runtime-spec config-linux.md#control-groups";

interface Writer {
  readonly steps: Step[];
  readonly warnings: string[];
  write(controller: string, limit: string, file: string, data: string, why: string, tolerate?: boolean): void;
}

/** Limits as writes to the files of cgroup v2, converted from the spec's v1 units where these differ. */
export function writeV2(
  resources: Resources | undefined,
  paths: ReadonlyMap<string, string>,
  swapAccounting: boolean,
  warnings: string[],
): readonly Step[] {
  const steps: Step[] = [];
  const directory = paths.get("") ?? "";
  const writer: Writer = {
    steps,
    warnings,
    write(controller, limit, file, data, why, tolerate = false) {
      const path = `${needController(paths, controller, limit)}/${file}`;
      steps.push({ operation: { op: "write-file", path, data, tolerate }, why, source });
    },
  };
  const devices = effectiveRules(resources?.devices ?? []);
  if (!devices.allowAll || devices.rules.length > 0)
    steps.push({
      operation: {
        op: "cgroup-device-filter",
        path: directory,
        program: compileDeviceProgram(devices.rules, devices.allowAll),
      },
      why: whyDevices,
      source,
    });
  if (resources === undefined) return steps;
  if (resources.memory !== undefined) writeMemory(writer, resources.memory, swapAccounting);
  if (resources.cpu !== undefined) writeCpu(writer, resources.cpu);
  if (resources.pids !== undefined) writer.write("pids", "processes", "pids.max", maxOr(resources.pids.limit), whyPids);
  if (resources.blockIO !== undefined) writeBlockIo(writer, resources.blockIO);
  for (const { pageSize, limit } of resources.hugepageLimits) {
    writer.write("hugetlb", "huge pages", `hugetlb.${pageSize}.rsvd.max`, String(limit), whyHugepages, true);
    writer.write("hugetlb", "huge pages", `hugetlb.${pageSize}.max`, String(limit), whyHugepages);
  }
  for (const [name, { hcaHandles, hcaObjects }] of resources.rdma) {
    const limits = `hca_handle=${hcaHandles ?? "max"} hca_object=${hcaObjects ?? "max"}`;
    writer.write("rdma", "RDMA", "rdma.max", `${checkName(name)} ${limits}`, whyRdma);
  }
  if (resources.network !== undefined)
    warnings.push("Network class and priority are left out, because cgroup v2 has no such controllers");
  for (const [file, data] of resources.unified) writeUnified(steps, directory, file, data);
  return steps;
}

function writeUnified(steps: Step[], directory: string, file: string, data: string): void {
  if (!/^[a-z][a-z0-9_]*(\.[A-Za-z0-9_]+)+$/.test(file) || file.startsWith("cgroup."))
    throw invalidArgument(`Cannot set unified resource "${file}": it is no limit of a cgroup v2 controller`);
  for (const line of data.split("\n"))
    if (line !== "")
      steps.push({
        operation: { op: "write-file", path: `${directory}/${file}`, data: line, tolerate: false },
        why: "The config sets this file of cgroup v2 as it is",
        source: "runtime-spec config-linux.md#unified",
      });
}

function writeMemory(writer: Writer, memory: MemoryResources, swapAccounting: boolean): void {
  checkSwap(memory);
  const { limit, swap } = memory;
  const write = (file: string, data: string): void => writer.write("memory", "memory", file, data, whyMemory);
  if (limit !== undefined && limit !== 0n) write("memory.max", maxOr(limit));
  if (swap !== undefined && swap !== 0n) {
    // v1 counts memory and swap together, v2 swap alone.
    if (swapAccounting) write("memory.swap.max", swap < 0n ? "max" : String(swap - (limit ?? 0n)));
    else writer.warnings.push("The swap limit is left out, because this kernel does not account for swap");
  }
  if (memory.reservation !== undefined) write("memory.low", maxOr(memory.reservation));
  if (memory.swappiness !== undefined)
    writer.warnings.push("Swappiness is left out, because cgroup v2 has no such setting");
  if (memory.disableOOMKiller === true)
    writer.warnings.push("The OOM killer is left on, because cgroup v2 cannot turn it off");
}

function writeCpu(writer: Writer, cpu: CpuResources): void {
  const write = (file: string, data: string): void => writer.write("cpu", "CPU", file, data, whyCpu);
  if (cpu.shares !== undefined && cpu.shares !== 0n) write("cpu.weight", String(sharesToWeight(cpu.shares)));
  const quota = cpu.quota === 0n ? undefined : cpu.quota;
  const period = cpu.period === 0n ? undefined : cpu.period;
  if (quota !== undefined || period !== undefined) {
    const limit = quota === undefined ? "max" : maxOr(quota);
    write("cpu.max", period === undefined ? limit : `${limit} ${period}`);
  }
  if (cpu.burst !== undefined) write("cpu.max.burst", String(cpu.burst));
  if (cpu.idle !== undefined) write("cpu.idle", String(cpu.idle));
  if (cpu.realtimePeriod !== undefined || cpu.realtimeRuntime !== undefined)
    throw failedPrecondition("Cannot limit real-time CPU: cgroup v2 has no such limit");
  if (cpu.cpus !== undefined && cpu.cpus !== "") writer.write("cpuset", "CPUs", "cpuset.cpus", cpu.cpus, whyCpu);
  if (cpu.mems !== undefined && cpu.mems !== "")
    writer.write("cpuset", "memory nodes", "cpuset.mems", cpu.mems, whyCpu);
}

function writeBlockIo(writer: Writer, io: BlockIoResources): void {
  const write = (file: string, data: string, tolerate = false): void =>
    writer.write("io", "block I/O", file, data, whyIo, tolerate);
  if (io.weight !== undefined && io.weight !== 0) {
    // io.bfq.weight is there with the scheduler BFQ, io.weight with the iocost controller.
    write("io.bfq.weight", String(io.weight), true);
    write("io.weight", `default ${blkioToIoWeight(io.weight)}`, true);
  }
  for (const { major, minor, weight } of io.weightDevice)
    if (weight !== undefined) {
      write("io.bfq.weight", `${major}:${minor} ${weight}`, true);
      write("io.weight", `${major}:${minor} ${blkioToIoWeight(weight)}`, true);
    }
  const throttles = [
    ["rbps", io.throttleReadBpsDevice],
    ["wbps", io.throttleWriteBpsDevice],
    ["riops", io.throttleReadIOPSDevice],
    ["wiops", io.throttleWriteIOPSDevice],
  ] as const;
  for (const [key, devices] of throttles)
    for (const { major, minor, rate } of devices) write("io.max", `${major}:${minor} ${key}=${rate}`);
}

/** A device name goes into a line of several words. */
function checkName(name: string): string {
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(name)) throw invalidArgument(`Cannot limit RDMA device "${name}": it is no name`);
  return name;
}
