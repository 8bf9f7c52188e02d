/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/jobs.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/thread.h"

/* An average of durations, in which a new one counts as much as this part. */
enum { AVERAGE_PART = 16 };

struct jobs {
    pthread_mutex_t lock;
    pthread_cond_t pushed, done;
    struct job *first, **last;
    unsigned reserved, running, most, thread_count, alive;
    bool ending, hurried;
    int64_t average_us;
    pthread_t *threads;
};

/* ---- the queue ---- */

bool jobs_reserve(struct jobs *jobs)
{
    bool has_room;

    pthread_mutex_lock(&jobs->lock);
    if ((has_room = jobs->reserved < jobs->most && !jobs->ending))
        jobs->reserved++;
    pthread_mutex_unlock(&jobs->lock);
    return has_room;
}

void jobs_push(struct jobs *jobs, struct job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&jobs->lock);
    *jobs->last = job;
    jobs->last = &job->next;
    pthread_cond_signal(&jobs->pushed);
    pthread_mutex_unlock(&jobs->lock);
}

/* Under the lock. At the end, a place that is reserved still waits for its job. */
static struct job *take_job(struct jobs *jobs)
{
    struct job *job;

    while (!jobs->first && !(jobs->ending && !jobs->reserved))
        pthread_cond_wait(&jobs->pushed, &jobs->lock);
    if (!(job = jobs->first))
        return NULL;
    if (!(jobs->first = job->next))
        jobs->last = &jobs->first;
    jobs->reserved--;
    jobs->running++;
    if (jobs->ending && !jobs->reserved)
        pthread_cond_broadcast(&jobs->pushed);
    return job;
}

static void *work_off(void *arg)
{
    struct jobs *jobs = arg;
    struct job *job;

    pthread_mutex_lock(&jobs->lock);
    while ((job = take_job(jobs))) {
        const int64_t started = clock_monotonic_us();

        pthread_mutex_unlock(&jobs->lock);
        job->run(job);
        pthread_mutex_lock(&jobs->lock);
        jobs->average_us += (clock_monotonic_us() - started - jobs->average_us) / AVERAGE_PART;
        jobs->running--;
    }
    jobs->alive--;
    pthread_cond_signal(&jobs->done);
    pthread_mutex_unlock(&jobs->lock);
    return NULL;
}

/* ---- what is known about it ---- */

void jobs_hurry(struct jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    jobs->hurried = true;
    pthread_mutex_unlock(&jobs->lock);
}

bool jobs_are_hurried(struct jobs *jobs)
{
    bool hurried;

    pthread_mutex_lock(&jobs->lock);
    hurried = jobs->hurried;
    pthread_mutex_unlock(&jobs->lock);
    return hurried;
}

struct job_counts jobs_count(struct jobs *jobs)
{
    struct job_counts counts;

    pthread_mutex_lock(&jobs->lock);
    counts = (struct job_counts){
        .waiting = jobs->reserved,
        .running = jobs->running,
        .most = jobs->most,
        .threads = jobs->thread_count,
        .wait_s = 1 + (unsigned)(jobs->reserved * jobs->average_us / jobs->thread_count / 1000000),
    };
    pthread_mutex_unlock(&jobs->lock);
    return counts;
}

/* ---- begin and end ---- */

bool jobs_finish(struct jobs *jobs, unsigned wait_ms)
{
    const struct timespec until = deadline_in(wait_ms);
    bool ended;

    pthread_mutex_lock(&jobs->lock);
    jobs->ending = true;
    pthread_cond_broadcast(&jobs->pushed);
    while (jobs->alive &&
           pthread_cond_clockwait(&jobs->done, &jobs->lock, CLOCK_MONOTONIC, &until) == 0)
        ;
    ended = !jobs->alive;
    pthread_mutex_unlock(&jobs->lock);
    return ended;
}

void jobs_free(struct jobs *jobs)
{
    if (!jobs)
        return;
    for (unsigned i = 0; i < jobs->thread_count; i++)
        (void)pthread_join(jobs->threads[i], NULL);
    pthread_cond_destroy(&jobs->pushed);
    pthread_cond_destroy(&jobs->done);
    pthread_mutex_destroy(&jobs->lock);
    free(jobs->threads);
    free(jobs);
}

static bool start_threads(struct jobs *jobs, unsigned threads)
{
    pthread_mutex_lock(&jobs->lock);
    while (jobs->thread_count < threads &&
           thread_start(&jobs->threads[jobs->thread_count], work_off, jobs))
        jobs->thread_count++;
    jobs->alive = jobs->thread_count;
    pthread_mutex_unlock(&jobs->lock);
    return jobs->thread_count == threads;
}

se_status jobs_new(struct jobs **out, unsigned threads, unsigned most, se_error *err)
{
    struct jobs *jobs = calloc(1, sizeof *jobs);

    *out = NULL;
    if (!jobs)
        return error_memory(err);
    *jobs = (struct jobs){ .most = most, .threads = calloc(threads, sizeof *jobs->threads) };
    jobs->last = &jobs->first;
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_cond_init(&jobs->pushed, NULL);
    pthread_cond_init(&jobs->done, NULL);
    if (!jobs->threads || !start_threads(jobs, threads)) {
        (void)jobs_finish(jobs, UINT16_MAX);
        jobs_free(jobs);
        return error_set(err, SE_ERR_MEMORY, "cannot start %u threads", threads);
    }
    *out = jobs;
    return SE_OK;
}
