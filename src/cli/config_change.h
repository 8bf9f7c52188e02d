/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration, changed by a command: one at a time, whole or not at all, and signed again if
 * it was signed.  Its owner, group and mode stay.
 */
#ifndef CLI_CONFIG_CHANGE_H
#define CLI_CONFIG_CHANGE_H

#include "cli/cli.h"

struct config_change {
    struct cli *cli;
    const char *sign; /* NAME[:VERSION] of who signs it again; NULL: nobody is named */
    const char *path;
    int lock;    /* the configuration, open */
    se_buf text; /* as it was */
    se_buf next; /* as it is to be; the caller makes it */
};

void config_change_free(struct config_change *change);
AUTO_KIND(config_change, struct config_change, config_change_free(p))

/* With `cli`, `sign` and a `lock` of -1: locks the configuration against other commands that change
 * it, and reads it.  SE_ERR_UNAVAILABLE: it is locked. */
SE_MUST_CHECK se_status config_change_begin(struct config_change *change, se_error *err);

/* SE_ERR_USAGE: the configuration is signed, and nobody is named who signs it again. */
SE_MUST_CHECK se_status config_change_check_signer(const struct config_change *change,
                                                   se_error *err);

/* `next` takes the place of the configuration. */
SE_MUST_CHECK se_status config_change_commit(struct config_change *change, se_error *err);

/* A file with a text of a configuration, which may hold PINs. */
SE_MUST_CHECK se_status config_text_write(const char *path, const se_buf *text, se_error *err);

/* What differs: for machines on standard output, or for people as lines with - and +. */
struct config_difference {
    bool json;
    FILE *out; /* NULL: people don't hear of it */
};
void config_change_print(void *difference, const char *item, const char *property,
                         const char *before, const char *after);

#endif
