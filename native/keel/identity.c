/* Who the process is, and what it may do. */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "compat.h"
#include "context.h"

static const char *const resource_names[] = {
	[RLIMIT_CPU] = "RLIMIT_CPU",
	[RLIMIT_FSIZE] = "RLIMIT_FSIZE",
	[RLIMIT_DATA] = "RLIMIT_DATA",
	[RLIMIT_STACK] = "RLIMIT_STACK",
	[RLIMIT_CORE] = "RLIMIT_CORE",
	[RLIMIT_RSS] = "RLIMIT_RSS",
	[RLIMIT_NPROC] = "RLIMIT_NPROC",
	[RLIMIT_NOFILE] = "RLIMIT_NOFILE",
	[RLIMIT_MEMLOCK] = "RLIMIT_MEMLOCK",
	[RLIMIT_AS] = "RLIMIT_AS",
	[RLIMIT_LOCKS] = "RLIMIT_LOCKS",
	[RLIMIT_SIGPENDING] = "RLIMIT_SIGPENDING",
	[RLIMIT_MSGQUEUE] = "RLIMIT_MSGQUEUE",
	[RLIMIT_NICE] = "RLIMIT_NICE",
	[RLIMIT_RTPRIO] = "RLIMIT_RTPRIO",
	[RLIMIT_RTTIME] = "RLIMIT_RTTIME",
};

int op_rlimit(struct context *c, const struct op_rlimit *op)
{
	const struct rlimit limit = { .rlim_cur = op->soft, .rlim_max = op->hard };
	if (prlimit(0, (enum __rlimit_resource)op->resource, &limit, NULL) == 0)
		return 0;
	bool known = op->resource < sizeof(resource_names) / sizeof(resource_names[0]);
	return fail(c, "prlimit", known ? resource_names[op->resource] : "unknown resource");
}

int op_keyring(struct context *c, const struct op_keyring *op)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, op->name) >= 0)
		return 0;
	/* No keys in this kernel, all of the user's quota in use, or filtered by an outer container's seccomp. */
	if (errno == ENOSYS || errno == EDQUOT || errno == EPERM)
		return 0;
	return fail(c, "keyctl", op->name);
}

/* In a user namespace where setgroups(2) is denied, nothing needs to be dropped when no group is asked for. */
static bool setgroups_denied(void)
{
	char text[8];
	scoped_fd proc = open_proc();
	return proc >= 0 && read_small(proc, "self/setgroups", text, sizeof(text)) >= 4 && memcmp(text, "deny", 4) == 0;
}

int op_user(struct context *c, const struct op_user *op)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return fail(c, "prctl PR_SET_KEEPCAPS", "");
	if (syscall(SYS_setgroups, op->groups.count, op->groups.items) < 0) {
		int error = errno;
		if (error != EPERM || op->groups.count > 0 || !setgroups_denied())
			return fail_with(c, error, "setgroups", "");
	}
	TEXT(id, 24);
	text_add_number(&id, op->gid);
	if (syscall(SYS_setresgid, op->gid, op->gid, op->gid) < 0)
		return fail(c, "setresgid", id.data);
	id.used = 0;
	text_add_number(&id, op->uid);
	if (syscall(SYS_setresuid, op->uid, op->uid, op->uid) < 0)
		return fail(c, "setresuid", id.data);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	c->umask = op->umask & 0777;
	return 0;
}

/* How many capabilities this kernel knows. */
static unsigned int capability_count(void)
{
	unsigned int n = CAP_LAST_CAP + 1;
	while (n < 64 && prctl(PR_CAPBSET_READ, n, 0, 0, 0) >= 0)
		n++;
	while (n > 0 && prctl(PR_CAPBSET_READ, n - 1, 0, 0, 0) < 0)
		n--;
	return n;
}

int op_bounding_set(struct context *c, const struct op_bounding_set *op)
{
	unsigned int count = capability_count();
	for (unsigned int n = 0; n < count; n++) {
		if ((op->keep >> n & 1) != 0 || prctl(PR_CAPBSET_READ, n, 0, 0, 0) == 0)
			continue;
		if (prctl(PR_CAPBSET_DROP, n, 0, 0, 0) < 0) {
			TEXT(number, 24);
			text_add_number(&number, n);
			return fail(c, "prctl PR_CAPBSET_DROP", number.data);
		}
	}
	return 0;
}

int op_capabilities(struct context *c, const struct op_capabilities *op)
{
	unsigned int count = capability_count();
	uint64_t known = count >= 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
	uint64_t effective = op->effective & known;
	uint64_t permitted = op->permitted & known;
	uint64_t inheritable = op->inheritable & known;
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct data[2] = {
		{ (uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable },
		{ (uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32) },
	};
	if (syscall(SYS_capset, &header, data) < 0)
		return fail(c, "capset", "");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return fail(c, "prctl PR_CAP_AMBIENT", "");
	for (unsigned int n = 0; n < count; n++) {
		if ((op->ambient >> n & 1) == 0)
			continue;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, n, 0, 0) < 0) {
			TEXT(number, 24);
			text_add_number(&number, n);
			return fail(c, "prctl PR_CAP_AMBIENT", number.data);
		}
	}
	return 0;
}

int op_no_new_privileges(struct context *c)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? fail(c, "prctl PR_SET_NO_NEW_PRIVS", "") : 0;
}

int op_seccomp(struct context *c, const struct op_seccomp *op)
{
	const size_t instruction = sizeof(struct sock_filter);
	size_t count = op->program.size / instruction;
	if (op->program.size % instruction != 0 || count == 0 || count > BPF_MAXINSNS)
		return fail_with(c, EINVAL, "seccomp", "size of the filter");
	/* The kernel copies the filter byte by byte: it need not be aligned. */
	const struct {
		uint16_t count;
		const void *filter;
	} program = { (uint16_t)count, op->program.data };
	_Static_assert(sizeof(program) == sizeof(struct sock_fprog), "struct sock_fprog");
	if ((op->flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0)
		return install_notifying(c, op->flags, &program);
	long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, op->flags, &program);
	if (result > 0)
		return fail_with(c, ESRCH, "seccomp", "");
	return result < 0 ? fail(c, "seccomp", "") : 0;
}
