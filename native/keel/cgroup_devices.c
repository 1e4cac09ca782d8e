/* The device filter of cgroup v2 (BPF_PROG_TYPE_CGROUP_DEVICE, Documentation/admin-guide/cgroup-v2.rst). */
#include <errno.h>
#include <linux/bpf.h>

#include "compat.h"
#include "context.h"

#define MAX_ATTACHED 64
/* Instructions that an unprivileged program may have (BPF_MAXINSNS); rules compile to far fewer. */
#define MAX_INSTRUCTIONS 4096

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int load(const struct wire_bytes *program)
{
	static const char license[] = "Apache-2.0";
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insn_cnt = program->size / (uint32_t)sizeof(struct bpf_insn),
		.insns = (uint64_t)(uintptr_t)program->data,
		.license = (uint64_t)(uintptr_t)license,
	};
	return bpf(BPF_PROG_LOAD, &attr);
}

static int attach(int cgroup, int program, int replaced)
{
	union bpf_attr attr = {
		.target_fd = (uint32_t)cgroup,
		.attach_bpf_fd = (uint32_t)program,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = BPF_F_ALLOW_MULTI | (replaced >= 0 ? BPF_F_REPLACE : 0),
		.replace_bpf_fd = replaced >= 0 ? (uint32_t)replaced : 0,
	};
	return bpf(BPF_PROG_ATTACH, &attr);
}

static int program_by_id(uint32_t id)
{
	union bpf_attr attr = { .prog_id = id };
	return bpf(BPF_PROG_GET_FD_BY_ID, &attr);
}

int op_cgroup_device_filter(struct context *c, const struct op_cgroup_device_filter *op)
{
	uint32_t count = op->program.size / (uint32_t)sizeof(struct bpf_insn);
	if (op->program.size % sizeof(struct bpf_insn) != 0 || count == 0 || count > MAX_INSTRUCTIONS)
		return fail_with(c, EINVAL, "bpf BPF_PROG_LOAD", "size of the program");
	scoped_fd cgroup = open(op->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroup < 0)
		return fail(c, "open", op->path);
	scoped_fd program = load(&op->program);
	if (program < 0)
		return fail(c, "bpf BPF_PROG_LOAD", op->path);
	uint32_t attached[MAX_ATTACHED];
	union bpf_attr query = {
		.query = {
			.target_fd = (uint32_t)cgroup,
			.attach_type = BPF_CGROUP_DEVICE,
			.prog_ids = (uint64_t)(uintptr_t)attached,
			.prog_cnt = MAX_ATTACHED,
		},
	};
	if (bpf(BPF_PROG_QUERY, &query) < 0)
		return fail(c, "bpf BPF_PROG_QUERY", op->path);
	uint32_t before = query.query.prog_cnt;
	/* At no time may the cgroup be without a filter: one is replaced in one step, more are detached after. */
	scoped_fd only = before == 1 ? program_by_id(attached[0]) : -1;
	if (only >= 0 && attach(cgroup, program, only) == 0)
		return 0;
	if (attach(cgroup, program, -1) < 0)
		return fail(c, "bpf BPF_PROG_ATTACH", op->path);
	for (uint32_t i = 0; i < before; i++) {
		scoped_fd old = program_by_id(attached[i]);
		if (old < 0)
			return fail(c, "bpf BPF_PROG_GET_FD_BY_ID", op->path);
		union bpf_attr attr = {
			.target_fd = (uint32_t)cgroup,
			.attach_bpf_fd = (uint32_t)old,
			.attach_type = BPF_CGROUP_DEVICE,
		};
		if (bpf(BPF_PROG_DETACH, &attr) < 0)
			return fail(c, "bpf BPF_PROG_DETACH", op->path);
	}
	return 0;
}
