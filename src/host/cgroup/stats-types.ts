/** What a container uses, of cgroup v1 or v2. Amounts are bigint: some counters pass 2^53, and "no limit" is 2^64-1. */
export interface CgroupStats {
  readonly cpu: CpuStats;
  /** Undefined on v2, and without the controller. */
  readonly cpuset?: CpusetStats | undefined;
  readonly memory: MemoryStats;
  readonly pids: {
    readonly current: bigint;
    /** 0 for none. */
    readonly limit: bigint;
  };
  readonly blkio: BlkioStats;
  /** By size, e.g. `2MB`. */
  readonly hugetlb: ReadonlyMap<string, HugetlbStats>;
}

/** Times in nanoseconds. */
export interface CpuStats {
  readonly total: bigint;
  readonly user: bigint;
  readonly kernel: bigint;
  /** v1 only, like the next two. */
  readonly percpu: readonly bigint[];
  readonly percpuUser: readonly bigint[];
  readonly percpuKernel: readonly bigint[];
  readonly periods: bigint;
  readonly throttledPeriods: bigint;
  readonly throttledTime: bigint;
  readonly psi?: Pressure | undefined;
}

export interface CpusetStats {
  readonly cpus: readonly number[];
  readonly mems: readonly number[];
  /** Files of single numbers by their names: `cpu_exclusive`, `mem_hardwall` … */
  readonly flags: ReadonlyMap<string, bigint>;
}

/** Bytes. */
export interface MemoryStats {
  readonly cache: bigint;
  readonly usage: MemoryCounter;
  /** Memory and swap together. */
  readonly swap: MemoryCounter;
  readonly kernel: MemoryCounter;
  readonly kernelTCP: MemoryCounter;
  /** memory.stat */
  readonly raw: ReadonlyMap<string, bigint>;
  readonly psi?: Pressure | undefined;
}

export interface MemoryCounter {
  readonly usage: bigint;
  /** Most that was ever in use. */
  readonly max: bigint;
  /** How often the limit was hit. */
  readonly failcnt: bigint;
  readonly limit: bigint;
}

export interface BlkioStats {
  readonly serviceBytes: readonly BlkioEntry[];
  readonly serviced: readonly BlkioEntry[];
  readonly queued: readonly BlkioEntry[];
  readonly serviceTime: readonly BlkioEntry[];
  readonly waitTime: readonly BlkioEntry[];
  readonly merged: readonly BlkioEntry[];
  readonly time: readonly BlkioEntry[];
  readonly sectors: readonly BlkioEntry[];
  readonly psi?: Pressure | undefined;
}

export interface BlkioEntry {
  readonly major: bigint;
  readonly minor: bigint;
  /** `Read`, `Write`, `Total` …; empty where the kernel gives none. */
  readonly op: string;
  readonly value: bigint;
}

export interface HugetlbStats {
  readonly usage: bigint;
  readonly max: bigint;
  readonly failcnt: bigint;
}

/** Pressure stall information: the share of time, in percent, that some or all processes waited. */
export interface Pressure {
  readonly some: PressureLine;
  readonly full: PressureLine;
}

export interface PressureLine {
  readonly avg10: number;
  readonly avg60: number;
  readonly avg300: number;
  /** Microseconds. */
  readonly total: bigint;
}
