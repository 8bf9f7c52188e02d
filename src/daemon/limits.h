/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much a caller may do: at most N in any 60 seconds, for each row of <access> and each caller.
 * They go by names, so that a reload forgives nothing. Threads: any number.
 */
#ifndef DAEMON_LIMITS_H
#define DAEMON_LIMITS_H

#include <signengine.h>

struct limits;

SE_MUST_CHECK se_status limits_new(struct limits **out, se_error *err);
void limits_free(struct limits *limits);

struct limit {
    const char *row, *caller;
    unsigned per_minute; /* 0: there is none */
};

/*
 * Takes `items` at once, or nothing. `now`: clock_monotonic_ms(). SE_ERR_POLICY: that is more than
 * is left; *wait_s says in how many seconds the next is.
 */
SE_MUST_CHECK se_status limits_take(unsigned *wait_s, struct limits *limits,
                                    const struct limit *limit, uint64_t items, int64_t now,
                                    se_error *err);

/* Gives back what was taken just now. */
void limits_give(struct limits *limits, const struct limit *limit, uint64_t items, int64_t now);

#endif
