/* The container's process itself: what it executes, where, and in which session. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "compat.h"
#include "context.h"

const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static const char *path_of(const struct wire_list_string *environment)
{
	for (uint32_t i = 0; i < environment->count; i++)
		if (strncmp(environment->items[i], "PATH=", 5) == 0)
			return environment->items[i] + 5;
	return default_path;
}

static bool looked_up(const char *command)
{
	return strchr(command, '/') == NULL;
}

/* The next candidate of a lookup in PATH; an empty element is the working directory. False at the end. */
static bool next_candidate(const char **path, const char *command, struct text *candidate)
{
	if (*path == NULL)
		return false;
	size_t size = strcspn(*path, ":");
	candidate->used = 0;
	candidate->truncated = false;
	text_add_bytes(candidate, *path, size);
	if (size > 0)
		text_add(candidate, "/");
	text_add(candidate, command);
	*path = (*path)[size] == ':' ? *path + size + 1 : NULL;
	return true;
}

int exec_search(char *const argv[], char *const envp[], const char *path)
{
	if (!looked_up(argv[0])) {
		execve(argv[0], argv, envp);
		return errno;
	}
	int error = ENOENT;
	if (argv[0][0] == 0)
		return error;
	TEXT(candidate, PATH_MAX);
	while (next_candidate(&path, argv[0], &candidate)) {
		if (candidate.truncated)
			continue;
		execve(candidate.data, argv, envp);
		if (errno == EACCES)
			error = EACCES; /* another directory may have one that can be run */
		else if (errno != ENOENT && errno != ENOTDIR)
			return errno;
	}
	return error;
}

char **string_pointers(const struct wire_list_string *list, uint32_t before)
{
	char **items = calloc((size_t)list->count + before + 1, sizeof(*items));
	for (uint32_t i = 0; items != NULL && i < list->count; i++)
		items[before + i] = (char *)list->items[i];
	return items;
}

/* Moves a descriptor of keel's own out of the way. */
static int move_above(int *fd, int least)
{
	if (*fd < 0)
		return 0;
	*fd = fcntl(*fd, F_DUPFD_CLOEXEC, least);
	return *fd < 0 ? -1 : 0;
}

/* Gives the program what it keeps as 3 and so on. Each goes down, to a place that is free by then. */
static int place_preserved(struct context *c)
{
	const int count = (int)c->preserve;
	if (move_above(&c->channel, PRESERVED_FD + count) < 0 || move_above(&c->starter, PRESERVED_FD + count) < 0 ||
	    move_above(&c->self, PRESERVED_FD + count) < 0)
		return -1;
	for (int i = 0; i < count; i++)
		if (dup2(PRESERVED_FD + i, 3 + i) < 0)
			return -1;
	return 0;
}

int prepare_exec(struct context *c, const struct op_exec *op)
{
	if (c->exec_prepared)
		return 0;
	if (op->arguments.count == 0)
		return fail_with(c, EINVAL, "execve", "no arguments");
	const uint32_t before = op->init ? 3 : 0;
	c->argv = string_pointers(&op->arguments, before);
	c->envp = string_pointers(&op->environment, 0);
	if (c->argv == NULL || c->envp == NULL)
		return fail_with(c, ENOMEM, "execve", op->arguments.items[0]);
	if (op->init) {
		c->argv[0] = "keel";
		c->argv[1] = "init";
		c->argv[2] = "--";
	}
	/* The kernel forgets it when ids or capabilities change. */
	if (c->death_signal != 0 && prctl(PR_SET_PDEATHSIG, c->death_signal, 0, 0, 0) < 0)
		return fail(c, "prctl PR_SET_PDEATHSIG", "");
	if (c->preserve > 0 && place_preserved(c) < 0)
		return fail(c, "dup3", "descriptors to preserve");
	umask((mode_t)c->umask);
	if (tell_monitor(c, MESSAGE_EXECUTING, 0, -1) < 0)
		return fail(c, "sendmsg", "");
	/* All are close-on-exec from birth; this is for what a future change may forget. */
	close_range(3 + c->preserve, ~0U, CLOSE_RANGE_CLOEXEC);
	c->exec_prepared = true;
	return 0;
}

