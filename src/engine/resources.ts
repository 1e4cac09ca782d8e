/** Limits of a container: the options in the runtime-spec's words, with Docker's checks. Devices are looked at on the host. */
import { statSync } from "node:fs";
import { invalidArgument } from "#errdefs";
import type { BlockIoResources, CpuResources, DeviceRule, MemoryResources, Resources } from "#spec";
import type { ContainerOptions, DeviceRate } from "./options.ts";
import { parseBytes, parseCpus, parseInteger } from "./units.ts";

/** Less than this and the kernel kills the process before it has begun. */
const smallestMemory = 512 * 1024;

/** @param devices rules of the devices that the container has */
export function containerResources(options: ContainerOptions, devices: Resources["devices"]): Resources {
  const pids = options.pidsLimit;
  return {
    devices: [...devices, ...(options.deviceRules ?? []).map(parseDeviceRule)],
    memory: memory(options),
    cpu: cpu(options),
    pids: pids === undefined || pids <= 0 ? undefined : { limit: BigInt(pids) },
    blockIO: blockIo(options),
    hugepageLimits: Object.entries(options.hugepages ?? {}).map(([pageSize, limit]) => ({
      pageSize,
      limit: BigInt(parseBytes(limit, "--hugepages")),
    })),
    rdma: new Map(),
    unified: new Map(Object.entries(options.cgroupFiles ?? {})),
  };
}

export function oomScore({ oomScoreAdj }: ContainerOptions): number | undefined {
  return oomScoreAdj === undefined ? undefined : parseInteger(oomScoreAdj, "--oom-score-adj", -1000, 1000);
}

function memory(options: ContainerOptions): MemoryResources | undefined {
  const bytes = (value: number | string | undefined, what: string): bigint | undefined =>
    value === undefined ? undefined : BigInt(parseBytes(value, what));
  const limit = bytes(options.memory, "--memory");
  if (limit !== undefined && limit > 0n && limit < smallestMemory)
    throw invalidArgument(`Cannot set --memory to ${options.memory}: no process can start in less than 512k`, {
      remedy: "Give it at least 512k",
    });
  const unlimitedSwap = options.memorySwap === -1 || options.memorySwap === "-1";
  const given = unlimitedSwap ? -1n : bytes(options.memorySwap, "--memory-swap");
  if (given !== undefined && given !== 0n) {
    if (limit === undefined || limit === 0n)
      throw invalidArgument("Cannot set --memory-swap: --memory must be set too", { remedy: "Add --memory" });
    if (given > 0n && given < limit)
      throw invalidArgument(
        `Cannot set --memory-swap to ${options.memorySwap}: it counts memory too, and is below --memory`,
      );
  }
  // As Docker: with a memory limit alone, as much swap again may be used.
  const swap =
    limit === undefined || limit === 0n ? undefined : given === undefined || given === 0n ? limit * 2n : given;
  const reservation = bytes(options.memoryReservation, "--memory-reservation");
  if (reservation !== undefined && limit !== undefined && limit > 0n && reservation > limit)
    throw invalidArgument(
      `Cannot set --memory-reservation to ${options.memoryReservation}: it is above --memory, ${options.memory}`,
    );
  const swappiness =
    options.memorySwappiness === undefined
      ? -1
      : parseInteger(options.memorySwappiness, "--memory-swappiness", -1, 100);
  const disable = options.oomKillDisable === true;
  if (limit === undefined && reservation === undefined && swappiness < 0 && !disable) return undefined;
  return {
    limit: limit === 0n ? undefined : limit,
    swap,
    reservation: reservation === 0n ? undefined : reservation,
    ...(swappiness >= 0 && { swappiness }),
    ...(disable && { disableOOMKiller: true }),
  };
}

