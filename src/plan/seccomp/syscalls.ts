import { aarch64Syscalls } from "./syscalls-aarch64.ts";
import { i386Syscalls } from "./syscalls-i386.ts";
import { x8664Syscalls } from "./syscalls-x86-64.ts";

/** What the kernel calls an architecture in seccomp_data (AUDIT_ARCH_*), and how its system calls are numbered. */
export interface SyscallAbi {
  /** Name in profiles, e.g. `SCMP_ARCH_X86_64`. */
  readonly name: string;
  /** AUDIT_ARCH_*, from include/uapi/linux/audit.h. */
  readonly token: number;
  /** x32 shares its token with x86-64 and marks its numbers with this bit; 0 elsewhere. */
  readonly bit: number;
  /** Arguments are compared in their low 32 bits only. */
  readonly narrow: boolean;
  /** Name → number, without the bit. */
  readonly numbers: () => ReadonlyMap<string, number>;
}

/** `read write @5 fstat`: names in the order of their numbers from 0; `@5` says the next number after a gap. */
function parseSyscalls(text: string): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  let next = 0;
  for (const word of text.trim().split(/\s+/))
    if (word.startsWith("@")) next = Number(word.slice(1));
    else numbers.set(word, next++);
  return numbers;
}

function lazy(make: () => ReadonlyMap<string, number>): () => ReadonlyMap<string, number> {
  let made: ReadonlyMap<string, number> | undefined;
  return () => (made ??= make());
}

/** x32 has numbers of its own for calls whose structures differ, from 512 on; it has no others of x86-64's. */
const x32Own =
  "@512 rt_sigaction rt_sigreturn ioctl readv writev recvfrom sendmsg recvmsg execve ptrace rt_sigpending " +
  "rt_sigtimedwait rt_sigqueueinfo sigaltstack timer_create mq_notify kexec_load waitid set_robust_list " +
  "get_robust_list vmsplice move_pages preadv pwritev rt_tgsigqueueinfo recvmmsg sendmmsg process_vm_readv " +
  "process_vm_writev setsockopt getsockopt io_setup io_submit execveat preadv2 pwritev2";
const x32Missing =
  "uselib _sysctl create_module get_kernel_syms query_module nfsservctl set_thread_area get_thread_area " +
  "epoll_ctl_old epoll_wait_old vserver uretprobe uprobe map_shadow_stack";

const x8664 = lazy(() => parseSyscalls(x8664Syscalls));

function x32(): ReadonlyMap<string, number> {
  const numbers = new Map(x8664());
  for (const name of x32Missing.split(" ")) numbers.delete(name);
  for (const [name, number] of parseSyscalls(x32Own)) numbers.set(name, number);
  return numbers;
}

export const abiX8664: SyscallAbi = {
  name: "SCMP_ARCH_X86_64",
  token: 0xc000_003e,
  bit: 0,
  narrow: false,
  numbers: x8664,
};
export const abiX32: SyscallAbi = {
  name: "SCMP_ARCH_X32",
  token: 0xc000_003e,
  bit: 0x4000_0000,
  narrow: true,
  numbers: lazy(x32),
};
export const abiI386: SyscallAbi = {
  name: "SCMP_ARCH_X86",
  token: 0x4000_0003,
  bit: 0,
  narrow: true,
  numbers: lazy(() => parseSyscalls(i386Syscalls)),
};
export const abiAarch64: SyscallAbi = {
  name: "SCMP_ARCH_AARCH64",
  token: 0xc000_00b7,
  bit: 0,
  narrow: false,
  numbers: lazy(() => parseSyscalls(aarch64Syscalls)),
};
