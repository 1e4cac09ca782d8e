/** Figures of a cgroup as the CRI has them. */
import type { GroupUsage, Pressure, PressureLine } from "#host";

const value = (amount: bigint): { readonly value: bigint } => ({ value: amount });

/** The CPU's, and how fast it grows. */
export function cpuUsage({ cpu, pressure }: GroupUsage, nanoCores: bigint | undefined, timestamp: bigint) {
  return {
    timestamp,
    ...(cpu !== undefined && { usageCoreNanoSeconds: value(cpu) }),
    ...(nanoCores !== undefined && { usageNanoCores: value(nanoCores) }),
    ...(pressure.cpu && { psi: psi(pressure.cpu) }),
  };
}

export function memoryUsage({ memory, pressure }: GroupUsage, timestamp: bigint) {
  return {
    timestamp,
    ...(memory && {
      workingSetBytes: value(memory.workingSet),
      usageBytes: value(memory.usage),
      rssBytes: value(memory.rss),
      pageFaults: value(memory.pageFaults),
      majorPageFaults: value(memory.majorPageFaults),
      ...(memory.limit !== undefined && {
        availableBytes: value(memory.limit > memory.workingSet ? memory.limit - memory.workingSet : 0n),
      }),
    }),
    ...(pressure.memory && { psi: psi(pressure.memory) }),
  };
}

/** Undefined where the kernel does not count swap. */
export function swapUsage({ swap }: GroupUsage, timestamp: bigint) {
  if (swap === undefined) return undefined;
  const { usage, limit } = swap;
  return {
    timestamp,
    swapUsageBytes: value(usage),
    ...(limit !== undefined && { swapAvailableBytes: value(limit > usage ? limit - usage : 0n) }),
  };
}

/** Undefined where the kernel tells no pressure, which is all that there is of it. */
export function ioUsage({ pressure: { io } }: GroupUsage, timestamp: bigint) {
  return io === undefined ? undefined : { timestamp, psi: psi(io) };
}

/** The kernel counts in microseconds. */
const line = ({ total, avg10, avg60, avg300 }: PressureLine) => ({
  Total: total * 1000n,
  Avg10: avg10,
  Avg60: avg60,
  Avg300: avg300,
});

const psi = ({ some, full }: Pressure) => ({ Some: line(some), Full: line(full) });
