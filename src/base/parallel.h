/* SPDX-License-Identifier: Apache-2.0 */
/* Work on many pieces, by the caller's thread and by some of those of base/timed_call.h. */
#ifndef BASE_PARALLEL_H
#define BASE_PARALLEL_H

#include <pthread.h>

#include "base/error.h"

enum { PARALLEL_MOST = 64 }; /* threads */

struct parallel_job {
    size_t count;     /* pieces */
    size_t slice;     /* how many of them a thread takes at a time */
    unsigned threads; /* at the most, with the caller's */
    /* The pieces from `from` to before `to`.  Called on several threads at once. */
    void (*run)(void *arg, size_t from, size_t to);
    void *arg;
};

/* Returns when all is done.  Threads that can't be started are missed by nobody. */
void parallel_run(const struct parallel_job *job);

/* Many small pieces, `microseconds` of work in all: by so many threads as that is worth, of
 * `wanted` as below. */
struct parallel_job parallel_small_pieces(size_t count, uint64_t microseconds, unsigned wanted);

/* `wanted`, or if that is 0 one thread for each processor that this process may use. */
unsigned parallel_threads(unsigned wanted);

/* Of several threads' failures, that of the first piece. */
struct first_failure {
    pthread_mutex_t lock;
    size_t number; /* of the piece, from 1 on; 0: none failed */
    se_error why;
};
void first_failure_init(struct first_failure *first);
void first_failure_free(struct first_failure *first);
/* Counts for nothing without a status. */
void first_failure_note(struct first_failure *first, size_t index, const se_error *why);
/* Whether there is one by now. */
bool first_failure_has(struct first_failure *first, se_error *why);
/* When all is done.  The text begins with `piece`, as "field", and its number. */
SE_MUST_CHECK se_status first_failure_report(struct first_failure *first, const char *piece,
                                             se_error *err);

#endif
