/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which version of a descriptor signs and encrypts at a time.  It is looked up for each job, and
 * nothing is kept: all processes on one configuration switch when their clocks say so.
 */
#ifndef CONFIG_VERSIONS_H
#define CONFIG_VERSIONS_H

#include "config/config.h"

struct version_wish {
    unsigned version; /* 0: the current one */
    unsigned least;   /* no older one, and this one before its `from` too; 0: any */
    int64_t time;     /* seconds */
    bool any_time;    /* `version` works before its `from` and after its `until` as well */
};

/*
 * The current version is the highest whose time it is and that signs.  One that is asked for by its
 * number signs while its own time lasts, whether or not there is a higher one.
 * SE_ERR_NO_DESCRIPTOR: as config_descriptor().  SE_ERR_POLICY says from when, or until when.
 * SE_ERR_USAGE: at any time, and no version is asked for.
 */
SE_MUST_CHECK se_status config_version(const struct descriptor **out, const struct config *config,
                                       const char *name, const struct version_wish *wish,
                                       se_error *err);

bool is_version_time(const struct version_time *v, int64_t time);

/* The current one; NULL: there is none. */
const struct descriptor *config_current(const struct config *config, const char *name,
                                        int64_t time);

se_version_state version_state(const struct config *config, const struct descriptor *d,
                               int64_t time);

/* "signs" or "encrypts" */
const char *version_verb(const struct descriptor *d);

/* SE_ERR_NO_DESCRIPTOR: `what`, as "the value", was made with a version that is not there. */
se_status error_no_version(se_error *err, const struct config *config, const char *what,
                           const char *name, unsigned version);

#endif
