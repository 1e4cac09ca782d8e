/**
 * The default seccomp profile: an allow list, equal in effect to Docker's (moby/profiles of 2026). A system call that is
 * not in it fails with EPERM. Not in it, among others: io_uring, keyrings, kexec, userfaultfd, modules; and without
 * CAP_SYS_ADMIN: mounts, namespaces, bpf.
 *
 * 32-bit x86 programs reach sockets of every family by socketcall(2), whose arguments a filter cannot see, but for the
 * number of the call. Docker denied it in April 2026 and took that back a week later, because too many programs need it:
 * those of 32-bit images, above all. So there it is allowed; in any other image socketcall makes no sockets, and AF_ALG
 * is closed to an attacker's own 32-bit program (CVE-2026-31431). Such programs with libraries of today use socket(2).
 */
import type { SeccompCondition, SeccompFile, SeccompFileRule, SeccompFilter, SeccompProfile } from "#spec";
import { capabilityNames } from "../tables/capabilities.ts";
import { resolveSeccompFile, type SeccompContext } from "./resolve.ts";

const always = `
accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod chown chown32 clock_adjtime
clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1
epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit
exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2
fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat
fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait
futex_waitv futex_wake futimesat get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid getegid32
geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid getppid
getpriority getrandom getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid getsockname getsockopt
gettid gettimeofday getuid getuid32 getxattr getxattrat inotify_add_watch inotify_init inotify_init1
inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit ioctl
ioprio_get ioprio_set ipc kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lchown32
lgetxattr link linkat listen listmount listxattr listxattrat llistxattr _llseek lremovexattr lseek lsetxattr lstat
lstat64 madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock
mlock2 mlockall mmap mmap2 mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64
mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall munmap
name_to_handle_at nanosleep newfstatat _newselect open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2
pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64 process_mrelease
pselect6 pselect6_time64 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recvfrom recvmmsg
recvmmsg_time64 recvmsg remap_file_pages removexattr removexattrat rename renameat renameat2 restart_syscall rmdir
rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity
sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity
sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop
semtimedop_time64 sendfile sendfile64 sendmmsg sendmsg sendto set_robust_list set_thread_area set_tid_address
setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setitimer setpgid setpriority setregid
setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit setsid setsockopt setuid
setuid32 setxattr setxattrat shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 sigprocmask sigreturn
socketpair splice stat stat64 statfs statfs64 statmount statx symlink symlinkat sync sync_file_range
syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64
timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64
times tkill truncate truncate64 ugetrlimit umask uname unlink unlinkat uretprobe utime utimensat utimensat_time64
utimes vfork vmsplice wait4 waitid waitpid write writev
`;

/**
 * Socket families that may be used: 0 to 11, and these. Left out are 38 (AF_ALG: the kernel's cryptography, a large and
 * often vulnerable interface), 40 (AF_VSOCK: the way from a virtual machine to its host) and families that nobody uses.
 * They are named one by one, because the kernel takes only the low 32 bits of the argument: a condition such as "above 40"
 * would let 2^32+38 through.
 */
const families = [13, 14, 15, 16, 17, 18, 21, 22, 24, 26, 27, 28, 29, 30, 31, 32, 33, 35, 36, 39, 41, 42, 43, 44, 45];

/** Personalities: Linux, 32 bits (8), fake version 2.6 (0x20000), both, and asking for the present one. */
const personalities = [0, 8, 0x20000, 0x20008, 0xffffffff];

/** CLONE_NEW* in the flags of clone(2), but for CLONE_NEWTIME, which clone does not take. */
const newNamespaces = 0x7e02_0000n;

/** socket(2) among the calls of socketcall(2) (linux/net.h). */
const socketcallSocket = 1n;

const enosys = 38;
const none: SeccompFilter = { caps: [], arches: [] };

interface Extra {
  readonly args?: readonly SeccompCondition[];
  readonly includes?: SeccompFilter;
  readonly excludes?: SeccompFilter;
}

const allow = (names: string, { args = [], includes = none, excludes = none }: Extra = {}): SeccompFileRule => ({
  names: names.trim().split(/\s+/),
  action: "SCMP_ACT_ALLOW",
  args,
  includes,
  excludes,
});
const withCapability = (capability: string, names: string): SeccompFileRule =>
  allow(names, { includes: { caps: [capability], arches: [] } });
