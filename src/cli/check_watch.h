/* SPDX-License-Identifier: Apache-2.0 */
/* What `check` tells others: a file of metrics, and a program that hears each finding once. */
#ifndef CLI_CHECK_WATCH_H
#define CLI_CHECK_WATCH_H

#include "cli/check_table.h"

struct check_watch {
    se_check_finding *list; /* each once, whichever rows have it; the texts are its own */
    size_t count, room;
    bool unchecked; /* not all certificates could be looked at */
    bool failed;    /* out of memory */
};

void check_watch_free(struct check_watch *w);
AUTO_KIND(check_watch, struct check_watch, check_watch_free(p))

void check_watch_add(struct check_watch *w, const se_check_row *row);
/* That there are no rows, and why. */
void check_watch_add_failure(struct check_watch *w, const char *subject, const se_error *why);

/* What the metrics tell besides. */
struct check_result {
    int exit_status;
    const size_t *counts; /* of rows, by their verdict */
    size_t warned;        /* of the configuration */
};
SE_MUST_CHECK se_status check_watch_write(const struct check_watch *w, const char *path,
                                          const struct check_result *result, se_error *err);

struct check_notice {
    const char *command, *state; /* a program; a file, of what it was told */
    int days;                    /* as se_check_options has them */
};
/* Runs the program for each finding that is new or nearer.  An exit status: one that it fails for
 * is told again next time. */
int check_watch_notify(const struct check_watch *w, const struct check_notice *notice,
                       const struct cli *cli);

#endif
