/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timed_call.h"

#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>

#include "base/deadline.h"
#include "base/fork_lock.h"
#include "base/thread.h"

enum call_state {
    CALL_WANTED, /* or at work */
    CALL_DONE,
    CALL_LATE, /* its caller has gone, perhaps before it began */
};

struct worker {
    sem_t wanted, done; /* a post each way: a woken thread would find a lock still held */
    int state;          /* atomic: whether the worker or the deadline was first */
    const struct timed_call *call;
    void *arg;
    struct worker *next; /* idle */
};

/* under fork_lock_take(): the idle workers, and the generation of processes that they belong to */
static struct worker *idle;
static unsigned generation;

static unsigned late; /* atomic */
static _Thread_local bool is_worker;

/* ---- with the lock held ---- */

/* In the child of a fork, the threads behind the list are not there. */
static struct worker **idle_list(void)
{
    struct worker *w;

    while (generation != fork_generation() && (w = idle)) {
        idle = w->next;
        free(w);
    }
    if (generation != fork_generation())
        __atomic_store_n(&late, 0, __ATOMIC_RELAXED);
    generation = fork_generation();
    return &idle;
}

/* ---- workers ---- */

static void idle_put(struct worker *w)
{
    struct worker **list;

    fork_lock_take();
    list = idle_list();
    w->next = *list;
    *list = w;
    fork_lock_give();
}

static struct worker *idle_take(void)
{
    struct worker **list, *w;

    fork_lock_take();
    list = idle_list();
    if ((w = *list))
        *list = w->next;
    fork_lock_give();
    return w;
}

/* False: a caller has just taken it. */
static bool idle_remove(struct worker *w)
{
    struct worker **place;
    bool found;

    fork_lock_take();
    for (place = idle_list(); *place && *place != w; place = &(*place)->next)
        ;
    if ((found = *place))
        *place = w->next;
    fork_lock_give();
    return found;
}

static void worker_free(struct worker *w)
{
    sem_destroy(&w->wanted);
    sem_destroy(&w->done);
    free(w);
}

/* True: the state is `to` now; false: the other side was first. */
static bool settle_state(struct worker *w, enum call_state to)
{
    int wanted = CALL_WANTED;

    return __atomic_compare_exchange_n(&w->state, &wanted, to, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

/* False: nothing was posted until then. */
static bool wait_for_post(struct worker *w, sem_t *post, const struct timespec *until)
{
    int failure;

    while ((failure = sem_clockwait(post, CLOCK_MONOTONIC, until)) && errno == EINTR)
        ;
    /* the post orders the threads, but ThreadSanitizer does not know this kind of waiting */
    (void)__atomic_load_n(&w->state, __ATOMIC_ACQUIRE);
    return !failure;
}

static bool wait_for_call(struct worker *w)
{
    const struct timespec until = deadline_in(TIMED_CALL_IDLE_S * 1000);

    return wait_for_post(w, &w->wanted, &until);
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;

    is_worker = true;
    do {
        while (wait_for_call(w)) {
            w->call->run(w->arg);
            if (settle_state(w, CALL_DONE)) {
                sem_post(&w->done);
                continue;
            }
            w->call->release(w->arg);
            __atomic_sub_fetch(&late, 1, __ATOMIC_RELEASE);
            idle_put(w);
        }
    } while (!idle_remove(w));
    worker_free(w);
    return NULL;
}

static struct worker *worker_new(void)
{
    struct worker *w = calloc(1, sizeof *w);
    pthread_t thread;

    if (!w)
        return NULL;
    sem_init(&w->wanted, 0, 0);
    sem_init(&w->done, 0, 0);
    if (!thread_start(&thread, worker_main, w)) {
        worker_free(w);
        return NULL;
    }
    pthread_detach(thread);
    return w;
}

/* ---- callers ---- */

/* True: done in time. */
static bool worker_run(struct worker *w, const struct timed_call *call, void *arg,
                       const struct timespec *until)
{
    w->call = call;
    w->arg = arg;
    __atomic_store_n(&w->state, CALL_WANTED, __ATOMIC_RELEASE);
    sem_post(&w->wanted);
    if (wait_for_post(w, &w->done, until))
        return true;
    __atomic_add_fetch(&late, 1, __ATOMIC_RELAXED);
    if (settle_state(w, CALL_LATE))
        return false;
    __atomic_sub_fetch(&late, 1, __ATOMIC_RELEASE);
    while (sem_wait(&w->done)) /* it is being posted */
        ;
    return true;
}

enum timed_call_end timed_call_run(const struct timed_call *call, void *arg, unsigned wait_ms)
{
    const struct timespec until = deadline_in(wait_ms);
    struct worker *w;
    int cancel;
    bool done;

    if (is_worker) {
        call->run(arg);
        return TIMED_CALL_DONE;
    }
    if (!(w = idle_take()) && !(w = worker_new()))
        return TIMED_CALL_NONE;
    /* waiting is a cancellation point, and would leave the worker to nobody */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    if ((done = worker_run(w, call, arg, &until)))
        idle_put(w);
    pthread_setcancelstate(cancel, NULL);
    return done ? TIMED_CALL_DONE : TIMED_CALL_LATE;
}

bool timed_call_inside(void)
{
    return is_worker;
}

unsigned timed_call_late_count(void)
{
    unsigned count;

    fork_lock_take();
    (void)idle_list();
    count = __atomic_load_n(&late, __ATOMIC_ACQUIRE);
    fork_lock_give();
    return count;
}
