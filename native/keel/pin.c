/*
 * Namespaces that live without any process of a container in them: a file holds each (namespaces(7), "The /proc/pid/ns/
 * directory"). A pid namespace lives only as long as its first process: that one stays, and holds it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "compat.h"
#include "context.h"
#include "init.h"
#include "state_file.h"

static const struct {
	uint64_t flag;
	const char *name;
} kinds[] = { { CLONE_NEWUSER, "user" },
	      { CLONE_NEWPID, "pid" },
	      { CLONE_NEWNET, "net" },
	      { CLONE_NEWIPC, "ipc" },
	      { CLONE_NEWUTS, "uts" } };

static int furnish(struct context *own, const struct op_pin_namespaces *op)
{
	if ((op->namespaces & CLONE_NEWUTS) != 0 && op->hostname[0] != 0 &&
	    sethostname(op->hostname, strlen(op->hostname)) < 0)
		return fail(own, "sethostname", op->hostname);
	if ((op->namespaces & CLONE_NEWNET) != 0 && op_loopback_up(own) < 0)
		return -1;
	for (uint32_t i = 0; i < op->sysctls.count; i++) {
		const struct op_sysctl one = { .key = op->sysctls.items[i].key, .value = op->sysctls.items[i].value };
		if (op_sysctl(own, &one) < 0)
			return -1;
	}
	return 0;
}

/* Its root becomes an empty directory: whoever comes to see its files finds nothing of the host. */
static int leave_files(struct context *own)
{
	if (unshare(CLONE_NEWNS) < 0)
		return fail(own, "unshare", "mnt");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fail(own, "mount", "/");
	scoped_fd context = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fail(own, "fsopen", "tmpfs");
	scoped_fd empty = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (empty < 0)
		return fail(own, "fsmount", "tmpfs");
	if (move_mount(empty, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return fail(own, "move_mount", "/");
	if (fchdir(empty) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return fail(own, "pivot_root", "/");
	if (umount2(".", MNT_DETACH) < 0)
		return fail(own, "umount2", "/");
	return 0;
}

/* Waits for a byte; ends with who should send it. */
static void await(int socket)
{
	uint8_t byte;
	if (read(socket, &byte, 1) != 1)
		_exit(1);
}

/* The first process: furnishes the namespaces, tells what came of it, and holds them or waits to be killed. */
static _Noreturn void be_born(const struct op_pin_namespaces *op, int socket)
{
	static struct context own;
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	await(socket);
	if ((op->namespaces & CLONE_NEWUSER) != 0)
		become_namespace_root();
	bool holds = (op->namespaces & CLONE_NEWPID) != 0;
	if (furnish(&own, op) == 0 && holds)
		leave_files(&own);
	if (write(socket, &own.failure, sizeof(own.failure)) != sizeof(own.failure) || own.failure.error != 0)
		_exit(1);
	await(socket);
	if (!holds)
		_exit(0);
	setsid();
	prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
	char *const argv[] = { (char *)(uintptr_t)"keel", (char *)(uintptr_t)"hold", NULL };
	char *const envp[] = { NULL };
	syscall(SYS_execveat, SELF_FD, "", argv, envp, AT_EMPTY_PATH);
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

/* Who holds the pid namespace is told from others by its start time. */
static int note_holder(struct context *c, const struct op_pin_namespaces *op, pid_t pid)
{
	scoped_fd directory = open(op->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0 || state_file_write(directory, "holder", "%d %llu\n", (int)pid, start_time(pid)) < 0)
		return fail(c, "write", "holder");
	return 0;
}

/* The parent's side of be_born. */
static int attend(struct context *c, const struct op_pin_namespaces *op, pid_t pid, int socket)
{
	static const uint8_t go = 1;
	if ((op->namespaces & CLONE_NEWUSER) != 0) {
		const struct op_id_map maps = { .uids = op->uids, .gids = op->gids };
		if (write_id_map(c, &maps, pid) < 0)
			return -1;
	}
	struct failure told;
	if (write(socket, &go, 1) != 1 || read(socket, &told, sizeof(told)) != sizeof(told))
		return fail_with(c, ESRCH, "clone3", "what the namespaces are to have");
	if (told.error != 0) {
		c->failure = told;
		return -1;
	}
	bool holds = (op->namespaces & CLONE_NEWPID) != 0;
	if (pin(c, op, pid) < 0 || (holds && note_holder(c, op, pid) < 0))
		return -1;
	/* End of file: its exec has closed the socket. */
	uint8_t none;
	if (write(socket, &go, 1) != 1 || (holds && read(socket, &none, 1) != 0))
		return fail_with(c, ESRCH, "write", "go");
	return 0;
}

int op_pin_namespaces(struct context *c, const struct op_pin_namespaces *op)
{
	const uint64_t known = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWUSER;
	if ((op->namespaces & ~known) != 0)
		return fail_with(c, EINVAL, "clone3", "namespaces");
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return fail(c, "socketpair", "");
	struct clone_arguments arguments = { .flags = op->namespaces, .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));
	if (pid == 0) {
		close(ends[0]);
		be_born(op, ends[1]);
	}
	int saved = errno;
	close(ends[1]);
	int result = pid < 0 ? fail_with(c, saved, "clone3", "namespaces") : attend(c, op, (pid_t)pid, ends[0]);
	saved = errno;
	close(ends[0]);
	if (pid > 0 && (result < 0 || (op->namespaces & CLONE_NEWPID) == 0)) {
		kill((pid_t)pid, SIGKILL);
		while (waitpid((pid_t)pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	errno = saved;
	return result;
}
