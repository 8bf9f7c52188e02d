/* SPDX-License-Identifier: Apache-2.0 */
/* A queue with an end, and the threads that work on it: a key store that hangs holds up none of the
 * threads that read and write. */
#ifndef DAEMON_JOBS_H
#define DAEMON_JOBS_H

#include <signengine.h>

struct job {
    struct job *next;
    void (*run)(struct job *job); /* it may release the job */
};

struct jobs;

/* Starts its threads. `most`: how many jobs may wait. */
SE_MUST_CHECK se_status jobs_new(struct jobs **out, unsigned threads, unsigned most, se_error *err);

/* A place for a job; false: the queue is full. It has to be followed by jobs_push(). */
bool jobs_reserve(struct jobs *jobs);
void jobs_push(struct jobs *jobs, struct job *job);

/* What is left ends soon: jobs look at this before they begin. */
void jobs_hurry(struct jobs *jobs);
bool jobs_are_hurried(struct jobs *jobs);

struct job_counts {
    unsigned waiting, running, most, threads;
    unsigned wait_s; /* in which the queue is probably worked off; at least 1 */
};
struct job_counts jobs_count(struct jobs *jobs);

/* Takes no more jobs, and waits for all that are there. False: some still run after `wait_ms`. */
bool jobs_finish(struct jobs *jobs, unsigned wait_ms);

/* All have finished before. */
void jobs_free(struct jobs *jobs);

#endif
