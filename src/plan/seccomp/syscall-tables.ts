/**
 * System calls of all architectures that have seccomp filters, as of Linux 7.1: the names in the order of their numbers from 0.
 * `@5` says the next number after a gap. `first~last` stands for the names from the one to the other in the table `from`
 * in the order of its numbers. A new system call is appended to `x86`, and becomes the end of the others' last range.
 *
 * s390 is as of Linux 6.18, the last with programs of 31 bits. Numbers of mips are without the bases of its three ABIs, those
 * of x32 without its bit; what ARM calls private is not, and starts at 983041.
 */
export const syscallTables = {
  x86: {
    names: `
restart_syscall exit fork read write open close waitpid creat link unlink execve chdir time mknod chmod lchown break
oldstat lseek getpid mount umount setuid getuid stime ptrace alarm oldfstat pause utime stty gtty access nice ftime
sync kill rename mkdir rmdir dup pipe times prof brk setgid getgid signal geteuid getegid acct umount2 lock ioctl
fcntl mpx setpgid ulimit oldolduname umask chroot ustat dup2 getppid getpgrp setsid sigaction sgetmask ssetmask
setreuid setregid sigsuspend sigpending sethostname setrlimit getrlimit getrusage gettimeofday settimeofday getgroups
setgroups select symlink oldlstat readlink uselib swapon reboot readdir mmap munmap truncate ftruncate fchmod fchown
getpriority setpriority profil statfs fstatfs ioperm socketcall syslog setitimer getitimer stat lstat fstat olduname
iopl vhangup idle vm86old wait4 swapoff sysinfo ipc fsync sigreturn clone setdomainname uname modify_ldt adjtimex
mprotect sigprocmask create_module init_module delete_module get_kernel_syms quotactl getpgid fchdir bdflush sysfs
personality afs_syscall setfsuid setfsgid _llseek getdents _newselect flock msync readv writev getsid fdatasync
_sysctl mlock munlock mlockall munlockall sched_setparam sched_getparam sched_setscheduler sched_getscheduler
sched_yield sched_get_priority_max sched_get_priority_min sched_rr_get_interval nanosleep mremap setresuid getresuid
vm86 query_module poll nfsservctl setresgid getresgid prctl rt_sigreturn rt_sigaction rt_sigprocmask rt_sigpending
rt_sigtimedwait rt_sigqueueinfo rt_sigsuspend pread64 pwrite64 chown getcwd capget capset sigaltstack sendfile getpmsg
putpmsg vfork ugetrlimit mmap2 truncate64 ftruncate64 stat64 lstat64 fstat64 lchown32 getuid32 getgid32 geteuid32
getegid32 setreuid32 setregid32 getgroups32 setgroups32 fchown32 setresuid32 getresuid32 setresgid32 getresgid32
chown32 setuid32 setgid32 setfsuid32 setfsgid32 pivot_root mincore madvise getdents64 fcntl64 @224 gettid readahead
setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr removexattr lremovexattr
fremovexattr tkill sendfile64 futex sched_setaffinity sched_getaffinity set_thread_area get_thread_area io_setup
io_destroy io_getevents io_submit io_cancel fadvise64 @252 exit_group lookup_dcookie epoll_create epoll_ctl epoll_wait
remap_file_pages set_tid_address timer_create timer_settime timer_gettime timer_getoverrun timer_delete clock_settime
clock_gettime clock_getres clock_nanosleep statfs64 fstatfs64 tgkill utimes fadvise64_64 vserver mbind get_mempolicy
set_mempolicy mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr kexec_load waitid @286 add_key
request_key keyctl ioprio_set ioprio_get inotify_init inotify_add_watch inotify_rm_watch migrate_pages openat mkdirat
mknodat fchownat futimesat fstatat64 unlinkat renameat linkat symlinkat readlinkat fchmodat faccessat pselect6 ppoll
unshare set_robust_list get_robust_list splice sync_file_range tee vmsplice move_pages getcpu epoll_pwait utimensat
signalfd timerfd_create eventfd fallocate timerfd_settime timerfd_gettime signalfd4 eventfd2 epoll_create1 dup3 pipe2
inotify_init1 preadv pwritev rt_tgsigqueueinfo perf_event_open recvmmsg fanotify_init fanotify_mark prlimit64
name_to_handle_at open_by_handle_at clock_adjtime syncfs sendmmsg setns process_vm_readv process_vm_writev kcmp
finit_module sched_setattr sched_getattr renameat2 seccomp getrandom memfd_create bpf execveat socket socketpair bind
connect listen accept4 getsockopt setsockopt getsockname getpeername sendto sendmsg recvfrom recvmsg shutdown
userfaultfd membarrier mlock2 copy_file_range preadv2 pwritev2 pkey_mprotect pkey_alloc pkey_free statx arch_prctl
io_pgetevents rseq @393 semget semctl shmget shmctl shmat shmdt msgget msgsnd msgrcv msgctl clock_gettime64
clock_settime64 clock_adjtime64 clock_getres_time64 clock_nanosleep_time64 timer_gettime64 timer_settime64
timerfd_gettime64 timerfd_settime64 utimensat_time64 pselect6_time64 ppoll_time64 @416 io_pgetevents_time64
recvmmsg_time64 mq_timedsend_time64 mq_timedreceive_time64 semtimedop_time64 rt_sigtimedwait_time64 futex_time64
sched_rr_get_interval_time64 pidfd_send_signal io_uring_setup io_uring_enter io_uring_register open_tree move_mount
fsopen fsconfig fsmount fspick pidfd_open clone3 close_range openat2 pidfd_getfd faccessat2 process_madvise
epoll_pwait2 mount_setattr quotactl_fd landlock_create_ruleset landlock_add_rule landlock_restrict_self memfd_secret
process_mrelease futex_waitv set_mempolicy_home_node cachestat fchmodat2 map_shadow_stack futex_wake futex_wait
futex_requeue statmount listmount lsm_get_self_attr lsm_set_self_attr lsm_list_modules mseal setxattrat getxattrat
listxattrat removexattrat open_tree_attr file_getattr file_setattr listns rseq_slice_yield
`,
  },
  x86_64: {
    from: "x86",
    names: `
read~close stat fstat lstat poll lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask rt_sigreturn ioctl pread64
pwrite64 readv writev access pipe select sched_yield mremap msync mincore madvise shmget shmat shmctl dup dup2 pause
nanosleep getitimer alarm setitimer getpid sendfile socket connect accept sendto recvfrom sendmsg recvmsg shutdown
bind listen getsockname getpeername socketpair setsockopt getsockopt clone fork vfork execve exit wait4 kill uname
semget semop semctl shmdt~msgctl fcntl flock fsync fdatasync truncate ftruncate getdents getcwd chdir fchdir
rename~rmdir creat~unlink symlink readlink chmod fchmod chown fchown lchown umask gettimeofday getrlimit getrusage
sysinfo times ptrace getuid syslog getgid setuid setgid geteuid getegid setpgid getppid~setsid setreuid setregid
getgroups setgroups setresuid getresuid setresgid getresgid getpgid setfsuid setfsgid getsid capget capset
rt_sigpending~rt_sigsuspend sigaltstack utime mknod uselib personality ustat statfs fstatfs sysfs getpriority
setpriority sched_setparam~sched_getscheduler sched_get_priority_max~sched_rr_get_interval mlock~munlockall vhangup
modify_ldt pivot_root _sysctl prctl arch_prctl adjtimex setrlimit chroot sync acct settimeofday mount umount2 swapon
swapoff reboot sethostname setdomainname iopl ioperm create_module~get_kernel_syms query_module quotactl nfsservctl
getpmsg putpmsg afs_syscall tuxcall security gettid~tkill time futex~set_thread_area io_setup~io_cancel
get_thread_area lookup_dcookie epoll_create epoll_ctl_old epoll_wait_old remap_file_pages getdents64 set_tid_address
restart_syscall semtimedop fadvise64 timer_create~clock_nanosleep exit_group epoll_wait epoll_ctl tgkill utimes
vserver mbind set_mempolicy get_mempolicy mq_open~futimesat newfstatat unlinkat~splice tee sync_file_range vmsplice
move_pages utimensat epoll_pwait signalfd~timerfd_gettime accept4 signalfd4~setns getcpu process_vm_readv~memfd_create
kexec_file_load bpf execveat userfaultfd~statx io_pgetevents rseq uretprobe uprobe @424
pidfd_send_signal~rseq_slice_yield
`,
  },
  x32: {
    from: "x86_64",
    names: `
read~brk @14 rt_sigprocmask @17 pread64 pwrite64 @21 access~sendto @48 shutdown~socketpair @56 clone~vfork @60
exit~times @102 getuid~capset @130 rt_sigsuspend @132 utime mknod @135 personality~pivot_root @157 prctl~ioperm @175
init_module delete_module @179 quotactl @181 getpmsg~sched_getaffinity @207 io_destroy io_getevents @210 io_cancel
@212 lookup_dcookie epoll_create @216 remap_file_pages~fadvise64 @223 timer_settime~utimes @237 mbind~mq_timedreceive
@245 mq_getsetattr @248 add_key~unshare @275 splice~sync_file_range @280 utimensat~inotify_init1 @298 perf_event_open
@300 fanotify_init~syncfs @308 setns getcpu @312 kcmp~bpf @323 userfaultfd~copy_file_range @329 pkey_mprotect~rseq
@424 pidfd_send_signal~fchmodat2 @454 futex_wake~rseq_slice_yield @512 rt_sigaction rt_sigreturn ioctl readv writev
recvfrom~recvmsg execve ptrace rt_sigpending~rt_sigqueueinfo sigaltstack timer_create mq_notify kexec_load waitid
set_robust_list get_robust_list vmsplice move_pages preadv~rt_tgsigqueueinfo recvmmsg sendmmsg process_vm_readv
process_vm_writev setsockopt getsockopt io_setup io_submit execveat preadv2 pwritev2
`,
  },
  arm: {
    from: "x86",
    names: `
restart_syscall~close @8 creat~chdir @14 mknod~lchown @19 lseek~mount @23 setuid getuid @26 ptrace @29 pause @33
access nice @36 sync~times @45 brk~getgid @49 geteuid~umount2 @54 ioctl fcntl @57 setpgid @60 umask~sigaction @70
setreuid~setrlimit @77 getrusage~setgroups @83 symlink @85 readlink~reboot @91 munmap~setpriority @99 statfs fstatfs
@103 syslog~fstat @111 vhangup @114 wait4~sysinfo @118 fsync~uname @124 adjtimex~sigprocmask @128 init_module
delete_module @131 quotactl~personality @138 setfsuid~getresuid @168 poll~sendfile @190 vfork~setfsgid32 getdents64
pivot_root~madvise fcntl64 @224 gettid~sched_getaffinity io_setup~io_cancel exit_group~remap_file_pages @256
set_tid_address~utimes arm_fadvise64_64 pciconfig_iobase pciconfig_read pciconfig_write mq_open~mq_getsetattr waitid
socket bind~listen accept getsockname getpeername socketpair send sendto recv recvfrom shutdown setsockopt getsockopt
sendmsg recvmsg semop semget semctl msgsnd msgrcv msgget msgctl shmat shmdt shmget shmctl add_key~keyctl semtimedop
vserver ioprio_set~inotify_rm_watch mbind~set_mempolicy openat~splice arm_sync_file_range tee~epoll_pwait kexec_load
utimensat~recvmmsg accept4 fanotify_init~execveat userfaultfd~statx rseq io_pgetevents migrate_pages kexec_file_load
@403 clock_gettime64~ppoll_time64 @416 io_pgetevents_time64~landlock_restrict_self @448
process_mrelease~rseq_slice_yield @983041 breakpoint cacheflush usr26 usr32 set_tls get_tls
`,
  },
  aarch64: {
    from: "x86",
    names: `
io_setup io_destroy io_submit io_cancel io_getevents setxattr~fremovexattr getcwd lookup_dcookie eventfd2
epoll_create1 epoll_ctl epoll_pwait dup dup3 fcntl inotify_init1 inotify_add_watch inotify_rm_watch ioctl ioprio_set
ioprio_get flock mknodat mkdirat unlinkat symlinkat linkat renameat umount2 mount pivot_root nfsservctl statfs fstatfs
truncate ftruncate fallocate faccessat chdir fchdir chroot fchmod fchmodat fchownat fchown openat close vhangup pipe2
quotactl getdents64 lseek read write readv writev pread64 pwrite64 preadv pwritev sendfile pselect6 ppoll signalfd4
vmsplice splice tee readlinkat newfstatat fstat sync fsync fdatasync sync_file_range timerfd_create timerfd_settime
timerfd_gettime utimensat acct capget capset personality exit exit_group waitid set_tid_address unshare futex
set_robust_list get_robust_list nanosleep getitimer setitimer kexec_load init_module delete_module timer_create
timer_gettime timer_getoverrun timer_settime timer_delete~clock_nanosleep syslog ptrace sched_setparam
sched_setscheduler sched_getscheduler sched_getparam sched_setaffinity sched_getaffinity
sched_yield~sched_rr_get_interval restart_syscall kill tkill tgkill sigaltstack rt_sigsuspend
rt_sigaction~rt_sigqueueinfo rt_sigreturn setpriority getpriority reboot setregid setgid setreuid setuid setresuid
getresuid setresgid getresgid setfsuid setfsgid times setpgid getpgid getsid setsid getgroups setgroups uname
sethostname setdomainname getrlimit setrlimit getrusage umask prctl getcpu gettimeofday settimeofday adjtimex getpid
getppid getuid geteuid getgid getegid gettid sysinfo mq_open~mq_getsetattr msgget msgctl msgrcv msgsnd semget semctl
semtimedop semop shmget~shmdt socket~bind listen accept connect getsockname~sendto recvfrom setsockopt getsockopt
shutdown sendmsg recvmsg readahead brk munmap mremap add_key~keyctl clone execve mmap fadvise64 swapon swapoff
mprotect msync mlock~munlockall mincore madvise remap_file_pages mbind~set_mempolicy migrate_pages move_pages
rt_tgsigqueueinfo perf_event_open accept4 recvmmsg @260 wait4 prlimit64 fanotify_init fanotify_mark
name_to_handle_at~syncfs setns sendmmsg process_vm_readv~execveat userfaultfd~statx io_pgetevents rseq kexec_file_load
@424 pidfd_send_signal~rseq_slice_yield
`,
  },
  riscv64: {
    from: "aarch64",
    names: `
io_setup~linkat @39 umount2~recvmmsg @258 riscv_hwprobe riscv_flush_icache wait4~kexec_file_load @424
pidfd_send_signal~rseq_slice_yield
`,
  },
  loongarch64: {
    from: "aarch64",
    names: `
io_setup~linkat @39 umount2~setdomainname @165 getrusage~recvmmsg @260 wait4~kexec_file_load @424
pidfd_send_signal~landlock_restrict_self @448 process_mrelease~rseq_slice_yield
`,
  },
  m68k: {
    from: "x86",
    names: `
restart_syscall~chmod chown @18 oldstat~utime @33 access nice @36 sync~times @45 brk~umount2 @54 ioctl fcntl @57
setpgid @60 umask~setpriority @99 statfs fstatfs @102 socketcall~fstat @111 vhangup @114 wait4~uname cacheflush
adjtimex~personality @138 setfsuid~getresuid getpagesize query_module~pwrite64 lchown getcwd~fstat64 chown32
getuid32~getresgid32 lchown32 setuid32~pivot_root @220 getdents64 gettid tkill setxattr~fremovexattr futex sendfile64
mincore madvise fcntl64 readahead io_setup~fadvise64_64 mbind~mq_getsetattr waitid @279 add_key~move_pages
sched_setaffinity sched_getaffinity kexec_load getcpu~perf_event_open get_thread_area set_thread_area
atomic_cmpxchg_32 atomic_barrier fanotify_init~syncfs setns~renameat2 getrandom~shutdown recvmmsg sendmmsg
userfaultfd~pwritev2 statx seccomp pkey_mprotect~pkey_free rseq @393 semget~ppoll_time64 @416
io_pgetevents_time64~landlock_restrict_self @448 process_mrelease~rseq_slice_yield
`,
  },
  mips: {
    from: "x86",
    names: `
syscall exit~break @19 lseek~alarm @29 pause~ulimit @60 umask~setgroups @83 symlink @85 readlink~fstat @110 iopl~idle
vm86 wait4~writev cacheflush cachectl sysmips @151 getsid~mremap accept bind connect getpeername getsockname
getsockopt listen recv recvfrom recvmsg send sendmsg sendto setsockopt shutdown socket socketpair setresuid getresuid
query_module~putpmsg mmap2~fstat64 pivot_root~fcntl64 @222 gettid~sched_getaffinity io_setup~io_cancel
exit_group~set_tid_address restart_syscall fadvise64 statfs64 fstatfs64 timer_create~clock_nanosleep tgkill utimes
mbind~mq_getsetattr vserver waitid @280 add_key~keyctl set_thread_area inotify_init~unshare splice~move_pages
set_robust_list get_robust_list kexec_load getcpu epoll_pwait ioprio_set ioprio_get utimensat signalfd timerfd eventfd
fallocate timerfd_create timerfd_gettime timerfd_settime signalfd4~perf_event_open accept4 recvmmsg~execveat
userfaultfd~statx rseq io_pgetevents @393 semget~ppoll_time64 @416 io_pgetevents_time64~landlock_restrict_self @448
process_mrelease~rseq_slice_yield
`,
  },
  mips64: {
    from: "x86_64",
    names: `
read~rt_sigprocmask ioctl~pipe _newselect sched_yield~getitimer setitimer alarm getpid~fork execve~mknod
personality~vhangup pivot_root~prctl adjtimex~setdomainname create_module~afs_syscall @178 gettid~tkill @194
futex~sched_getaffinity cacheflush cachectl sysmips io_setup~io_cancel exit_group lookup_dcookie epoll_create
epoll_ctl epoll_wait remap_file_pages rt_sigreturn set_tid_address~clock_nanosleep tgkill utimes mbind get_mempolicy
set_mempolicy mq_open~mq_getsetattr vserver waitid @239 add_key~keyctl set_thread_area inotify_init~unshare splice
sync_file_range tee vmsplice move_pages set_robust_list get_robust_list kexec_load getcpu epoll_pwait ioprio_set
ioprio_get utimensat signalfd timerfd eventfd fallocate timerfd_create timerfd_gettime timerfd_settime
signalfd4~perf_event_open accept4 recvmmsg~setns process_vm_readv~finit_module getdents64 sched_setattr~memfd_create
bpf~statx rseq io_pgetevents @424 pidfd_send_signal~landlock_restrict_self @448 process_mrelease~rseq_slice_yield
`,
  },
  mips64n32: {
    from: "mips64",
    names: `
read~afs_syscall @178 gettid~tkill @194 futex~rt_sigreturn fcntl64 set_tid_address~fadvise64 statfs64 fstatfs64
sendfile64 timer_create~waitid @243 add_key~recvmmsg getdents64 fanotify_init~finit_module sched_setattr~io_pgetevents
@403 clock_gettime64 clock_settime64 clock_adjtime64 clock_getres_time64 clock_nanosleep_time64 timer_gettime64
timer_settime64 timerfd_gettime64 timerfd_settime64 utimensat_time64 pselect6_time64 ppoll_time64 @416
io_pgetevents_time64 recvmmsg_time64 mq_timedsend_time64 mq_timedreceive_time64 semtimedop_time64
rt_sigtimedwait_time64 futex_time64 sched_rr_get_interval_time64 pidfd_send_signal~landlock_restrict_self @448
process_mrelease~rseq_slice_yield
`,
  },
  parisc: {
    from: "x86",
    names: `
restart_syscall~lchown socket stat lseek~mount bind setuid~alarm fstat pause utime connect listen access nice accept
sync~times getsockname brk~umount2 getpeername ioctl fcntl socketpair setpgid send uname umask~setsid pivot_root
sgetmask~setregid mincore sigpending~setgroups sendto symlink lstat readlink~reboot mmap2 mmap~setpriority recv statfs
fstatfs stat64 @103 syslog~getitimer capget capset pread64 pwrite64 getcwd vhangup fstat64 vfork wait4~sysinfo
shutdown fsync madvise clone setdomainname sendfile recvfrom adjtimex~sigprocmask @128 init_module delete_module @131
quotactl~personality @138 setfsuid~getresuid sigaltstack @168 poll @170 setresgid~rt_sigsuspend chown setsockopt
getsockopt sendmsg recvmsg semop semget semctl msgsnd msgrcv msgget msgctl shmat shmdt shmget shmctl @198 lstat64
truncate64 ftruncate64 getdents64 fcntl64 @206 gettid readahead tkill~sched_getaffinity @215 io_setup~io_cancel @222
exit_group~remap_file_pages semtimedop mq_open~mq_getsetattr waitid fadvise64_64 set_tid_address setxattr~fremovexattr
timer_create~clock_nanosleep tgkill mbind~set_mempolicy @264 add_key~migrate_pages pselect6 ppoll openat~faccessat
unshare~epoll_pwait statfs64 fstatfs64 kexec_load utimensat signalfd @304 eventfd fallocate timerfd_create
timerfd_settime~recvmmsg accept4 prlimit64 fanotify_init fanotify_mark clock_adjtime name_to_handle_at
open_by_handle_at syncfs setns sendmmsg process_vm_readv~sched_getattr utimes renameat2~execveat membarrier
userfaultfd mlock2~pwritev2 statx io_pgetevents pkey_mprotect~pkey_free rseq kexec_file_load cacheflush @403
clock_gettime64~ppoll_time64 @416 io_pgetevents_time64~landlock_restrict_self @448 process_mrelease~rseq_slice_yield
`,
  },
  parisc64: {
    from: "parisc",
    names: `
restart_syscall~stat64 @103 syslog~sigprocmask @128 init_module delete_module @131 quotactl~personality @138 setfsuid
setfsgid @141 getdents~sigaltstack @168 poll @170 setresgid~shmctl @198 lstat64~fcntl64 @206 gettid~sched_getaffinity
@215 io_setup~io_cancel @222 exit_group~set_mempolicy @264 add_key~signalfd @304 eventfd~cacheflush @424
pidfd_send_signal~landlock_restrict_self @448 process_mrelease~rseq_slice_yield
`,
  },
  ppc: {
    from: "x86",
    names: `
restart_syscall~idle vm86 wait4~getresuid query_module~ugetrlimit readahead mmap2~fstat64 pciconfig_read
pciconfig_write pciconfig_iobase multiplexer getdents64 pivot_root fcntl64 madvise mincore gettid tkill
setxattr~fremovexattr futex~sched_getaffinity @225 tuxcall sendfile64 io_setup~io_cancel set_tid_address
fadvise64~remap_file_pages timer_create~clock_nanosleep swapcontext tgkill utimes statfs64 fstatfs64 fadvise64_64 rtas
sys_debug_setcontext @258 migrate_pages mbind~kexec_load add_key~keyctl waitid ioprio_set~inotify_rm_watch spu_run
spu_create pselect6~unshare splice tee vmsplice openat~faccessat get_robust_list set_robust_list move_pages~eventfd
sync_file_range2 fallocate subpage_prot timerfd_settime~inotify_init1 perf_event_open preadv~rt_tgsigqueueinfo
fanotify_init~prlimit64 socket bind~listen accept getsockname getpeername socketpair send sendto recv recvfrom
shutdown setsockopt getsockopt sendmsg recvmsg recvmmsg accept4 name_to_handle_at~process_vm_writev finit_module kcmp
sched_setattr~execveat switch_endian userfaultfd membarrier @378 mlock2~pwritev2 kexec_file_load statx pkey_alloc
pkey_free pkey_mprotect rseq io_pgetevents @393 semget~ppoll_time64 @416 io_pgetevents_time64~landlock_restrict_self
@448 process_mrelease~rseq_slice_yield
`,
  },
  ppc64: {
    from: "ppc",
    names: `
restart_syscall~readahead @198 pciconfig_read~pivot_root @205 madvise~sched_getaffinity @225 tuxcall @227
io_setup~fstatfs64 @255 rtas sys_debug_setcontext @258 migrate_pages~futimesat newfstatat unlinkat~membarrier @378
mlock2~io_pgetevents @392 semtimedop semget~msgctl @424 pidfd_send_signal~landlock_restrict_self @448
process_mrelease~rseq_slice_yield
`,
  },
  s390: {
    from: "x86",
    names: `
@1 exit~close restart_syscall creat~lchown @19 lseek~alarm @29 pause utime @33 access nice @36 sync~times @45
brk~umount2 @54 ioctl fcntl @57 setpgid @60 umask~sigaction @70 setreuid~setgroups @83 symlink @85
readlink~setpriority @99 statfs~fstat @110 lookup_dcookie vhangup idle @114 wait4~uname @124 adjtimex~getresuid @167
query_module~fcntl64 readahead sendfile64 setxattr~fremovexattr gettid tkill futex~sched_getaffinity tgkill @243
io_setup~io_cancel exit_group epoll_create~epoll_wait set_tid_address fadvise64 timer_create~clock_nanosleep @264
fadvise64_64 statfs64 fstatfs64 remap_file_pages mbind~kexec_load add_key~keyctl waitid ioprio_set~epoll_pwait utimes
fallocate utimensat signalfd timerfd eventfd timerfd_create timerfd_settime~eventfd2 inotify_init1 pipe2 dup3
epoll_create1 preadv~perf_event_open fanotify_init~syncfs setns~process_vm_writev s390_runtime_instr kcmp~bpf
s390_pci_mmio_write s390_pci_mmio_read execveat userfaultfd membarrier recvmmsg sendmmsg socket~shutdown
mlock2~pwritev2 s390_guarded_storage statx s390_sthyi kexec_file_load io_pgetevents rseq pkey_mprotect~pkey_free @393
semget~ppoll_time64 @416 io_pgetevents_time64~file_setattr
`,
  },
  s390x: {
    from: "s390",
    names: `
@1 exit~chdir @14 mknod chmod @19 lseek~umount @26 ptrace alarm @29 pause utime @33 access nice @36 sync~times @45 brk
@48 signal @51 acct umount2 @54 ioctl fcntl @57 setpgid @60 umask~sigaction @72 sigsuspend~setrlimit @77
getrusage~settimeofday @83 symlink @85 readlink~fchmod @96 getpriority setpriority @99 statfs fstatfs @102
socketcall~fstat @110 lookup_dcookie~idle @114 wait4~uname @124 adjtimex~afs_syscall @141 getdents select flock~mremap
@167 query_module~nfsservctl @172 prctl~pwrite64 @183 getcwd~vfork getrlimit @198 lchown getuid getgid geteuid getegid
setreuid setregid getgroups setgroups fchown setresuid getresuid setresgid getresgid chown setuid setgid setfsuid
setfsgid pivot_root~getdents64 @222 readahead @224 setxattr~tgkill @243 io_setup~clock_nanosleep @265
statfs64~futimesat newfstatat unlinkat~pkey_free @392 semtimedop semget~msgctl @424 pidfd_send_signal~file_setattr
listns rseq_slice_yield
`,
  },
  sh: {
    from: "x86",
    names: `
restart_syscall~lchown @18 oldstat~utime @33 access nice @36 sync~times @45 brk~umount2 @54 ioctl fcntl @57 setpgid
@60 umask~setgroups @83 symlink~setpriority @99 statfs fstatfs @102 socketcall~olduname @111 vhangup @114 wait4~uname
cacheflush adjtimex~sigprocmask @128 init_module delete_module @131 quotactl~personality @138 setfsuid~getresuid @168
poll~sendfile @190 vfork~fcntl64 @224 gettid~sched_getaffinity @245 io_setup~fadvise64 @252 exit_group~fadvise64_64
@274 mbind~inotify_rm_watch @294 migrate_pages~perf_event_open fanotify_init~prlimit64 socket bind~listen accept
getsockname getpeername socketpair send sendto recv recvfrom shutdown setsockopt getsockopt sendmsg recvmsg recvmmsg
accept4 name_to_handle_at~finit_module sched_getattr sched_setattr renameat2~execveat userfaultfd~pwritev2 statx
pkey_mprotect~pkey_free rseq sync_file_range2 @393 semget~ppoll_time64 @416 io_pgetevents_time64~pidfd_open @436
close_range~landlock_restrict_self @448 process_mrelease~rseq_slice_yield
`,
  },
} as const satisfies Readonly<Record<string, { readonly from?: string; readonly names: string }>>;
