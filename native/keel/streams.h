/* A session's standard streams: pipes, or a terminal's master. */
#ifndef KEEL_STREAMS_H
#define KEEL_STREAMS_H

#include "session.h"

/*
 * Makes the pipes. `theirs` are the process's ends, -1 where it gets /dev/null; the caller closes them. Returns 0, or -1 with
 * errno, nothing being left open.
 */
int streams_open(struct session *session, const struct session_options *options, int theirs[3]);

/* Takes the terminal's master for all streams. Without the memory for that, the process gets a hang-up. */
void streams_terminal(struct session *session, int master);

/* Reads what there is after the process has ended. Leaves open only what someone else still holds. */
void streams_drain(struct session *session);

bool streams_ended(const struct session *session);

/* Whether reading is held back by someone attached who is too slow. */
bool streams_blocked(const struct session *session);

void streams_close(struct session *session);

#endif
