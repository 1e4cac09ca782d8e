/*
 * stopwatch GAP COMMAND...: sleeps GAP ms, runs the command with its stdout closed to /dev/null, and prints how many ms
 * passed from before its creation until its end. Ends with 1 when the command failed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	long gap = strtol(argv[1], NULL, 10);
	posix_spawn_file_actions_t actions;
	if (posix_spawn_file_actions_init(&actions) != 0 ||
	    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) != 0)
		return 2;
	if (gap > 0)
		nanosleep(&(struct timespec){gap / 1000, gap % 1000 * 1000000}, NULL);
	double start = now();
	pid_t child;
	int status;
	if (posix_spawnp(&child, argv[2], &actions, NULL, argv + 2, environ) != 0 ||
	    waitpid(child, &status, 0) != child)
		return 2;
	printf("%.3f\n", now() - start);
	return status == 0 ? 0 : 1;
}
