/*
 * The monitor: the process that stays with a container. It is the parent of the container's first process, holds its pipes
 * or terminal, writes the log, keeps the exit status on disk, and serves attach, exec, resize, signal and wait on
 * <state>/monitor.sock. It outlives whoever started it.
 *
 * Files that it keeps in the state directory, each written whole or not at all (temporary file, rename):
 *   pid    "PID START MONITOR START\n"   the container's first process and the monitor; START is field 22 of /proc/PID/stat
 *   exit   "STATUS SIGNAL OOM SECONDS NANOSECONDS\n"   as in the `exited` message; OOM is 0 or 1
 *   log-lost   "BYTES\n"   only when the log could not be written at times: how many of its bytes are missing
 *
 * Signals TERM, INT, HUP, USR1, USR2 and QUIT sent to the monitor go to the container's first process.
 */
#ifndef KEEL_MONITOR_H
#define KEEL_MONITOR_H

#include "wire.gen.h"

/*
 * Called in a process that `keel serve` has just forked for a `create` request. Takes over: never returns. Answers the
 * request (`created` or `failed`, one whole frame with this request id) on `reply`, a stream that `serve` forwards to its
 * client, and closes it.
 */
_Noreturn void monitor_main(uint32_t request, const struct msg_create *create, int reply);

#endif