const compare = (op: SeccompCondition["op"], value: bigint, valueTwo = 0n): readonly SeccompCondition[] => [
  { index: 0, op, value, valueTwo },
];
const withoutAdmin: SeccompFilter = { caps: ["CAP_SYS_ADMIN"], arches: [] };

const file: SeccompFile = {
  defaultAction: "SCMP_ACT_ERRNO",
  defaultErrnoRet: 1,
  architectures: [],
  archMap: [
    { architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"] },
    { architecture: "SCMP_ARCH_AARCH64", subArchitectures: ["SCMP_ARCH_ARM"] },
  ],
  syscalls: [
    allow(always),
    // Before Linux 4.8 ptrace could step around a filter.
    allow("process_vm_readv process_vm_writev ptrace", { includes: { caps: [], arches: [], minKernel: [4, 8] } }),
    allow("socketcall", { args: compare("SCMP_CMP_NE", socketcallSocket) }),
    allow("socket", { args: compare("SCMP_CMP_LT", 12n) }),
    ...families.map((family) => allow("socket", { args: compare("SCMP_CMP_EQ", BigInt(family)) })),
    ...personalities.map((value) => allow("personality", { args: compare("SCMP_CMP_EQ", BigInt(value)) })),
    allow("arch_prctl modify_ldt", { includes: { caps: [], arches: ["amd64"] } }),
    withCapability("CAP_DAC_READ_SEARCH", "open_by_handle_at"),
    withCapability(
      "CAP_SYS_ADMIN",
      `bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules
       lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname
       sethostname setns syslog umount umount2 unshare`,
    ),
    allow("clone", { args: compare("SCMP_CMP_MASKED_EQ", newNamespaces), excludes: withoutAdmin }),
    // Its flags lie behind a pointer, which a filter cannot follow. ENOSYS makes C libraries fall back to clone.
    { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: enosys, args: [], includes: none, excludes: withoutAdmin },
    withCapability("CAP_SYS_BOOT", "reboot"),
    withCapability("CAP_SYS_CHROOT", "chroot"),
    withCapability("CAP_SYS_MODULE", "delete_module finit_module init_module"),
    withCapability("CAP_SYS_PACCT", "acct"),
    withCapability("CAP_SYS_PTRACE", "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace"),
    withCapability("CAP_SYS_RAWIO", "ioperm iopl"),
    withCapability("CAP_SYS_TIME", "clock_settime clock_settime64 settimeofday stime"),
    withCapability("CAP_SYS_TTY_CONFIG", "vhangup"),
    withCapability("CAP_SYS_NICE", "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"),
    withCapability("CAP_SYSLOG", "syslog"),
    withCapability("CAP_BPF", "bpf"),
    withCapability("CAP_PERFMON", "perf_event_open"),
  ],
};

const file32: SeccompFile = { ...file, syscalls: [...file.syscalls, allow("socketcall")] };

/**
 * The default profile for a container.
 *
 * @param context its bounding set (a capability opens the calls that need it), its image's kind, and the host's
 * architecture and kernel
 */
export function defaultSeccompProfile(context: SeccompContext): SeccompProfile {
  const { architecture, kernel, image32 = false, capabilities } = context;
  const profile = resolveSeccompFile(image32 ? file32 : file, context);
  const mask = capabilityNames.reduce(
    (sum, name, bit) => sum | (capabilities.includes(name) ? 1n << BigInt(bit) : 0n),
    0n,
  );
  const name = [
    "default",
    profileVersion,
    architecture,
    kernel.join("."),
    ...(image32 ? ["32"] : []),
    mask.toString(16),
  ];
  names.set(profile, name.join("-"));
  return profile;
}

/** Raised with every change of the profiles: a test knows their digest. */
export const profileVersion = 1;

const names = new WeakMap<SeccompProfile, string>();

/**
 * Of a profile that {@link defaultSeccompProfile} gave: what it was made from, in letters that a file's name can have. The same
 * name always stands for the same profile, so that nobody has to digest it. Undefined for any other profile.
 */
export const defaultProfileName = (profile: SeccompProfile): string | undefined => names.get(profile);
