/* Unix sockets by paths of any length (sun_path holds 107 bytes), and descriptors sent through them. */
#ifndef KEEL_UNIX_SOCKET_H
#define KEEL_UNIX_SOCKET_H

#include <stddef.h>

/* Descriptors of one unix_send. */
#define UNIX_SEND_MAX 2

/* Connects to a stream socket. Close-on-exec; -1 with errno. */
int unix_connect(const char *path);

/*
 * Listens on a name in a directory, which takes the place of what had that name. Only its owner may connect. Close-on-exec;
 * -1 with errno.
 */
int unix_listen(int directory, const char *name, int backlog);

/* Sends all of `data` (not empty), with descriptors. Raises no SIGPIPE. -1 with errno. */
int unix_send(int socket, const void *data, size_t size, const int *fds, unsigned int count);

#endif