int op_exec(struct context *c, const struct op_exec *op)
{
	if (prepare_exec(c, op) < 0)
		return -1;
	int error;
	if (op->init) {
		syscall(SYS_execveat, c->self, "", c->argv, c->envp, AT_EMPTY_PATH);
		error = errno;
	} else {
		error = exec_search(c->argv, c->envp, path_of(&op->environment));
	}
	return fail_with(c, error, "execve", op->arguments.items[0]);
}

/* Whether a path in the root can be executed: 0 or errno. */
/* A filter that is older than the system call refuses it so: nothing is known then, and exec itself will tell. */
static int unless_filtered(int error)
{
	return error == EPERM || error == ENOSYS ? 0 : error;
}

static int check_executable(struct context *c, const char *path)
{
	scoped_fd fd = root_open(c, path, O_PATH, 0);
	struct stat s;
	if (fd < 0 || fstat(fd, &s) < 0)
		return unless_filtered(errno);
	if (!S_ISREG(s.st_mode))
		return EACCES;
	if (syscall(SYS_faccessat2, fd, "", X_OK, AT_EACCESS | AT_EMPTY_PATH) < 0)
		return unless_filtered(errno);
	return 0;
}

int op_find_executable(struct context *c, const struct op_find_executable *op)
{
	TEXT(candidate, PATH_MAX);
	int error = ENOENT;
	if (!looked_up(op->command)) {
		if (op->command[0] != '/') {
			text_add(&candidate, op->directory);
			text_add(&candidate, "/");
		}
		text_add(&candidate, op->command);
		error = candidate.truncated ? ENAMETOOLONG : check_executable(c, candidate.data);
		return error == 0 ? 0 : fail_with(c, error, "execve", op->command);
	}
	const char *path = op->path[0] != 0 ? op->path : default_path;
	while (op->command[0] != 0 && next_candidate(&path, op->command, &candidate)) {
		TEXT(absolute, PATH_MAX);
		if (candidate.data[0] != '/') {
			text_add(&absolute, op->directory);
			text_add(&absolute, "/");
		}
		text_add(&absolute, candidate.data);
		if (candidate.truncated || absolute.truncated)
			continue;
		int result = check_executable(c, absolute.data);
		if (result == 0)
			return 0;
		if (result == EACCES)
			error = EACCES;
		else if (result != ENOENT && result != ENOTDIR)
			return fail_with(c, result, "execve", op->command);
	}
	return fail_with(c, error, "execve", op->command);
}

int op_parent_death_signal(struct context *c, const struct op_parent_death_signal *op)
{
	if (prctl(PR_SET_PDEATHSIG, op->signal, 0, 0, 0) < 0)
		return fail(c, "prctl PR_SET_PDEATHSIG", "");
	c->death_signal = op->signal;
	return 0;
}

int op_session(struct context *c)
{
	if (setsid() < 0 && getsid(0) != getpid())
		return fail(c, "setsid", "");
	return 0;
}

int op_working_directory(struct context *c, const struct op_working_directory *op)
{
	scoped_fd fd = root_open(c, op->path, O_PATH | O_DIRECTORY, 0);
	if (fd < 0)
		return fail(c, "openat2", op->path);
	if (fchdir(fd) < 0)
		return fail(c, "fchdir", op->path);
	/* The kernel's own answer; outside of the root it starts with "(unreachable)" (CVE-2024-21626). */
	char path[PATH_MAX];
	if (syscall(SYS_getcwd, path, sizeof(path)) < 0)
		return fail(c, "getcwd", op->path);
	if (path[0] != '/')
		return fail_with(c, EXDEV, "getcwd", op->path);
	return 0;
}
