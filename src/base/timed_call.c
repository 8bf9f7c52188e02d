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

struct helper {
    sem_t wanted, done; /* a post each way: a woken thread would find a lock still held */
    int state;          /* atomic: whether the helper or the deadline was first */
    bool timed;         /* a call that may become late */
    const struct timed_call *call;
    void *arg;
    struct helper *next; /* idle */
};

/* under fork_lock_take(): the idle helpers, and the generation of processes that they belong to */
static struct helper *idle;
static unsigned generation;

static unsigned late; /* atomic */
static _Thread_local bool is_timed;

/* ---- with the lock held ---- */

/* In the child of a fork, the threads behind the list are not there. */
static struct helper **idle_list(void)
{
    struct helper *w;

    while (generation != fork_generation() && (w = idle)) {
        idle = w->next;
        free(w);
    }
    if (generation != fork_generation())
        __atomic_store_n(&late, 0, __ATOMIC_RELAXED);
    generation = fork_generation();
    return &idle;
}

/* ---- helpers ---- */

static void idle_put(struct helper *w)
{
    struct helper **list;

    fork_lock_take();
    list = idle_list();
    w->next = *list;
    *list = w;
    fork_lock_give();
}

static struct helper *idle_take(void)
{
    struct helper **list, *w;

    fork_lock_take();
    list = idle_list();
    if ((w = *list))
        *list = w->next;
    fork_lock_give();
    return w;
}

/* False: a caller has just taken it. */
static bool idle_remove(struct helper *w)
{
    struct helper **place;
    bool found;

    fork_lock_take();
    for (place = idle_list(); *place && *place != w; place = &(*place)->next)
        ;
    if ((found = *place))
        *place = w->next;
    fork_lock_give();
    return found;
}

static void helper_free(struct helper *w)
{
    sem_destroy(&w->wanted);
    sem_destroy(&w->done);
    free(w);
}

/* True: the state is `to` now; false: the other side was first. */
static bool settle_state(struct helper *w, enum call_state to)
{
    int wanted = CALL_WANTED;

    return __atomic_compare_exchange_n(&w->state, &wanted, to, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

/* False: nothing was posted until then. */
static bool wait_for_post(struct helper *w, sem_t *post, const struct timespec *until)
{
    int failure;

    while ((failure = sem_clockwait(post, CLOCK_MONOTONIC, until)) && errno == EINTR)
        ;
    /* the post orders the threads, but ThreadSanitizer does not know this kind of waiting */
    (void)__atomic_load_n(&w->state, __ATOMIC_ACQUIRE);
    return !failure;
}

static bool wait_for_call(struct helper *w)
{
    const struct timespec until = deadline_in(TIMED_CALL_IDLE_S * 1000);

    return wait_for_post(w, &w->wanted, &until);
}

static void *helper_main(void *arg)
{
    struct helper *w = arg;

    do {
        while (wait_for_call(w)) {
            is_timed = w->timed;
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
    helper_free(w);
    return NULL;
}

static struct helper *helper_new(void)
{
    struct helper *w = calloc(1, sizeof *w);
    pthread_t thread;

    if (!w)
        return NULL;
    sem_init(&w->wanted, 0, 0);
    sem_init(&w->done, 0, 0);
    if (!thread_start(&thread, helper_main, w)) {
        helper_free(w);
        return NULL;
    }
    pthread_detach(thread);
    return w;
}

static struct helper *helper_take(void)
{
    struct helper *w = idle_take();

    return w ? w : helper_new();
}

/* ---- callers ---- */

static void helper_begin(struct helper *w, const struct timed_call *call, void *arg, bool timed)
{
    w->call = call;
    w->arg = arg;
    w->timed = timed;
    __atomic_store_n(&w->state, CALL_WANTED, __ATOMIC_RELEASE);
    sem_post(&w->wanted);
}

/* True: done in time. */
static bool helper_run(struct helper *w, const struct timed_call *call, void *arg,
                       const struct timespec *until)
{
    helper_begin(w, call, arg, true);
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
    struct helper *w;
    int cancel;
    bool done;

    if (is_timed) {
        call->run(arg);
        return TIMED_CALL_DONE;
    }
    if (!(w = helper_take()))
        return TIMED_CALL_NONE;
    /* waiting is a cancellation point, and would leave the helper to nobody */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    if ((done = helper_run(w, call, arg, &until)))
        idle_put(w);
    pthread_setcancelstate(cancel, NULL);
    return done ? TIMED_CALL_DONE : TIMED_CALL_LATE;
}

bool timed_call_inside(void)
{
    return is_timed;
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

struct helper *helper_start(const struct timed_call *call, void *arg)
{
    struct helper *w = helper_take();

    if (w)
        helper_begin(w, call, arg, false);
    return w;
}

void helper_join(struct helper *w)
{
    while (sem_wait(&w->done))
        ;
    idle_put(w);
}
