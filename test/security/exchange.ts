/** A program in C. `exchange A B`: exchanges two names without end; on SIGTERM it prints how often it has. */
export const exchangeSource = `
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t ended;
static void end(int signal) { ended = signal; }

int main(int argc, char **argv)
{
	signal(SIGTERM, end);
	unsigned long count = 0;
	while (!ended && argc == 3)
		count += renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) == 0;
	printf("%lu\\n", count);
	return 0;
}
`;
