/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parallel.h"

#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/timed_call.h"

enum { THREAD_WORTH = 250 }; /* microseconds: for less, a thread costs more than it brings */

struct parallel {
    const struct parallel_job *job;
    atomic_size_t next;
};

static void take_slices(void *arg)
{
    struct parallel *p = arg;
    const struct parallel_job *job = p->job;
    size_t from;

    while ((from = atomic_fetch_add(&p->next, job->slice)) < job->count) {
        size_t left = job->count - from;

        job->run(job->arg, from, from + (left < job->slice ? left : job->slice));
    }
}

static unsigned start_helpers(struct helper *helpers[PARALLEL_MOST], struct parallel *p)
{
    static const struct timed_call slices = { .run = take_slices };
    size_t count_of_slices = (p->job->count + p->job->slice - 1) / p->job->slice;
    size_t wanted = p->job->threads < count_of_slices ? p->job->threads : count_of_slices;
    unsigned count = 0;

    while (count + 1 < wanted && count < PARALLEL_MOST &&
           (helpers[count] = helper_start(&slices, p)))
        count++;
    return count;
}

void parallel_run(const struct parallel_job *job)
{
    struct parallel p = { .job = job };
    struct helper *helpers[PARALLEL_MOST];
    unsigned count;
    int cancel;

    /* they work on this stack */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    count = start_helpers(helpers, &p);
    take_slices(&p);
    while (count)
        helper_join(helpers[--count]);
    pthread_setcancelstate(cancel, NULL);
}

unsigned parallel_threads(unsigned wanted)
{
    cpu_set_t set;
    long online;

    if (wanted)
        return wanted;
    if (!sched_getaffinity(0, sizeof set, &set))
        return (unsigned)CPU_COUNT(&set);
    online = sysconf(_SC_NPROCESSORS_ONLN); /* more of them than the set has room for */
    return online > 0 ? (unsigned)online : 1;
}

/* One slice for each thread, which then frees what it has allocated: of many slices each would free
 * what the others have, and wait for them (malloc locks what another thread is at). */
struct parallel_job parallel_small_pieces(size_t count, uint64_t microseconds, unsigned wanted)
{
    const unsigned most = parallel_threads(wanted);
    const uint64_t worth = microseconds / THREAD_WORTH + 1;
    struct parallel_job job = { .count = count, .threads = worth < most ? (unsigned)worth : most };

    job.slice = count / job.threads + 1;
    return job;
}

/* ---- failures ---- */

void first_failure_init(struct first_failure *first)
{
    *first = (struct first_failure){ .why = SE_ERROR_INIT };
    pthread_mutex_init(&first->lock, NULL);
}

void first_failure_free(struct first_failure *first)
{
    pthread_mutex_destroy(&first->lock);
}

void first_failure_note(struct first_failure *first, size_t index, const se_error *why)
{
    if (!why->status)
        return;
    pthread_mutex_lock(&first->lock);
    if (!first->number || index < first->number - 1) {
        first->number = index + 1;
        first->why = *why;
    }
    pthread_mutex_unlock(&first->lock);
}

bool first_failure_has(struct first_failure *first, se_error *why)
{
    bool has;

    pthread_mutex_lock(&first->lock);
    if ((has = first->number))
        *why = first->why;
    pthread_mutex_unlock(&first->lock);
    return has;
}

se_status first_failure_report(struct first_failure *first, const char *piece, se_error *err)
{
    if (!first->number)
        return SE_OK;
    return error_prefix(err, error_copy(err, first->why.status, &first->why), "%s %zu: ", piece,
                        first->number);
}
