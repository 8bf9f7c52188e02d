/* SPDX-License-Identifier: Apache-2.0 */
/* How often each descriptor and history was used for what, how it ended, and how long it took. */
#ifndef DAEMON_USES_H
#define DAEMON_USES_H

#include "daemon/failure.h"

enum { USE_BOUNDS = 10 };
extern const double use_bounds[USE_BOUNDS]; /* of durations, seconds */

/* Names are those of a row of <access>: a caller who names something else is refused, and so the
 * configuration decides how many counters there are. */
struct use {
    const char *operation, *descriptor, *history; /* "": none */
    enum failure_kind kind;                       /* FAILURE_NONE: it went well */
    uint64_t items, failed, bytes;                /* failed: of the items */
    int64_t duration_us;
};

/* All uses of the same names. */
struct use_counts {
    char *operation, *descriptor, *history;
    uint64_t kinds[FAILURE_KINDS];
    uint64_t items, failed, bytes;
    uint64_t durations[USE_BOUNDS + 1]; /* up to each bound, and beyond them */
    uint64_t duration_us;
};

struct uses;

SE_MUST_CHECK se_status uses_new(struct uses **out, se_error *err);
void uses_free(struct uses *uses);

/* What there is no memory for is not counted. */
void uses_count(struct uses *uses, const struct use *use);

/* In the order of their names. `fn` is quick: nothing is counted meanwhile. */
void uses_list(struct uses *uses, void (*fn)(void *arg, const struct use_counts *counts),
               void *arg);

#endif
