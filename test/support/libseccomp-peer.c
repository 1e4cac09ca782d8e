/*
 * What libseccomp makes of a profile, and what it knows of system calls.
 *
 * Without an argument it builds a filter from lines on stdin, and writes it to stdout as classic BPF, in the byte order of
 * its architecture:
 *
 *   default ACTION            SECCOMP_RET_* in decimal; first line
 *   only ARCH                 without the architecture of this machine, but with this one, e.g. s390x
 *   arch ARCH                 a further architecture, e.g. x86
 *   optimize LEVEL            SCMP_FLTATR_CTL_OPTIMIZE: 1 a list of calls, 2 a binary tree
 *   rule ACTION NAME [INDEX OPERATOR A B]...
 *
 * Names that this libseccomp does not know are written to stderr, one a line, and skipped.
 *
 * With the argument `numbers` it reads lines `ARCH FIRST LAST`, and writes `ARCH NUMBER NAME` for each number that it knows.
 * An architecture that it does not know is written to stderr as `arch NAME`.
 */
#include <errno.h>
#include <inttypes.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void die(const char *what, int error)
{
	fprintf(stderr, "fatal: %s: %s\n", what, strerror(error));
	exit(1);
}

static const char *word(char **rest)
{
	const char *next = strtok_r(NULL, " \n", rest);
	if (next == NULL)
		die("line", EINVAL);
	return next;
}

static int numbers(void)
{
	char name[32];
	int first;
	int last;

	while (scanf("%31s %d %d", name, &first, &last) == 3) {
		uint32_t arch = seccomp_arch_resolve_name(name);
		if (arch == 0) {
			fprintf(stderr, "arch %s\n", name);
			continue;
		}
		for (int number = first; number <= last; number++) {
			char *call = seccomp_syscall_resolve_num_arch(arch, number);
			if (call != NULL)
				printf("%s %d %s\n", name, number, call);
			free(call);
		}
	}
	return 0;
}

static void add_rule(scmp_filter_ctx filter, char **rest)
{
	uint32_t action = (uint32_t)strtoul(word(rest), NULL, 10);
	const char *name = word(rest);
	int number = seccomp_syscall_resolve_name(name);
	struct scmp_arg_cmp conditions[6];
	unsigned int count = 0;
	const char *index;

	while ((index = strtok_r(NULL, " \n", rest)) != NULL && count < 6) {
		conditions[count].arg = (unsigned int)strtoul(index, NULL, 10);
		conditions[count].op = (enum scmp_compare)strtoul(word(rest), NULL, 10);
		conditions[count].datum_a = strtoull(word(rest), NULL, 10);
		conditions[count].datum_b = strtoull(word(rest), NULL, 10);
		count++;
	}
	if (number == __NR_SCMP_ERROR) {
		fprintf(stderr, "%s\n", name);
		return;
	}
	int error = seccomp_rule_add_array(filter, action, number, count, conditions);
	if (error != 0)
		die(name, -error);
}

static void add_architecture(scmp_filter_ctx filter, const char *name)
{
	uint32_t arch = seccomp_arch_resolve_name(name);
	int error = arch == 0 ? -EINVAL : seccomp_arch_add(filter, arch);
	if (error != 0 && error != -EEXIST)
		die(name, -error);
}

int main(int argc, char **argv)
{
	scmp_filter_ctx filter = NULL;
	char line[4096];

	if (argc > 1 && strcmp(argv[1], "numbers") == 0)
		return numbers();
	while (fgets(line, sizeof line, stdin) != NULL) {
		char *rest;
		const char *kind = strtok_r(line, " \n", &rest);
		int error = 0;

		if (kind == NULL)
			continue;
		if (strcmp(kind, "default") == 0) {
			filter = seccomp_init((uint32_t)strtoul(word(&rest), NULL, 10));
			if (filter == NULL)
				die("init", EINVAL);
		} else if (strcmp(kind, "only") == 0) {
			error = seccomp_arch_remove(filter, SCMP_ARCH_NATIVE);
			add_architecture(filter, word(&rest));
		} else if (strcmp(kind, "arch") == 0) {
			add_architecture(filter, word(&rest));
		} else if (strcmp(kind, "optimize") == 0) {
			error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, (uint32_t)atoi(word(&rest)));
		} else {
			add_rule(filter, &rest);
		}
		if (error != 0)
			die(kind, -error);
	}
	int error = seccomp_export_bpf(filter, STDOUT_FILENO);
	if (error != 0)
		die("export", -error);
	return 0;
}
