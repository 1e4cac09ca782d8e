/* First processes of pid namespaces: `keel init`, of a container that wants one, and `keel hold`, of a pod. */
#ifndef KEEL_INIT_H
#define KEEL_INIT_H

/*
 * Starts a program, forwards every signal to it, reaps whatever ends, and returns the program's exit code (128 + the signal
 * that ended it; 127 when it is not found, 126 when it cannot be run).
 */
int init_main(char *const argv[], char *const envp[]);

/* Holds the pid namespace that the containers of a pod share: reaps whatever ends, and does nothing else until it is killed. */
_Noreturn void hold_main(void);

#endif
