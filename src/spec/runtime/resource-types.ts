/** config-linux.md#control-groups: limits of a container. What is undefined is left as the kernel has it. */
export interface Resources {
  readonly devices: readonly DeviceRule[];
  readonly memory?: MemoryResources | undefined;
  readonly cpu?: CpuResources | undefined;
  readonly pids?: { readonly limit: bigint } | undefined;
  readonly blockIO?: BlockIoResources | undefined;
  readonly hugepageLimits: readonly HugepageLimit[];
  readonly network?: NetworkResources | undefined;
  /** By device name. */
  readonly rdma: ReadonlyMap<string, RdmaLimit>;
  /** cgroup v2 file name → content. */
  readonly unified: ReadonlyMap<string, string>;
}

/** One rule of the device allow list; later rules win. */
export interface DeviceRule {
  readonly allow: boolean;
  /** `a` is all devices. */
  readonly type: "a" | "c" | "b";
  /** Undefined for all. */
  readonly major?: number | undefined;
  /** Undefined for all. */
  readonly minor?: number | undefined;
  /** Some of `r` (read), `w` (write) and `m` (mknod), in that order. */
  readonly access: string;
}

/** Bytes, -1 for unlimited. */
export interface MemoryResources {
  readonly limit?: bigint | undefined;
  readonly reservation?: bigint | undefined;
  /** Memory and swap together. */
  readonly swap?: bigint | undefined;
  /** No kernel limits it any more. */
  readonly kernel?: bigint | undefined;
  /** Likewise. */
  readonly kernelTCP?: bigint | undefined;
  readonly swappiness?: number | undefined;
  readonly disableOOMKiller?: boolean | undefined;
  readonly useHierarchy?: boolean | undefined;
  /** Refuse a new limit that is below what is in use. */
  readonly checkBeforeUpdate?: boolean | undefined;
}

export interface CpuResources {
  readonly shares?: bigint | undefined;
  /** Microseconds in each period, -1 for unlimited. */
  readonly quota?: bigint | undefined;
  /** Microseconds. */
  readonly period?: bigint | undefined;
  /** Microseconds. */
  readonly burst?: bigint | undefined;
  readonly realtimeRuntime?: bigint | undefined;
  readonly realtimePeriod?: bigint | undefined;
  readonly cpus?: string | undefined;
  readonly mems?: string | undefined;
  readonly idle?: number | undefined;
}

export interface BlockIoResources {
  readonly weight?: number | undefined;
  readonly leafWeight?: number | undefined;
  readonly weightDevice: readonly WeightDevice[];
  readonly throttleReadBpsDevice: readonly ThrottleDevice[];
  readonly throttleWriteBpsDevice: readonly ThrottleDevice[];
  readonly throttleReadIOPSDevice: readonly ThrottleDevice[];
  readonly throttleWriteIOPSDevice: readonly ThrottleDevice[];
}

export interface WeightDevice {
  readonly major: number;
  readonly minor: number;
  readonly weight?: number | undefined;
  readonly leafWeight?: number | undefined;
}

export interface ThrottleDevice {
  readonly major: number;
  readonly minor: number;
  readonly rate: bigint;
}

export interface HugepageLimit {
  /** e.g. `2MB` */
  readonly pageSize: string;
  /** Bytes. */
  readonly limit: bigint;
}

export interface NetworkResources {
  readonly classID?: number | undefined;
  readonly priorities: readonly { readonly name: string; readonly priority: number }[];
}

export interface RdmaLimit {
  readonly hcaHandles?: number | undefined;
  readonly hcaObjects?: number | undefined;
}
