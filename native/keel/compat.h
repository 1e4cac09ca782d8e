/*
 * Constants and structures of newer kernels that the C library's headers may lack (Debian 12 has those of Linux 6.1 and
 * glibc 2.36). Sources: include/uapi/linux/{sched,memfd,fcntl,magic,capability}.h of Linux 6.12.
 */
#ifndef KEEL_COMPAT_H
#define KEEL_COMPAT_H

#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

/* statfs(2) f_type */
#define MAGIC_PROC 0x9fa0
#define MAGIC_DEVPTS 0x1cd1
#define MAGIC_NSFS 0x6e736673
#define MAGIC_CGROUP 0x27e0eb
#define MAGIC_CGROUP2 0x63677270

/* The inode of procfs' root directory (fs/proc/root.c, PROC_ROOT_INO). */
#define PROC_ROOT_INODE 1

/* clone3(2): struct clone_args up to and with `cgroup` (CLONE_ARGS_SIZE_VER2, Linux 5.7). */
struct clone_arguments {
	uint64_t flags;
	uint64_t pidfd;
	uint64_t child_tid;
	uint64_t parent_tid;
	uint64_t exit_signal;
	uint64_t stack;
	uint64_t stack_size;
	uint64_t tls;
	uint64_t set_tid;
	uint64_t set_tid_size;
	uint64_t cgroup;
};

#endif
