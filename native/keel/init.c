#include "init.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "compat.h"
#include "context.h"
#include "self.h"

static void explain(const char *command, int error)
{
	TEXT(line, 512);
	text_add(&line, "keel init: Cannot run \"");
	text_add(&line, command);
	text_add(&line, "\": ");
	if (error == ENOENT) {
		text_add(&line, "it does not exist");
	} else if (error == EACCES) {
		text_add(&line, "it may not be executed");
	} else {
		text_add(&line, "errno ");
		text_add_number(&line, (uint64_t)error);
	}
	text_add(&line, "\n");
	ssize_t written = write(STDERR_FILENO, line.data, line.used);
	(void)written;
}

static _Noreturn void run_child(char *const argv[], char *const envp[], const sigset_t *mask)
{
	/* A group of its own, in the terminal's foreground if there is one, so that job control works as in a shell. */
	setpgid(0, 0);
	tcsetpgrp(STDIN_FILENO, getpid());
	signal(SIGTTIN, SIG_DFL);
	signal(SIGTTOU, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	int error = exec_search(argv, envp, getenv("PATH") ?: default_path);
	explain(argv[0], error);
	_exit(error == ENOENT ? 127 : 126);
}

/* Reaps all that has ended; true when `child` is among it. */
static bool reap(pid_t child, int *status)
{
	bool ended = false;
	int s;
	pid_t pid;
	while ((pid = waitpid(-1, &s, WNOHANG)) > 0) {
		if (pid != child)
			continue;
		*status = s;
		ended = true;
	}
	return ended;
}

int init_main(char *const argv[], char *const envp[])
{
	/* All but those that tell of a fault in this program. */
	sigset_t all, before;
	sigfillset(&all);
	const int faults[] = { SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS };
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigdelset(&all, faults[i]);
	sigprocmask(SIG_SETMASK, &all, &before);
	/* Ignored, for otherwise this process would be stopped for touching the terminal from the background. */
	signal(SIGTTIN, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	pid_t child = fork();
	if (child < 0) {
		explain(argv[0], errno);
		return 126;
	}
	if (child == 0)
		run_child(argv, envp, &before);
	/* What the command was given beside its standard streams is the command's alone. */
	close_range(3, ~0U, 0);
	for (;;) {
		int status;
		int n = sigwaitinfo(&all, NULL);
		if (n == SIGCHLD) {
			if (reap(child, &status))
				return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
		} else if (n > 0) {
			kill(child, n);
		}
	}
}

void hold_main(void)
{
	/* Containers of the pod may run as the same user, but are not to look into this process, or to use it. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_NAME, "sampan-pod", 0, 0, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[2] = { { 0 } };
	syscall(SYS_capset, &header, none);
	close_range(0, ~0U, 0);
	/* The kernel then reaps every child by itself. */
	signal(SIGCHLD, SIG_IGN);
	release_code();
	for (;;)
		pause();
}
