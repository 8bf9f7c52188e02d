/* SPDX-License-Identifier: Apache-2.0 */
/* Two ways of doing the same, in turns: the machine's mood falls out of the ratio of what each did
 * in its turn. */
#ifndef TESTS_BENCH_RACE_H
#define TESTS_BENCH_RACE_H

#include <stdbool.h>

#include "signengine.h"

/* One way.  Each thread has what begin() gives it. */
struct runner {
    void *shared;
    void *(*begin)(void *shared);
    bool (*once)(void *own);
    void (*end)(void *own);
    unsigned threads; /* at the most: more of them crash it; 0: any number */
};

/* begin() and end() of what its threads share. */
void *begin_same(void *shared);
void end_nothing(void *own);

/* How long a turn is, so that what is in flight at its end does not count, and how many there are.
 */
struct turns {
    unsigned ms, count;
};
extern const struct turns usual_turns;

/* How many in a second of the clock, and in a second of the processor. */
struct rate {
    double clock, processor;
};

/*
 * The medians of the turns; `ratio` likewise, of first to second.  On a machine with other work the
 * clock counts what share of it each of the two gets, and threads that often sleep get more; the
 * processor does not count how long threads wait for each other.
 */
struct result {
    struct rate first, second, ratio;
};
struct result race(const struct runner *first, const struct runner *second, unsigned threads,
                   const struct turns *turns);

/* How many in a second of the processor, of one runner and one thread, the median. */
double pace(const struct runner *runner);

/* Of the table, as bench.sh wants it. */
void row(const char *measure, const char *setting, unsigned threads, double ours, const char *peer,
         double theirs, double ratio);

double median(double *values, size_t count);
double seconds_now(void);
double seconds_of_processor(void);
void give_up(const char *what, const char *why) __attribute__((noreturn));
void must(se_status st, const se_error *err);

#endif
