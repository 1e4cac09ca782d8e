/* `keel browse`: reads and writes files below one root, on `socket`, until the client's end. Returns the exit code. */
#ifndef KEEL_BROWSE_H
#define KEEL_BROWSE_H

int browse_main(int socket);

#endif
