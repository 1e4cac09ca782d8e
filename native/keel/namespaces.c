/* Namespaces: entering them, and what is set in new ones. */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "compat.h"
#include "context.h"

void become_namespace_root(void)
{
	/* Raw calls: the library's may be wrapped for threads. Without id 0 in the map they fail, and the ids stay. */
	syscall(SYS_setgroups, 0, NULL);
	syscall(SYS_setresgid, 0, 0, 0);
	syscall(SYS_setresuid, 0, 0, 0);
	/* A change of ids sets it to the value of fs.suid_dumpable. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* What a descriptor of the root and relative paths referred to is in another mount namespace now. */
static void entered(struct context *c, uint64_t namespaces)
{
	if ((namespaces & CLONE_NEWNS) != 0) {
		root_replace(c, -1);
		c->null_device = -1;
		c->empty_directory = -1;
	}
	if ((namespaces & CLONE_NEWUSER) != 0)
		become_namespace_root();
}

int op_join_namespace(struct context *c, const struct op_join_namespace *op)
{
	if (open_cgroups(c) < 0)
		return -1;
	scoped_fd fd = open(op->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return fail(c, "open", op->path);
	/* setns(2) takes pidfds too, where the kind is a set of flags. */
	if (filesystem_type(fd) != MAGIC_NSFS || op->kind == 0)
		return fail_with(c, EINVAL, "setns", op->path);
	if (setns(fd, (int)op->kind) < 0)
		return fail(c, "setns", op->path);
	entered(c, op->kind);
	return 0;
}

int op_join_container(struct context *c, const struct op_join_container *op)
{
	if (c->container_pidfd < 0)
		return fail_with(c, ESRCH, "setns", "no container to join");
	if (open_cgroups(c) < 0)
		return -1;
	if (setns(c->container_pidfd, (int)op->namespaces) < 0)
		return fail(c, "setns", "the container's namespaces");
	entered(c, op->namespaces);
	return 0;
}

int open_process_file(pid_t pid, const char *name, int flags)
{
	scoped_fd proc = open_proc();
	if (proc < 0)
		return -1;
	TEXT(path, 64);
	if (pid == 0)
		text_add(&path, "self");
	else
		text_add_number(&path, (uint64_t)pid);
	text_add(&path, "/");
	text_add(&path, name);
	return openat(proc, path.data, flags | O_CLOEXEC | O_NOCTTY);
}

static int write_process_file(struct context *c, pid_t pid, const char *name, const char *data, size_t size)
{
	scoped_fd fd = open_process_file(pid, name, O_WRONLY);
	if (fd < 0)
		return fail(c, "open", name);
	if (write(fd, data, size) != (ssize_t)size)
		return fail(c, "write", name);
	return 0;
}

static int write_map(struct context *c, pid_t pid, const char *name, const struct wire_list_id_map *map)
{
	/* The kernel takes a page, in one write. */
	TEXT(lines, 4096);
	for (uint32_t i = 0; i < map->count; i++) {
		text_add_number(&lines, map->items[i].inside);
		text_add(&lines, " ");
		text_add_number(&lines, map->items[i].outside);
		text_add(&lines, " ");
		text_add_number(&lines, map->items[i].count);
		text_add(&lines, "\n");
	}
	if (lines.truncated)
		return fail_with(c, E2BIG, "write", name);
	return write_process_file(c, pid, name, lines.data, lines.used);
}

int write_id_map(struct context *c, const struct op_id_map *op, pid_t pid)
{
	if (op->deny_setgroups && write_process_file(c, pid, "setgroups", "deny", 4) < 0)
		return -1;
	/* Groups first: once uid_map is written, root of the namespace may no longer count as its creator for gid_map. */
	if (write_map(c, pid, "gid_map", &op->gids) < 0)
		return -1;
	return write_map(c, pid, "uid_map", &op->uids);
}

int op_id_map(struct context *c, const struct op_id_map *op)
{
	if ((c->container ? ask_parent(c, NULL) : write_id_map(c, op, 0)) < 0)
		return -1;
	become_namespace_root();
	return 0;
}

int op_time_namespace(struct context *c)
{
	return unshare(CLONE_NEWTIME) < 0 ? fail(c, "unshare", "time") : 0;
}

int write_time_offset(struct context *c, const struct op_time_offset *op, pid_t pid)
{
	if (strcmp(op->clock, "monotonic") != 0 && strcmp(op->clock, "boottime") != 0)
		return fail_with(c, EINVAL, "write", op->clock);
	TEXT(line, 96);
	text_add(&line, op->clock);
	text_add(&line, " ");
	text_add_signed(&line, op->seconds);
	text_add(&line, " ");
	text_add_number(&line, op->nanoseconds);
	text_add(&line, "\n");
	return write_process_file(c, pid, "timens_offsets", line.data, line.used);
}

int op_time_offset(struct context *c, const struct op_time_offset *op)
{
	return c->container ? ask_parent(c, NULL) : write_time_offset(c, op, 0);
}

int op_enter_time_namespace(struct context *c)
{
	scoped_fd fd = open_process_file(0, "ns/time_for_children", O_RDONLY);
	if (fd < 0)
		return fail(c, "open", "ns/time_for_children");
	return setns(fd, CLONE_NEWTIME) < 0 ? fail(c, "setns", "time") : 0;
}

int op_hostname(struct context *c, const struct op_hostname *op)
{
	return sethostname(op->name, strlen(op->name)) < 0 ? fail(c, "sethostname", op->name) : 0;
}

int op_domainname(struct context *c, const struct op_domainname *op)
{
	return setdomainname(op->name, strlen(op->name)) < 0 ? fail(c, "setdomainname", op->name) : 0;
}

int op_sysctl(struct context *c, const struct op_sysctl *op)
{
	if (op->key[0] == 0 || op->key[0] == '/' || has_parent_reference(op->key))
		return fail_with(c, EINVAL, "openat2", op->key);
	scoped_fd proc = open_proc();
	if (proc < 0)
		return fail(c, "open", "/proc");
	TEXT(path, 512);
	text_add(&path, "sys/");
	text_add(&path, op->key);
	if (path.truncated)
		return fail_with(c, ENAMETOOLONG, "openat2", op->key);
	/* Nothing may have been mounted over it, or the write would go to that file, of procfs too (CVE-2025-52881). */
	const struct open_how how = {
		.flags = O_WRONLY | O_CLOEXEC | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};
	scoped_fd fd = (int)syscall(SYS_openat2, proc, path.data, &how, sizeof(how));
	if (fd < 0)
		return fail(c, "openat2", op->key);
	if (filesystem_type(fd) != MAGIC_PROC)
		return fail_with(c, EXDEV, "fstatfs", op->key);
	size_t size = strlen(op->value);
	if (write(fd, op->value, size) != (ssize_t)size)
		return fail(c, "write", op->key);
	return 0;
}

int op_loopback_up(struct context *c)
{
	scoped_fd fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 && errno == EAFNOSUPPORT)
		fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(c, "socket", "");
	struct ifreq request = { .ifr_name = "lo" };
	if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		return fail(c, "ioctl SIOCGIFFLAGS", "lo");
	request.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return fail(c, "ioctl SIOCSIFFLAGS", "lo");
	return 0;
}
