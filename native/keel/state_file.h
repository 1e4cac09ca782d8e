/* Files by which others learn about a container without asking its monitor. */
#ifndef KEEL_STATE_FILE_H
#define KEEL_STATE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

/* Writes a file of at most 127 bytes whole or not at all (temporary file, rename). Returns 0, or -1 with errno. */
__attribute__((format(printf, 3, 4))) int state_file_write(int directory, const char *name, const char *format, ...);

/* Field 22 of /proc/PID/stat, when the process started in clock ticks since boot; 0 when it can't be read. */
unsigned long long start_time(pid_t pid);

/*
 * How many OOM kills the cgroup has had, by the `oom_kill` line of v1's memory.oom_control or v2's memory.events. 0 for an
 * empty path or a file that can't be read.
 */
unsigned long long oom_kills(const char *path);

#endif
