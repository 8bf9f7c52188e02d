/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the rules: whether they are in reach, and how long their certificates are valid. */
#ifndef MILTER_WATCH_H
#define MILTER_WATCH_H

#include "milter/conf.h"

/* A descriptor that a rule signs with. */
struct watched {
    const struct rule *rule; /* the first */
    char key[256];           /* its name */
    unsigned version;
    int64_t not_after; /* of the certificate; 0: not known yet */
    bool up;
    char why[256]; /* the reason if it was not up */
};

struct watch {
    struct watched *list;
    size_t count;
};

/* Looks at each key once.  SE_ERR_NO_DESCRIPTOR, SE_ERR_POLICY: a rule can't work, with or
 * without its key store. */
SE_MUST_CHECK se_status watch_begin(struct watch *out, const struct conf *conf, se_engine *engine,
                                    se_error *err);
void watch_free(struct watch *watch);

/* Looks at keys that have come into reach or into use since, for how long their certificates are
 * valid. */
void watch_refresh(struct watch *watch, se_engine *engine);

/* Logs which are out of reach. */
void watch_log(const struct watch *watch);

/* Logs an event of a key. */
void watch_event(struct watch *watch, const se_event *event);

/* For Prometheus. */
void watch_put_metrics(struct writer *w, const struct watch *watch);

#endif
