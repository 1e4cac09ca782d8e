/* `keel apply`: makes the entries of one layer below one directory. Reads frames from descriptor 3 until it is closed. */
#ifndef KEEL_APPLY_H
#define KEEL_APPLY_H

/* Returns the exit code of the process. */
int apply_main(int socket);

#endif
