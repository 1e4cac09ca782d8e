/* The side of X and C (program.h). */
#ifndef KEEL_EXECUTE_H
#define KEEL_EXECUTE_H

#include "program.h"

/* Runs in a process just forked for it; `channel` leads to M. */
_Noreturn void execute_program(const struct program_options *options, int channel);

#endif
