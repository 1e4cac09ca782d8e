import { failedPrecondition } from "#errdefs";
import type { BlockIoResources, CpuResources, MemoryResources, Resources } from "#spec";
import type { Step } from "../plan.ts";
import { needController } from "./directories.ts";
import { deviceRuleText, effectiveRules } from "./device-rules.ts";
import { checkSwap, whyCpu, whyDevices, whyHugepages, whyIo, whyMemory, whyNetwork, whyPids } from "./reasons.ts";

const source = "runtime-spec config-linux.md#control-groups";

interface Writer {
  readonly steps: Step[];
  readonly warnings: string[];
  /** Adds a write to a file of a controller, which the host must have. */
  write(controller: string, limit: string, file: string, data: string, why: string, tolerate?: boolean): void;
}

/** Limits as writes to the files of cgroup v1, for directories that have just been made. */
export function writeV1(
  resources: Resources | undefined,
  paths: ReadonlyMap<string, string>,
  swapAccounting: boolean,
  warnings: string[],
): readonly Step[] {
  const steps: Step[] = [];
  const writer: Writer = {
    steps,
    warnings,
    write(controller, limit, file, data, why, tolerate = false) {
      const path = `${needController(paths, controller, limit)}/${file}`;
      steps.push({ operation: { op: "write-file", path, data, tolerate }, why, source });
    },
  };
  writeDevices(writer, resources, paths);
  if (resources === undefined) return steps;
  if (resources.memory !== undefined) writeMemory(writer, resources.memory, swapAccounting);
  if (resources.cpu !== undefined) writeCpu(writer, resources.cpu);
  if (resources.pids !== undefined) {
    const { limit } = resources.pids;
    writer.write("pids", "processes", "pids.max", limit < 0n ? "max" : String(limit), whyPids);
  }
  if (resources.blockIO !== undefined) writeBlockIo(writer, resources.blockIO);
  for (const { pageSize, limit } of resources.hugepageLimits) {
    // The reservation counter is newer (Linux 5.7) and stricter; a kernel without it still has the other.
    writer.write("hugetlb", "huge pages", `hugetlb.${pageSize}.rsvd.limit_in_bytes`, String(limit), whyHugepages, true);
    writer.write("hugetlb", "huge pages", `hugetlb.${pageSize}.limit_in_bytes`, String(limit), whyHugepages);
  }
  if (resources.network?.classID !== undefined)
    writer.write("net_cls", "network class", "net_cls.classid", String(resources.network.classID), whyNetwork);
  for (const { name, priority } of resources.network?.priorities ?? [])
    writer.write("net_prio", "network priority", "net_prio.ifpriomap", `${name} ${priority}`, whyNetwork);
  if (resources.unified.size > 0)
    throw failedPrecondition("Cannot set unified resources: this host has cgroup v1, which has no such files");
  return steps;
}

function writeDevices(writer: Writer, resources: Resources | undefined, paths: ReadonlyMap<string, string>): void {
  const { allowAll, rules } = effectiveRules(resources?.devices ?? []);
  // A new group allows what its parent allows, so that nothing has to be written for "all".
  if (allowAll && rules.length === 0) return;
  if (!paths.has("devices")) {
    throw failedPrecondition('Cannot restrict devices: this host has no "devices" cgroup controller', {
      remedy: "Run privileged, or boot a kernel with the devices controller",
    });
  }
  writer.write("devices", "devices", allowAll ? "devices.allow" : "devices.deny", "a", whyDevices);
  for (const rule of rules)
    writer.write(
      "devices",
      "devices",
      rule.allow ? "devices.allow" : "devices.deny",
      deviceRuleText(rule),
      `${rule.allow ? "This kind of device may" : "This kind of device must not"} be used in the container`,
    );
}

/** The limit comes before memory+swap, which may not be lower; in a new group both start without limit. */
function writeMemory(writer: Writer, memory: MemoryResources, swapAccounting: boolean): void {
  checkSwap(memory);
  const write = (file: string, data: string): void => writer.write("memory", "memory", file, data, whyMemory);
  if (memory.limit !== undefined && memory.limit !== 0n) write("memory.limit_in_bytes", String(memory.limit));
  if (memory.swap !== undefined && memory.swap !== 0n) {
    if (swapAccounting) write("memory.memsw.limit_in_bytes", String(memory.swap));
    else writer.warnings.push("The swap limit is left out, because this kernel does not account for swap");
  }
  if (memory.reservation !== undefined) write("memory.soft_limit_in_bytes", String(memory.reservation));
  if (memory.swappiness !== undefined) {
    if (memory.swappiness > 100)
      throw failedPrecondition(`Cannot set swappiness ${memory.swappiness}: cgroup v1 takes 0 to 100`);
    write("memory.swappiness", String(memory.swappiness));
  }
  if (memory.disableOOMKiller === true) write("memory.oom_control", "1");
}

/** The period comes before the quota, which the kernel checks against it. */
function writeCpu(writer: Writer, cpu: CpuResources): void {
  const write = (file: string, value: bigint | number | undefined): void => {
    if (value !== undefined) writer.write("cpu", "CPU", file, String(value), whyCpu);
  };
  write("cpu.shares", cpu.shares === 0n ? undefined : cpu.shares);
  write("cpu.cfs_period_us", cpu.period === 0n ? undefined : cpu.period);
  write("cpu.cfs_quota_us", cpu.quota === 0n ? undefined : cpu.quota);
  write("cpu.cfs_burst_us", cpu.burst);
  write("cpu.rt_period_us", cpu.realtimePeriod);
  write("cpu.rt_runtime_us", cpu.realtimeRuntime);
  write("cpu.idle", cpu.idle);
  if (cpu.cpus !== undefined && cpu.cpus !== "") writer.write("cpuset", "CPUs", "cpuset.cpus", cpu.cpus, whyCpu);
  if (cpu.mems !== undefined && cpu.mems !== "")
    writer.write("cpuset", "memory nodes", "cpuset.mems", cpu.mems, whyCpu);
}

function writeBlockIo(writer: Writer, io: BlockIoResources): void {
  const write = (file: string, data: string, tolerate = false): void =>
    writer.write("blkio", "block I/O", file, data, whyIo, tolerate);
  if (io.weight !== undefined && io.weight !== 0) {
    // Only the scheduler BFQ (Linux 5.0 and later) or CFQ (before) has weights, and either has a file of its own.
    write("blkio.bfq.weight", String(io.weight), true);
    write("blkio.weight", String(io.weight), true);
  }
  if (io.leafWeight !== undefined && io.leafWeight !== 0) write("blkio.leaf_weight", String(io.leafWeight), true);
  for (const device of io.weightDevice) {
    const name = `${device.major}:${device.minor}`;
    if (device.weight !== undefined) {
      write("blkio.bfq.weight_device", `${name} ${device.weight}`, true);
      write("blkio.weight_device", `${name} ${device.weight}`, true);
    }
    if (device.leafWeight !== undefined) write("blkio.leaf_weight_device", `${name} ${device.leafWeight}`, true);
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
