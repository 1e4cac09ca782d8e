/** Names by number, from include/uapi/linux/capability.h. */
const names: readonly string[] = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_DAC_READ_SEARCH",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETPCAP",
  "CAP_LINUX_IMMUTABLE",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_BROADCAST",
  "CAP_NET_ADMIN",
  "CAP_NET_RAW",
  "CAP_IPC_LOCK",
  "CAP_IPC_OWNER",
  "CAP_SYS_MODULE",
  "CAP_SYS_RAWIO",
  "CAP_SYS_CHROOT",
  "CAP_SYS_PTRACE",
  "CAP_SYS_PACCT",
  "CAP_SYS_ADMIN",
  "CAP_SYS_BOOT",
  "CAP_SYS_NICE",
  "CAP_SYS_RESOURCE",
  "CAP_SYS_TIME",
  "CAP_SYS_TTY_CONFIG",
  "CAP_MKNOD",
  "CAP_LEASE",
  "CAP_AUDIT_WRITE",
  "CAP_AUDIT_CONTROL",
  "CAP_SETFCAP",
  "CAP_MAC_OVERRIDE",
  "CAP_MAC_ADMIN",
  "CAP_SYSLOG",
  "CAP_WAKE_ALARM",
  "CAP_BLOCK_SUSPEND",
  "CAP_AUDIT_READ",
  "CAP_PERFMON",
  "CAP_BPF",
  "CAP_CHECKPOINT_RESTORE",
];

const numbers: ReadonlyMap<string, number> = new Map(names.map((name, number) => [name, number]));

/** All capabilities that Sampan knows by name, in the order of their numbers. */
export const capabilityNames: readonly string[] = names;

/** `CAP_CHOWN` → 0; undefined for a name that Sampan does not know. */
export const capabilityNumber = (name: string): number | undefined => numbers.get(name);

/** Names of the capabilities in a mask; a number without a name is written `CAP_63`. */
export function capabilitiesOf(mask: bigint): readonly string[] {
  const result: string[] = [];
  for (let number = 0, rest = mask; rest !== 0n; number++, rest >>= 1n)
    if ((rest & 1n) === 1n) result.push(names[number] ?? `CAP_${number}`);
  return result;
}
