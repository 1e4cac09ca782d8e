/* keel's own executable. */
#ifndef KEEL_SELF_H
#define KEEL_SELF_H

/*
 * Makes sure that this process runs from a sealed copy of its executable in memory, which nothing inside a container can
 * change (CVE-2019-5736): starts itself anew from one when it does not. Then SELF_FD (context.h) is that copy, and no other
 * descriptor from 4 on is open. -1 with errno.
 */
int run_sealed(char *const argv[], char *const envp[]);

#endif
