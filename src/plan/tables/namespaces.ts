import type { NamespaceType } from "#spec";

/** CLONE_NEW* flags, from include/uapi/linux/sched.h. */
export const namespaceFlags: Readonly<Record<NamespaceType, bigint>> = {
  time: 0x80n,
  mount: 0x2_0000n,
  cgroup: 0x200_0000n,
  uts: 0x400_0000n,
  ipc: 0x800_0000n,
  user: 0x1000_0000n,
  pid: 0x2000_0000n,
  network: 0x4000_0000n,
};

/** Names of the namespaces in a set of CLONE_NEW* flags, in the order in which people name them. */
export function namespacesOf(flags: bigint): readonly NamespaceType[] {
  const order: readonly NamespaceType[] = ["user", "pid", "network", "mount", "ipc", "uts", "cgroup", "time"];
  return order.filter((type) => (flags & namespaceFlags[type]) !== 0n);
}
