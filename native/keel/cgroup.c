/* Cgroup directories: making and joining them. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "compat.h"
#include "context.h"

static int open_membership(struct context *c, const char *path)
{
	scoped_fd directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return fail(c, "open", path);
	uint64_t type = filesystem_type(directory);
	if (type != MAGIC_CGROUP && type != MAGIC_CGROUP2)
		return fail_with(c, EINVAL, "fstatfs", path);
	/*
	 * v1's tasks and not cgroup.procs: for a single thread that moves itself they do the same, but the latter waits for an
	 * RCU grace period, which takes 10 ms on an idle machine.
	 */
	int fd = openat(directory, type == MAGIC_CGROUP2 ? "cgroup.procs" : "tasks", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? fail(c, "openat", path) : fd;
}

int open_cgroups(struct context *c)
{
	if (c->cgroups_open)
		return 0;
	for (uint32_t i = c->step; i < c->program->count; i++) {
		const struct wire_operation *o = &c->program->items[i];
		if (o->number == OP_CLONE && o->u.clone.cgroup[0] != 0 && c->clone_cgroup < 0) {
			c->clone_cgroup = open(o->u.clone.cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			if (c->clone_cgroup < 0)
				return fail(c, "open", o->u.clone.cgroup);
		}
		if (o->number != OP_JOIN_CGROUP)
			continue;
		for (uint32_t j = 0; j < o->u.join_cgroup.paths.count; j++) {
			const char *path = o->u.join_cgroup.paths.items[j];
			if (c->cgroup_count == MAX_CGROUPS)
				return fail_with(c, E2BIG, "open", path);
			int fd = open_membership(c, path);
			if (fd < 0)
				return -1;
			c->cgroup_files[c->cgroup_count++] = fd;
		}
	}
	c->cgroups_open = true;
	return 0;
}

int op_join_cgroup(struct context *c, const struct op_join_cgroup *op)
{
	if (open_cgroups(c) < 0)
		return -1;
	for (uint32_t i = 0; i < op->paths.count; i++) {
		int fd = c->cgroup_files[c->cgroup_next++];
		if (write(fd, "0", 1) != 1)
			return fail(c, "write", op->paths.items[i]);
		close(fd);
	}
	if (op->unshare && unshare(CLONE_NEWCGROUP) < 0)
		return fail(c, "unshare", "cgroup");
	return 0;
}

/* v1: a cpuset without CPUs or memory nodes can have no tasks; a new one gets those of its parent. */
static int inherit_cpuset(struct context *c, int parent, int child, const char *name)
{
	char value[4096];
	ssize_t size = read_small(child, name, value, sizeof(value));
	if (size < 0)
		return fail(c, "read", name);
	if (value[strspn(value, " \n")] != 0)
		return 0;
	size = read_small(parent, name, value, sizeof(value));
	if (size < 0)
		return fail(c, "read", name);
	if (write_small(child, name, value, (size_t)size) < 0)
		return fail(c, "write", name);
	return 0;
}

/* Whether a list of words separated by blanks has a word. */
static bool has_word(const char *list, const char *word)
{
	size_t size = strlen(word);
	while (*list != 0) {
		size_t length = strcspn(list, " \n");
		if (length == size && memcmp(list, word, size) == 0)
			return true;
		list += length;
		list += strspn(list, " \n");
	}
	return false;
}

/* v2: the controllers that the kernel has here and that are not on yet. */
static int enable_controllers(struct context *c, int directory, const struct wire_list_string *wanted)
{
	char available[1024];
	char enabled[1024];
	if (read_small(directory, "cgroup.controllers", available, sizeof(available)) < 0)
		return fail(c, "read", "cgroup.controllers");
	if (read_small(directory, "cgroup.subtree_control", enabled, sizeof(enabled)) < 0)
		return fail(c, "read", "cgroup.subtree_control");
	TEXT(request, 1024);
	for (uint32_t i = 0; i < wanted->count; i++) {
		const char *name = wanted->items[i];
		if (!has_word(available, name) || has_word(enabled, name))
			continue;
		text_add(&request, request.used == 0 ? "+" : " +");
		text_add(&request, name);
	}
	if (request.used == 0 ||
	    write_small(directory, "cgroup.subtree_control", request.data, request.used) == 0)
		return 0;
	/*
	 * One that cannot be had, as `cpu` where a real-time process runs, must not take the others with it. Its limits fail
	 * later, where there are any.
	 */
	for (uint32_t i = 0; i < wanted->count; i++) {
		TEXT(single, 64);
		text_add(&single, "+");
		text_add(&single, wanted->items[i]);
		if (has_word(available, wanted->items[i]) && !has_word(enabled, wanted->items[i]))
			write_small(directory, "cgroup.subtree_control", single.data, single.used);
	}
	return 0;
}

int op_cgroup_create(struct context *c, const struct op_cgroup_create *op)
{
	size_t prefix = strlen(op->mount);
	while (prefix > 0 && op->mount[prefix - 1] == '/')
		prefix--;
	if (op->path[0] != '/' || strncmp(op->path, op->mount, prefix) != 0 || op->path[prefix] != '/' ||
	    has_parent_reference(op->path))
		return fail_with(c, EINVAL, "mkdirat", op->path);
	scoped_fd directory = open(op->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return fail(c, "open", op->mount);
	uint64_t type = filesystem_type(directory);
	if (type != MAGIC_CGROUP && type != MAGIC_CGROUP2)
		return fail_with(c, EINVAL, "fstatfs", op->mount);
	const char *at = op->path + prefix;
	for (;;) {
		at += strspn(at, "/");
		if (*at == 0)
			return 0;
		char name[NAME_MAX + 1];
		size_t size = strcspn(at, "/");
		if (size > NAME_MAX)
			return fail_with(c, ENAMETOOLONG, "mkdirat", op->path);
		memcpy(name, at, size);
		name[size] = 0;
		at += size;
		if (type == MAGIC_CGROUP2 && op->controllers.count > 0 &&
		    enable_controllers(c, directory, &op->controllers) < 0)
			return -1;
		if (mkdirat(directory, name, 0755) < 0 && errno != EEXIST)
			return fail(c, "mkdirat", op->path);
		int next = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return fail(c, "openat", op->path);
		if (type == MAGIC_CGROUP && op->cpuset &&
		    (inherit_cpuset(c, directory, next, "cpuset.cpus") < 0 ||
		     inherit_cpuset(c, directory, next, "cpuset.mems") < 0)) {
			close_scope(&next);
			return -1;
		}
		close(directory);
		directory = next;
	}
}
