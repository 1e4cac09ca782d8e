/*
 * A monitor that does not stay: it creates a container, or starts a process in one, and leaves it to the nearest subreaper
 * above whoever asked, as callers of an OCI runtime expect.
 *
 *          monitor               C                                    starter
 *             │<─── CREATED ─────│  wait-start
 *             │  writes `pid`, sends the terminal and the pidfd
 *             │──── start ──────>│
 *   created <─┤ (ends)           │  listens on start.sock
 *             ·                  │<────────────── connects ────────────│
 *                                │─────────────── done ───────────────>│
 *                                │─────── end of file, or failed ─────>│   exec
 *
 * Without a `start-socket` the program runs on at `start`, and `created` is answered when it has exec'd.
 */
#ifndef KEEL_ORPHAN_H
#define KEEL_ORPHAN_H

#include "wire.gen.h"

/* Like monitor_main. When it has ended, the container's process is its new parent's. */
_Noreturn void orphan_main(uint32_t request, const struct msg_create *create, int reply);

#endif
