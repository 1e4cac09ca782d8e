/* Landlock: what a process denies itself and its children. */
#include <errno.h>
#include <sys/stat.h>

#include "compat.h"
#include "context.h"

/* What each version of Landlock's interface knows (landlock(7), Kernel interface); the first is no Landlock. */
static const struct {
	uint64_t files;
	uint64_t network;
	uint64_t scoped;
} known[] = {
	{ 0, 0, 0 },
	{ 0x1fff, 0, 0 },
	{ 0x3fff, 0, 0 }, /* refer */
	{ 0x7fff, 0, 0 }, /* truncate */
	{ 0x7fff, 3, 0 }, /* TCP */
	{ 0xffff, 3, 0 }, /* ioctl_dev */
	{ 0xffff, 3, 3 }, /* abstract sockets, signals */
};

/* Rights that a file has which is no directory: execute, write_file, read_file, truncate, ioctl_dev. */
#define FILE_RIGHTS UINT64_C(0xc007)

enum rule_type {
	RULE_PATH_BENEATH = 1,
	RULE_NET_PORT,
};
#define CREATE_RULESET_VERSION 1

struct ruleset_attributes {
	uint64_t files;
	uint64_t network;
	uint64_t scoped;
};

struct path_rule {
	uint64_t access;
	int32_t directory;
} __attribute__((packed));

struct port_rule {
	uint64_t access;
	uint64_t port;
};

static int add_path(struct context *c, int ruleset, const struct wire_landlock_path *path, uint64_t files)
{
	scoped_fd fd = root_open(c, path->path, O_PATH, 0);
	struct stat s;
	if (fd < 0 || fstat(fd, &s) < 0)
		return fail(c, "openat2", path->path);
	const struct path_rule rule = {
		.access = path->access & files & (S_ISDIR(s.st_mode) ? UINT64_MAX : FILE_RIGHTS),
		.directory = fd,
	};
	if (rule.access != 0 && syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0)
		return fail(c, "landlock_add_rule", path->path);
	return 0;
}

static int add_port(struct context *c, int ruleset, const struct wire_landlock_port *port, uint64_t network)
{
	const struct port_rule rule = { .access = port->access & network, .port = port->port };
	if (rule.access == 0 || syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) == 0)
		return 0;
	TEXT(number, 24);
	text_add_number(&number, port->port);
	return fail(c, "landlock_add_rule", number.data);
}

int op_landlock(struct context *c, const struct op_landlock *op)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
	if (version < 0 && errno != ENOSYS && errno != EOPNOTSUPP)
		return fail(c, "landlock_create_ruleset", "");
	const long last = (long)(sizeof(known) / sizeof(known[0])) - 1;
	const long row = version < 0 ? 0 : version < last ? version : last;
	const struct ruleset_attributes attributes = {
		.files = op->handled_files & known[row].files,
		.network = op->handled_network & known[row].network,
		.scoped = op->scoped & known[row].scoped,
	};
	bool whole = attributes.files == op->handled_files && attributes.network == op->handled_network &&
		     attributes.scoped == op->scoped;
	if (!whole && !op->best_effort) {
		TEXT(has, 64);
		text_add(&has, "this kernel has version ");
		text_add_number(&has, version < 0 ? 0 : (uint64_t)version);
		return fail_with(c, EOPNOTSUPP, "landlock_create_ruleset", has.data);
	}
	if (attributes.files == 0 && attributes.network == 0 && attributes.scoped == 0)
		return 0;
	scoped_fd ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
	if (ruleset < 0)
		return fail(c, "landlock_create_ruleset", "");
	for (uint32_t i = 0; i < op->paths.count; i++)
		if (add_path(c, ruleset, &op->paths.items[i], attributes.files) < 0)
			return -1;
	for (uint32_t i = 0; i < op->ports.count; i++)
		if (add_port(c, ruleset, &op->ports.items[i], attributes.network) < 0)
			return -1;
	return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? fail(c, "landlock_restrict_self", "") : 0;
}
