/* SPDX-License-Identifier: Apache-2.0 */
/* Other programs, as sendmail(8), that get something to read on their standard input. */
#ifndef CLI_SPAWN_H
#define CLI_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "signengine.h"

struct spawn {
    const char *option; /* what named it, for messages */
    char **arguments;   /* with its name as first one, and NULL as last */
    bool search;        /* a name without a slash is looked up in $PATH */
    int input;  /* a file, read from its start: unlike a pipe, it blocks no writer and sends no
                 * SIGPIPE
                 */
    int output; /* a file that gets what it writes; 0: our standard output does */
};

/*
 * Runs it, without a shell and with no other descriptors than the first three, and waits for it;
 * *status is what it ended with. SE_ERR_UNAVAILABLE: it could not be run, or was killed.
 */
SE_MUST_CHECK se_status spawn_run(int *status, const struct spawn *spawn, se_error *err);

/* The halves of that. */
SE_MUST_CHECK se_status spawn_start(pid_t *child, const struct spawn *spawn, se_error *err);
SE_MUST_CHECK se_status spawn_await(int *status, pid_t child, const struct spawn *spawn,
                                    se_error *err);

#endif
