/* Processor, I/O and memory: how the kernel serves the process. */
#include <errno.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/personality.h>

#include "compat.h"
#include "context.h"

/* Processors that any Linux is built for (CONFIG_NR_CPUS of x86). */
#define MAX_PROCESSORS 8192
/* Memory nodes likewise (CONFIG_NODES_SHIFT is at most 10). */
#define MAX_NODES 1024

#define LONG_BITS (8 * sizeof(unsigned long))

/* sched_setattr(2): struct sched_attr up to and with the clamps (SCHED_ATTR_SIZE_VER1, Linux 5.3). */
struct scheduling_attributes {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime;
	uint64_t deadline;
	uint64_t period;
	uint32_t least_utilization;
	uint32_t most_utilization;
};

int set_scheduler(struct context *c, const struct op_scheduler *op, pid_t pid)
{
	const struct scheduling_attributes attributes = {
		.size = sizeof(attributes),
		.policy = op->policy,
		.flags = op->flags,
		.nice = op->nice,
		.priority = op->priority,
		.runtime = op->runtime,
		.deadline = op->deadline,
		.period = op->period,
	};
	return syscall(SYS_sched_setattr, pid, &attributes, 0) < 0 ? fail(c, "sched_setattr", "") : 0;
}

int op_scheduler(struct context *c, const struct op_scheduler *op)
{
	return c->container && c->user_namespace ? ask_parent(c, NULL) : set_scheduler(c, op, 0);
}

int set_io_priority(struct context *c, const struct op_io_priority *op, pid_t pid)
{
	if (op->class > IOPRIO_CLASS_IDLE || op->level >= IOPRIO_NR_LEVELS)
		return fail_with(c, EINVAL, "ioprio_set", "");
	unsigned long value = IOPRIO_PRIO_VALUE(op->class, op->level);
	return syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, pid, value) < 0 ? fail(c, "ioprio_set", "") : 0;
}

int op_io_priority(struct context *c, const struct op_io_priority *op)
{
	return c->container && c->user_namespace ? ask_parent(c, NULL) : set_io_priority(c, op, 0);
}

/* Numbers to bits; false when one is too large. */
static bool set_bits(unsigned long *mask, size_t bits, const struct wire_list_u32 *numbers)
{
	for (uint32_t i = 0; i < numbers->count; i++) {
		if (numbers->items[i] >= bits)
			return false;
		mask[numbers->items[i] / LONG_BITS] |= 1UL << (numbers->items[i] % LONG_BITS);
	}
	return true;
}

int op_cpu_affinity(struct context *c, const struct op_cpu_affinity *op)
{
	/* The kernel reads as much of it as it has processors for. */
	unsigned long mask[MAX_PROCESSORS / LONG_BITS] = { 0 };
	if (op->processors.count == 0) {
		memset(mask, 0xff, sizeof(mask));
		syscall(SYS_sched_setaffinity, 0, sizeof(mask), mask);
		return 0;
	}
	if (!set_bits(mask, MAX_PROCESSORS, &op->processors))
		return fail_with(c, EINVAL, "sched_setaffinity", "");
	return syscall(SYS_sched_setaffinity, 0, sizeof(mask), mask) < 0 ? fail(c, "sched_setaffinity", "") : 0;
}

int op_personality(struct context *c, const struct op_personality *op)
{
	return personality((unsigned long)op->domain) < 0 ? fail(c, "personality", "") : 0;
}

int op_memory_policy(struct context *c, const struct op_memory_policy *op)
{
	unsigned long mask[MAX_NODES / LONG_BITS] = { 0 };
	if (!set_bits(mask, MAX_NODES, &op->nodes))
		return fail_with(c, EINVAL, "set_mempolicy", "");
	/* The kernel takes one bit less than it is told of. */
	bool empty = op->nodes.count == 0;
	if (syscall(SYS_set_mempolicy, op->mode, empty ? NULL : mask, empty ? 0 : MAX_NODES + 1) < 0)
		return fail(c, "set_mempolicy", "");
	return 0;
}
