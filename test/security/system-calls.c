/* Tries system calls that a container must not make, and prints `NAME = ERRNO` for each, 0 for success. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static void try(const char *name, long number, long a, long b, long c)
{
	errno = 0;
	long result = syscall(number, a, b, c, 0, 0, 0);
	printf("%s = %d\n", name, result < 0 ? errno : 0);
	fflush(stdout);
	if (result == 0 && (number == SYS_clone || number == SYS_clone3))
		_exit(0);
}

/* The same kernel entered as a 32-bit program does. */
static void try32(const char *name, unsigned int number, unsigned int a, unsigned int b, unsigned int c)
{
#ifdef __x86_64__
	long result = (int)number;
	__asm__ volatile("int $0x80" : "+a"(result) : "b"((long)a), "c"((long)b), "d"((long)c), "S"(0L), "D"(0L)
			 : "memory", "r8", "r9", "r10", "r11");
	printf("32-bit %s = %d\n", name, (int)result < 0 ? -(int)result : 0);
	fflush(stdout);
#endif
}

int main(void)
{
	try("socket AF_ALG", SYS_socket, 38, 5, 0);
	try("socket AF_ALG with a high half", SYS_socket, 0x100000026, 5, 0);
	try("socket AF_VSOCK", SYS_socket, 40, 1, 0);
	try("socket AF_INET", SYS_socket, 2, 1, 0);
	try("io_uring_setup", SYS_io_uring_setup, 1, 0, 0);
	try("io_uring_enter", SYS_io_uring_enter, -1, 0, 0);
	try("io_uring_register", SYS_io_uring_register, -1, 0, 0);
	try("userfaultfd", SYS_userfaultfd, 1, 0, 0);
	try("keyctl", SYS_keyctl, 0, -3, 0);
	try("add_key", SYS_add_key, 0, 0, 0);
	try("request_key", SYS_request_key, 0, 0, 0);
	try("kexec_load", SYS_kexec_load, 0, 0, 0);
	try("swapon", SYS_swapon, 0, 0, 0);
	try("pivot_root", SYS_pivot_root, 0, 0, 0);
	try("move_pages", SYS_move_pages, 0, 0, 0);
	try("bpf", SYS_bpf, 0, 0, 0);
	try("mount", SYS_mount, 0, 0, 0);
	try("umount2", SYS_umount2, 0, 0, 0);
	try("fsopen", SYS_fsopen, 0, 0, 0);
	try("open_tree", SYS_open_tree, -1, 0, 0);
	try("move_mount", SYS_move_mount, -1, 0, 0);
	try("setns", SYS_setns, -1, 0, 0);
	try("perf_event_open", SYS_perf_event_open, 0, 0, 0);
	try("open_by_handle_at", SYS_open_by_handle_at, -1, 0, 0);
	try("init_module", SYS_init_module, 0, 0, 0);
	try("unshare CLONE_NEWUSER", SYS_unshare, 0x10000000, 0, 0);
	try("unshare CLONE_NEWNS", SYS_unshare, 0x20000, 0, 0);
	try("clone CLONE_NEWUSER", SYS_clone, 0x10000000 | 17, 0, 0);
	try("clone3", SYS_clone3, 0, 0, 0);
#ifdef __x86_64__
	try("x32 socket AF_ALG", 0x40000000 | SYS_socket, 38, 5, 0);
	unsigned int *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	unsigned int address = (unsigned int)(unsigned long)low;
	low[0] = 38, low[1] = 5, low[2] = 0;
	try32("socketcall AF_ALG", 102, 1, address, 0);
	low[0] = 40, low[1] = 1;
	try32("socketcall AF_VSOCK", 102, 1, address, 0);
	try32("socket AF_ALG", 359, 38, 5, 0);
	try32("socket AF_VSOCK", 359, 40, 1, 0);
	try32("keyctl", 288, 0, (unsigned int)-3, 0);
	try32("io_uring_setup", 425, 1, 0, 0);
	try32("userfaultfd", 374, 1, 0, 0);
	try32("bpf", 357, 0, 0, 0);
	try32("mount", 21, 0, 0, 0);
	try32("unshare CLONE_NEWUSER", 310, 0x10000000, 0, 0);
	try32("clone CLONE_NEWUSER", 120, 0x10000000 | 17, 0, 0);
	try32("clone3", 435, 0, 0, 0);
	try32("socket AF_INET", 359, 2, 1, 0);
	try32("socketcall getsockname", 102, 6, 0, 0);
#endif
	return 0;
}