function cpu(options: ContainerOptions): CpuResources {
  const list = (text: string | undefined, what: string): string | undefined => {
    if (text === undefined || text === "") return undefined;
    if (!/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(text))
      throw invalidArgument(`Cannot parse ${what} "${text}": it is not a list such as 0-2,4`);
    return text;
  };
  const number = (value: number | undefined, what: string, min: number, max: number): bigint | undefined =>
    value === undefined || value === 0 ? undefined : BigInt(parseInteger(value, what, min, max));
  const ofCpus = options.cpus === undefined ? 0 : parseCpus(options.cpus, "--cpus");
  const quota = number(options.cpuQuota, "--cpu-quota", -1, Number.MAX_SAFE_INTEGER);
  const period = number(options.cpuPeriod, "--cpu-period", 1000, 1_000_000);
  if (ofCpus > 0 && (quota !== undefined || period !== undefined))
    throw invalidArgument("Cannot set --cpus with --cpu-quota or --cpu-period: both say the same");
  if (quota !== undefined && quota > 0n && quota < 1000n)
    throw invalidArgument(`Cannot set --cpu-quota to ${quota}: the kernel's smallest is 1000 microseconds`);
  return {
    shares: options.cpuShares === undefined || options.cpuShares === 0 ? undefined : BigInt(options.cpuShares),
    quota: ofCpus === 0 ? quota : BigInt(ofCpus),
    period: ofCpus === 0 ? period : 100_000n,
    realtimeRuntime: number(options.cpuRtRuntime, "--cpu-rt-runtime", -1, Number.MAX_SAFE_INTEGER),
    realtimePeriod: number(options.cpuRtPeriod, "--cpu-rt-period", 1, Number.MAX_SAFE_INTEGER),
    cpus: list(options.cpusetCpus, "--cpuset-cpus"),
    mems: list(options.cpusetMems, "--cpuset-mems"),
  };
}

function blockIo(options: ContainerOptions): BlockIoResources | undefined {
  const weight =
    options.blkioWeight === undefined || options.blkioWeight === 0
      ? undefined
      : parseInteger(options.blkioWeight, "--blkio-weight", 10, 1000);
  const rates = (list: readonly DeviceRate[] | undefined, what: string): BlockIoResources["throttleReadBpsDevice"] =>
    (list ?? []).map(({ path, rate }) => ({ ...blockDevice(path, what), rate: BigInt(parseBytes(rate, what)) }));
  const resources: BlockIoResources = {
    weight,
    weightDevice: (options.blkioWeightDevices ?? []).map(({ path, rate }) => ({
      ...blockDevice(path, "--blkio-weight-device"),
      weight: parseInteger(rate, "--blkio-weight-device", 10, 1000),
    })),
    throttleReadBpsDevice: rates(options.deviceReadBps, "--device-read-bps"),
    throttleWriteBpsDevice: rates(options.deviceWriteBps, "--device-write-bps"),
    throttleReadIOPSDevice: rates(options.deviceReadIops, "--device-read-iops"),
    throttleWriteIOPSDevice: rates(options.deviceWriteIops, "--device-write-iops"),
  };
  const none = Object.values(resources).every((v) => v === undefined || (Array.isArray(v) && v.length === 0));
  return none ? undefined : resources;
}

const blockFormat = 0o060000;

function blockDevice(path: string, what: string): { readonly major: number; readonly minor: number } {
  let status;
  try {
    status = statSync(path);
  } catch (error) {
    throw invalidArgument(`Cannot set ${what} of "${path}": it is not there`, { path, cause: error });
  }
  if ((status.mode & 0o170000) !== blockFormat)
    throw invalidArgument(`Cannot set ${what} of "${path}": it is no block device`, { path });
  // The numbers as glibc's makedev puts them together.
  const device = BigInt(status.rdev);
  return {
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n)),
  };
}

/** `TYPE MAJOR:MINOR ACCESS`, as the kernel's own device list has it. */
function parseDeviceRule(text: string): DeviceRule {
  const [, type, major, minor, access] = /^([abc]) (\d{1,8}|\*):(\d{1,8}|\*) ([rwm]{1,3})$/.exec(text) ?? [];
  if (type === undefined)
    throw invalidArgument(`Cannot parse --device-cgroup-rule "${text}": it is not TYPE MAJOR:MINOR ACCESS`, {
      remedy: 'Write e.g. "c 42:* rmw"',
    });
  const number = (word: string | undefined): number | undefined => (word === "*" ? undefined : Number(word));
  return {
    allow: true,
    type: type as "a" | "b" | "c",
    major: number(major),
    minor: number(minor),
    access: ["r", "w", "m"].filter((letter) => access?.includes(letter)).join(""),
  };
}
