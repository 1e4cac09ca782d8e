/*
 * What happens to a container, told to whoever reads the journal: a file that several monitors and engines append to, each
 * record in one write, so that records are never mixed. Their form is the engine's affair.
 */
#ifndef KEEL_JOURNAL_H
#define KEEL_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "wire.gen.h"

/* Appends the record of the start: the program executes. */
void journal_start(const struct msg_create *create);

/* Appends the record of the container's end; `text` is what the file `exit` says. A failure is nobody's concern. */
void journal_exit(const struct msg_create *create, const char *text);

/*
 * Watches for kills for want of memory while the container runs: for v1 an eventfd of memory.oom_control, for v2 inotify on
 * memory.events. Without them there is only the look at the end.
 */
void journal_watch(const struct msg_create *create);

/* Tells of the last kills, at the container's end, before its cgroup goes; ends the watch. */
void journal_unwatch(const struct msg_create *create);

/* Milliseconds until the next look that is due, -1 when none is. */
int journal_timeout(void);

/* Looks when it is due. */
void journal_progress(const struct msg_create *create);

#endif
