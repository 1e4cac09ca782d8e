/*
 * Builds a filter with libseccomp from lines on stdin, and writes it to stdout as classic BPF.
 *
 *   default ACTION            SECCOMP_RET_* in decimal; first line
 *   arch NAME                 a further architecture, e.g. x86
 *   rule ACTION NAME [INDEX OPERATOR A B]...
 *
 * Names that this libseccomp does not know are written to stderr, one a line, and skipped.
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

int main(void)
{
	scmp_filter_ctx filter = NULL;
	char line[4096];

	while (fgets(line, sizeof line, stdin) != NULL) {
		char *save;
		const char *kind = strtok_r(line, " \n", &save);
		if (kind == NULL)
			continue;
		if (strcmp(kind, "default") == 0) {
			filter = seccomp_init((uint32_t)strtoul(strtok_r(NULL, " \n", &save), NULL, 10));
			if (filter == NULL)
				die("init", EINVAL);
		} else if (strcmp(kind, "arch") == 0) {
			int error = seccomp_arch_add(filter, seccomp_arch_resolve_name(strtok_r(NULL, " \n", &save)));
			if (error != 0 && error != -EEXIST)
				die("arch", -error);
		} else {
			uint32_t action = (uint32_t)strtoul(strtok_r(NULL, " \n", &save), NULL, 10);
			const char *name = strtok_r(NULL, " \n", &save);
			int number = seccomp_syscall_resolve_name(name);
			struct scmp_arg_cmp conditions[6];
			unsigned int count = 0;
			const char *word;

			while ((word = strtok_r(NULL, " \n", &save)) != NULL && count < 6) {
				conditions[count].arg = (unsigned int)strtoul(word, NULL, 10);
				conditions[count].op = (enum scmp_compare)strtoul(strtok_r(NULL, " \n", &save), NULL, 10);
				conditions[count].datum_a = strtoull(strtok_r(NULL, " \n", &save), NULL, 10);
				conditions[count].datum_b = strtoull(strtok_r(NULL, " \n", &save), NULL, 10);
				count++;
			}
			if (number == __NR_SCMP_ERROR) {
				fprintf(stderr, "%s\n", name);
				continue;
			}
			int error = seccomp_rule_add_array(filter, action, number, count, conditions);
			if (error != 0)
				die(name, -error);
		}
	}
	int error = seccomp_export_bpf(filter, STDOUT_FILENO);
	if (error != 0)
		die("export", -error);
	return 0;
}
