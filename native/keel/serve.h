/* `keel serve`: runs what a client asks for, many requests at a time. */
#ifndef KEEL_SERVE_H
#define KEEL_SERVE_H

/* Serves the client on a stream socket until that is closed. Returns the exit code of the process. */
int serve_main(int client);

#endif
