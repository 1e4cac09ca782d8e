import { invalidArgument } from "#errdefs";
import type { MemoryResources } from "#spec";

/** Why a limit is written, for both versions of cgroups. */
export const whyMemory = "The container may not use more memory than it was given";
export const whyCpu = "The container gets its share of processor time";
export const whyPids = "The container may not fill the host with processes";
export const whyIo = "The container gets its share of the disks";
export const whyHugepages = "The container may not use more huge pages than it was given";
export const whyNetwork = "The container's packets are marked for the host's traffic control";
export const whyRdma = "The container may not use more of the RDMA hardware than it was given";
export const whyDevices = "A container may use no device of the host but those that are allowed one by one";

/** Memory and swap together cannot be less than memory alone. */
export function checkSwap({ limit, swap }: MemoryResources): void {
  if (swap === undefined || swap <= 0n) return;
  if (limit === undefined || limit === 0n)
    throw invalidArgument("Cannot limit swap: memory and swap together need a memory limit too");
  if (limit < 0n || swap < limit)
    throw invalidArgument(
      `Cannot limit swap to "${swap}": memory and swap together are below the memory limit ${limit}`,
    );
}
