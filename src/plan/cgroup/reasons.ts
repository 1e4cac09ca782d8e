import { failedPrecondition, invalidArgument } from "#errdefs";
import type { MemoryResources } from "#spec";
import type { CurrentLimits } from "./current-limits.ts";

/** Why a limit is written, for both versions of cgroups. */
export const whyMemory = "The container may not use more memory than it was given";
export const whyCpu = "The container gets its share of processor time";
export const whyPids = "The container may not fill the host with processes";
export const whyIo = "The container gets its share of the disks";
export const whyHugepages = "The container may not use more huge pages than it was given";
export const whyNetwork = "The container's packets are marked for the host's traffic control";
export const whyRdma = "The container may not use more of the RDMA hardware than it was given";
export const whyDevices = "A container may use no device of the host but those that are allowed one by one";

/**
 * The limits of memory, and of memory and swap together, as they are to be written: undefined for one that is not (zero
 * is "not set" to all runtimes), -1 for unlimited. Memory without limit takes swap's limit with it.
 */
export function memoryLimits(memory: MemoryResources): {
  readonly limit: bigint | undefined;
  readonly swap: bigint | undefined;
} {
  const set = (value: bigint | undefined): bigint | undefined => {
    if (value === undefined || value === 0n) return undefined;
    return value < 0n ? -1n : value;
  };
  const limit = set(memory.limit);
  const swap = set(memory.swap) ?? (limit === -1n ? -1n : undefined);
  if (swap === undefined || swap < 0n) return { limit, swap };
  if (limit === undefined) throw invalidArgument("Cannot limit swap: memory and swap together need a memory limit too");
  if (swap < limit)
    throw invalidArgument(
      `Cannot limit swap to "${swap}": memory and swap together are below the memory limit ${limit}`,
    );
  return { limit, swap };
}

/** What the kernel has given up, and no runtime sets any more. */
export function warnOfMemory(memory: MemoryResources, warnings: string[]): void {
  if (memory.kernel !== undefined || memory.kernelTCP !== undefined)
    warnings.push("The kernel memory limit is left out, because the kernel counts it as the container's memory anyway");
  if (memory.useHierarchy === false)
    warnings.push("The memory of child groups is counted all the same: the kernel knows no other way");
}

/** `checkBeforeUpdate`: v1 refuses by itself to go below what is in use, v2 would kill processes. */
export function checkUsage(limit: bigint | undefined, swap: bigint | undefined, { memoryUsage }: CurrentLimits): void {
  for (const value of [limit, swap])
    if (value !== undefined && value >= 0n && value <= memoryUsage)
      throw failedPrecondition(`Cannot limit memory to "${value}": ${memoryUsage} bytes are in use`);
}

/**
 * `pids.max`, of both versions. None at all (0) is written as one: the container's own process, which is there before it
 * joins, is then all that there can be.
 */
export function pidsMax(limit: bigint): string {
  if (limit < 0n) return "max";
  return limit === 0n ? "1" : String(limit);
}

/** One line of rdma.max, of both versions. A device's name goes into a line of several words. */
export function rdmaLine(
  name: string,
  { hcaHandles, hcaObjects }: { readonly hcaHandles?: number | undefined; readonly hcaObjects?: number | undefined },
): string {
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(name)) throw invalidArgument(`Cannot limit RDMA device "${name}": it is no name`);
  if (hcaHandles === undefined && hcaObjects === undefined)
    throw invalidArgument(`Cannot limit RDMA device "${name}": neither handles nor objects are given`);
  const parts = [name];
  if (hcaHandles !== undefined) parts.push(`hca_handle=${hcaHandles}`);
  if (hcaObjects !== undefined) parts.push(`hca_object=${hcaObjects}`);
  return parts.join(" ");
}
