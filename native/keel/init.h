/* `keel init`: pid 1 of a container that wants one. */
#ifndef KEEL_INIT_H
#define KEEL_INIT_H

/*
 * Starts a program, forwards every signal to it, reaps whatever ends, and returns the program's exit code (128 + the signal
 * that ended it; 127 when it is not found, 126 when it cannot be run).
 */
int init_main(char *const argv[], char *const envp[]);

#endif
