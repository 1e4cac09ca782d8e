/* keel's own executable. */
#ifndef KEEL_SELF_H
#define KEEL_SELF_H

/* Descriptors that may be given to the programs of containers. */
#define MAX_PRESERVED 1024

/*
 * How many descriptors this process was given for them, from PRESERVED_FD (context.h) on, close-on-exec: the caller had them
 * behind the socket, from 4 on.
 */
extern unsigned int preserved_descriptors;

/*
 * Makes sure that this process runs from a sealed copy of its executable in memory, which nothing inside a container can
 * change (CVE-2019-5736): starts itself anew from one when it does not. Then SELF_FD (context.h) is that copy, and no other
 * descriptor from 4 on is open but those that are preserved. -1 with errno.
 */
int run_sealed(char *const argv[], char *const envp[]);

/* Gives back the memory of code that has run, for a process that is going to wait for long. */
void release_code(void);

#endif
