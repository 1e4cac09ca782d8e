/** Names by number, from include/uapi/asm-generic/resource.h; the same on x86-64 and arm64. */
const names: readonly string[] = [
  "RLIMIT_CPU",
  "RLIMIT_FSIZE",
  "RLIMIT_DATA",
  "RLIMIT_STACK",
  "RLIMIT_CORE",
  "RLIMIT_RSS",
  "RLIMIT_NPROC",
  "RLIMIT_NOFILE",
  "RLIMIT_MEMLOCK",
  "RLIMIT_AS",
  "RLIMIT_LOCKS",
  "RLIMIT_SIGPENDING",
  "RLIMIT_MSGQUEUE",
  "RLIMIT_NICE",
  "RLIMIT_RTPRIO",
  "RLIMIT_RTTIME",
];

export const rlimitNames: readonly string[] = names;

/** `RLIMIT_NOFILE` → 7; undefined for an unknown name. */
export function rlimitNumber(name: string): number | undefined {
  const number = names.indexOf(name);
  return number === -1 ? undefined : number;
}

/** 7 → `RLIMIT_NOFILE` */
export const rlimitName = (number: number): string => names[number] ?? `RLIMIT_${number}`;

/** RLIM_INFINITY */
export const unlimited = 0xffff_ffff_ffff_ffffn;
