/*
 * Installs a filter and makes system calls under it.
 *
 *   seccomp-probe FILTER FLAGS WAY [NUMBER ARGUMENT...]
 *
 * FILTER is a file with a struct sock_filter array, FLAGS are those of seccomp(2) in decimal, WAY is how the call is made:
 *
 *   plain    prints what it returns
 *   compat   the same, by the interrupt that 32-bit programs of x86 use
 *   trap     prints what SIGSYS tells
 *   thread   in a second thread; the first says that it goes on
 *   trace    prints the message that a tracer gets, which then lets the call go on
 *   notify   an agent of the second thread answers each call with ENOMEDIUM
 *
 * What ends the process is told in the last line.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sock_filter filter[BPF_MAXINSNS];
static struct sock_fprog program = { .filter = filter };
static unsigned int flags;
static long number;
static long arguments[6];
static const char *way;

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(99);
}

static int install(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		die("no_new_privs");
	long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (result < 0)
		die("seccomp");
	return (int)result;
}

static long make_call(void)
{
	const long *a = arguments;
#ifdef __x86_64__
	if (strcmp(way, "compat") == 0) {
		long result = number;
		__asm__ volatile("int $0x80"
				 : "+a"(result)
				 : "b"(a[0]), "c"(a[1]), "d"(a[2]), "S"(a[3]), "D"(a[4])
				 : "memory", "r8", "r9", "r10", "r11");
		return (int)result;
	}
#endif
	long result = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	return result < 0 ? -errno : result;
}

static void print_call(void)
{
	long result = make_call();
	if (result < 0)
		printf("errno %ld\n", -result);
	else
		printf("returned\n");
	fflush(stdout);
}

static void on_trap(int signal, siginfo_t *info, void *context)
{
	(void)context;
	/* Programs may only rely on async-signal-safe functions here; this one has a single thread. */
	printf("signal %d code %d call %d errno %d\n", signal, info->si_code, info->si_syscall, info->si_errno);
	fflush(stdout);
}

static void *second(void *unused)
{
	(void)unused;
	print_call();
	return NULL;
}

/* Made before the filter, so that it is not under it. */
static void *agent(void *place)
{
	struct seccomp_notif request;
	struct seccomp_notif_resp answer;
	_Atomic int *fd = place;

	while (*fd < 0)
		usleep(1000);
	for (;;) {
		memset(&request, 0, sizeof request);
		if (ioctl(*fd, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0)
			die("receive");
		memset(&answer, 0, sizeof answer);
		answer.id = request.id;
		answer.error = -ENOMEDIUM;
		if (ioctl(*fd, SECCOMP_IOCTL_NOTIF_SEND, &answer) < 0)
			die("send");
	}
}

static void child(void)
{
	static _Atomic int listener = -1;
	pthread_t thread;

	if (strcmp(way, "trap") == 0) {
		struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };
		sigaction(SIGSYS, &action, NULL);
	} else if (strcmp(way, "notify") == 0 && pthread_create(&thread, NULL, agent, (void *)&listener) != 0) {
		die("thread");
	} else if (strcmp(way, "trace") == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
	}
	listener = install();
	if (strcmp(way, "thread") != 0) {
		print_call();
		exit(0);
	}
	if (pthread_create(&thread, NULL, second, NULL) != 0)
		die("thread");
	pthread_join(thread, NULL);
	printf("the first thread goes on\n");
	exit(0);
}

static void trace(pid_t pid, int status)
{
	while (WIFSTOPPED(status)) {
		unsigned long message;
		if (status >> 8 == (SIGTRAP | (PTRACE_EVENT_SECCOMP << 8))) {
			ptrace(PTRACE_GETEVENTMSG, pid, NULL, &message);
			printf("message %lu\n", message);
			fflush(stdout);
		} else {
			ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESECCOMP);
		}
		ptrace(PTRACE_CONT, pid, NULL, NULL);
		if (waitpid(pid, &status, 0) < 0)
			die("wait");
	}
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 99;
	int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, filter, sizeof filter);
	if (size <= 0)
		die(argv[1]);
	program.len = (unsigned short)((size_t)size / sizeof filter[0]);
	flags = (unsigned int)strtoul(argv[2], NULL, 10);
	way = argv[3];
	number = argc > 4 ? strtol(argv[4], NULL, 10) : SYS_getpid;
	for (int i = 5; i < argc && i < 11; i++)
		arguments[i - 5] = (long)strtoull(argv[i], NULL, 10);

	pid_t pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0)
		child();
	int status;
	if (waitpid(pid, &status, WUNTRACED) < 0)
		die("wait");
	if (strcmp(way, "trace") == 0)
		trace(pid, status);
	else if (WIFSIGNALED(status))
		printf("ended by signal %d\n", WTERMSIG(status));
	return 0;
}
