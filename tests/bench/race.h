/* Two ways of doing the same, in turns: the machine's mood falls out of the ratio of what each did in its turn. */
#ifndef TESTS_BENCH_RACE_H
#define TESTS_BENCH_RACE_H

#include <stdbool.h>

/* One way.  Each thread has what begin() gives it. */
struct runner {
    void *shared;
    void *(*begin)(void *shared);
    bool (*once)(void *own);
    void (*end)(void *own);
};

/*
 * How many a second, the median of the turns; `ratio` likewise, of first to second.  One thread's second is one of the processor, so that
 * other work on the machine counts less; several threads' is one of the clock.
 */
struct result {
    double first, second, ratio;
};
struct result race(const struct runner *first, const struct runner *second, unsigned threads);

/* How many a second, of one runner and one thread, the median. */
double pace(const struct runner *runner);

double seconds_now(void);
double seconds_of_processor(void);
void give_up(const char *what, const char *why) __attribute__((noreturn));

#endif
