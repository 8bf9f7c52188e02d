/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/race.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TURNS_MOST = 121, THREADS_MOST = 256 };

const struct turns usual_turns = { 100, 63 };

void give_up(const char *what, const char *why)
{
    fprintf(stderr, "bench: %s: %s\n", what, why);
    exit(1);
}

void must(se_status st, const se_error *err)
{
    if (st)
        give_up(se_status_name(st), err->text);
}

void *begin_same(void *shared)
{
    return shared;
}

void end_nothing(void *own)
{
    (void)own;
}

void row(const char *measure, const char *setting, unsigned threads, double ours, const char *peer,
         double theirs, double ratio)
{
    printf("%s\t%s\t%u\t%.2f\t%s\t%.2f\t%.3f\n", measure, setting, threads, ours, peer, theirs,
           ratio);
    (void)fflush(stdout);
}

static double seconds_by(clockid_t clock)
{
    struct timespec t;

    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double seconds_now(void)
{
    return seconds_by(CLOCK_MONOTONIC);
}

double seconds_of_processor(void)
{
    return seconds_by(CLOCK_PROCESS_CPUTIME_ID);
}

struct worker {
    const struct runner *runner;
    const atomic_bool *stop;
    pthread_barrier_t *start;
    uint64_t count;
};

static void *work(void *arg)
{
    struct worker *w = arg;
    void *own = w->runner->begin(w->runner->shared);

    pthread_barrier_wait(w->start);
    while (!atomic_load_explicit(w->stop, memory_order_relaxed)) {
        if (!w->runner->once(own))
            give_up("an operation", "failed");
        w->count++;
    }
    w->runner->end(own);
    return NULL;
}

static struct rate turn(const struct runner *runner, unsigned threads, unsigned ms)
{
    static struct worker workers[THREADS_MOST];
    pthread_t ids[THREADS_MOST];
    pthread_barrier_t start;
    atomic_bool stop = false;
    uint64_t count = 0;
    double began, processor;

    if (runner->threads && threads > runner->threads)
        threads = runner->threads;
    pthread_barrier_init(&start, NULL, threads + 1);
    for (unsigned i = 0; i < threads; i++) {
        workers[i] = (struct worker){ .runner = runner, .stop = &stop, .start = &start };
        if (pthread_create(&ids[i], NULL, work, &workers[i]))
            give_up("a thread", "could not be made");
    }
    pthread_barrier_wait(&start);
    began = seconds_now();
    processor = seconds_of_processor();
    nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000L }, NULL);
    atomic_store(&stop, true);
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        count += workers[i].count;
    }
    began = seconds_now() - began;
    processor = seconds_of_processor() - processor;
    pthread_barrier_destroy(&start);
    return (struct rate){ (double)count / began, (double)count / processor };
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, ascending);
    return values[count / 2];
}

static struct rate medians(const struct rate *rates, unsigned count)
{
    double clock[TURNS_MOST], processor[TURNS_MOST];

    for (unsigned i = 0; i < count; i++) {
        clock[i] = rates[i].clock;
        processor[i] = rates[i].processor;
    }
    return (struct rate){ median(clock, count), median(processor, count) };
}

struct result race(const struct runner *first, const struct runner *second, unsigned threads,
                   const struct turns *turns)
{
    struct rate firsts[TURNS_MOST], seconds[TURNS_MOST], ratios[TURNS_MOST];
    unsigned count = turns->count < TURNS_MOST ? turns->count : TURNS_MOST;

    threads %= THREADS_MOST;
    (void)turn(first, threads, turns->ms); /* sessions and caches are warm after that */
    for (unsigned i = 0; i < count; i++) {
        if (i % 2)
            firsts[i] = turn(first, threads, turns->ms);
        seconds[i] = turn(second, threads, turns->ms);
        if (i % 2 == 0)
            firsts[i] = turn(first, threads, turns->ms);
        ratios[i] = (struct rate){ firsts[i].clock / seconds[i].clock,
                                   firsts[i].processor / seconds[i].processor };
    }
    return (struct result){ medians(firsts, count), medians(seconds, count),
                            medians(ratios, count) };
}

double pace(const struct runner *runner)
{
    struct rate turns[TURNS_MOST];

    (void)turn(runner, 1, usual_turns.ms);
    for (unsigned i = 0; i < usual_turns.count; i++)
        turns[i] = turn(runner, 1, usual_turns.ms);
    return medians(turns, usual_turns.count).processor;
}
