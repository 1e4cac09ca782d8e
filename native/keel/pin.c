/* Namespaces that live without any process in them: a file holds each (namespaces(7), "The /proc/pid/ns/ directory"). */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "compat.h"
#include "context.h"

static const struct {
	uint64_t flag;
	const char *name;
} kinds[] = { { CLONE_NEWNET, "net" }, { CLONE_NEWIPC, "ipc" }, { CLONE_NEWUTS, "uts" } };

/* Tells by a byte that it is ready, and waits to be killed. */
static _Noreturn void be_born(const struct op_pin_namespaces *op, int out)
{
	static struct context own;
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	int error = 0;
	if ((op->namespaces & CLONE_NEWUTS) != 0 && op->hostname[0] != 0 &&
	    sethostname(op->hostname, strlen(op->hostname)) < 0)
		error = errno;
	if (error == 0 && (op->namespaces & CLONE_NEWNET) != 0 && op_loopback_up(&own) < 0)
		error = errno;
	uint8_t told = (uint8_t)error;
	if (write(out, &told, 1) == 1 && error == 0)
		for (;;)
			pause();
	_exit(1);
}

static int pin(struct context *c, const struct op_pin_namespaces *op, pid_t pid)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if ((op->namespaces & kinds[i].flag) == 0)
			continue;
		TEXT(source, 64);
		text_add(&source, "/proc/");
		text_add_number(&source, (uint64_t)pid);
		text_add(&source, "/ns/");
		text_add(&source, kinds[i].name);
		TEXT(target, 4200);
		text_add(&target, op->directory);
		text_add(&target, "/");
		text_add(&target, kinds[i].name);
		scoped_fd file = open(target.data, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (file < 0)
			return fail(c, "open", target.data);
		if (mount(source.data, target.data, NULL, MS_BIND, NULL) < 0)
			return fail(c, "mount", target.data);
	}
	return 0;
}

int op_pin_namespaces(struct context *c, const struct op_pin_namespaces *op)
{
	const uint64_t known = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
	if ((op->namespaces & ~known) != 0)
		return fail_with(c, EINVAL, "clone3", "namespaces");
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail(c, "pipe2", "");
	struct clone_arguments arguments = { .flags = op->namespaces, .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));
	if (pid == 0)
		be_born(op, ends[1]);
	int saved = errno;
	close(ends[1]);
	int result;
	uint8_t told = ESRCH;
	if (pid < 0)
		result = fail_with(c, saved, "clone3", "namespaces");
	else if (read(ends[0], &told, 1) != 1 || told != 0)
		result = fail_with(c, told, "clone3", "what the namespaces are to have");
	else
		result = pin(c, op, (pid_t)pid);
	saved = errno;
	close(ends[0]);
	if (pid > 0) {
		kill((pid_t)pid, SIGKILL);
		while (waitpid((pid_t)pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	errno = saved;
	return result;
}
