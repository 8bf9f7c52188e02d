#include "base/timed_call.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#include "base/deadline.h"
#include "base/fork_lock.h"
#include "base/thread.h"

enum state {
    WANTED, /* or at work */
    DONE,
    LATE, /* its caller has gone, perhaps before it began */
};

struct worker {
    sem_t wanted,
        done;  /* one post each way; with a lock, the woken thread would have to wait for it */
    int state; /* atomic: whether the worker or the deadline was first */
    const struct timed_call *call;
    void *arg;
    struct worker *next; /* idle; under the lock of the list */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the list */
static struct worker *idle;
static unsigned late;
static _Thread_local bool is_worker;

/* ---- forks ---- */

/* The threads behind the list are not there. */
static void forget_workers(void)
{
    struct worker *w;

    while ((w = idle)) {
        idle = w->next;
        free(w);
    }
    __atomic_store_n(&late, 0, __ATOMIC_RELAXED);
}

static void guard_forks(void)
{
    static struct fork_guard guard = { .mutex = &lock, .in_child = forget_workers };

    fork_guard_add(&guard);
}

/* ---- workers ---- */

static void put_idle(struct worker *w)
{
    pthread_mutex_lock(&lock);
    w->next = idle;
    idle = w;
    pthread_mutex_unlock(&lock);
}

static struct worker *take_idle(void)
{
    struct worker *w;

    pthread_mutex_lock(&lock);
    if ((w = idle))
        idle = w->next;
    pthread_mutex_unlock(&lock);
    return w;
}

/* False: a caller has just taken it. */
static bool leave_idle(struct worker *w)
{
    struct worker **place;
    bool found;

    pthread_mutex_lock(&lock);
    for (place = &idle; *place && *place != w; place = &(*place)->next)
        ;
    if ((found = *place))
        *place = w->next;
    pthread_mutex_unlock(&lock);
    return found;
}

static void worker_free(struct worker *w)
{
    sem_destroy(&w->wanted);
    sem_destroy(&w->done);
    free(w);
}

/* Whether the state has changed to `to`: it had to be WANTED. */
static bool settle_state(struct worker *w, enum state to)
{
    int wanted = WANTED;

    return __atomic_compare_exchange_n(&w->state, &wanted, to, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

static void do_call(struct worker *w)
{
    w->call->run(w->arg);
    if (settle_state(w, DONE)) {
        sem_post(&w->done);
        return;
    }
    w->call->release(w->arg);
    __atomic_sub_fetch(&late, 1, __ATOMIC_RELEASE);
    put_idle(w);
}

/* False: not before that time. */
static bool wait_for_post(struct worker *w, sem_t *post, const struct timespec *until)
{
    int failure;

    while ((failure = sem_clockwait(post, CLOCK_MONOTONIC, until)) && errno == EINTR)
        ;
    /* the post orders the threads, but ThreadSanitizer does not know this kind of waiting */
    (void)__atomic_load_n(&w->state, __ATOMIC_ACQUIRE);
    return !failure;
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct timespec until;

    is_worker = true;
    do {
        until = deadline_in(TIMED_CALL_IDLE_S * 1000);
        while (wait_for_post(w, &w->wanted, &until)) {
            do_call(w);
            until = deadline_in(TIMED_CALL_IDLE_S * 1000);
        }
    } while (!leave_idle(w));
    worker_free(w);
    return NULL;
}

static bool worker_start(struct worker *w)
{
    pthread_t thread;

    return thread_start(&thread, worker_main, w) && !pthread_detach(thread);
}

static struct worker *worker_new(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct worker *w = calloc(1, sizeof *w);

    pthread_once(&once, guard_forks);
    if (!w)
        return NULL;
    sem_init(&w->wanted, 0, 0);
    sem_init(&w->done, 0, 0);
    if (worker_start(w))
        return w;
    worker_free(w);
    return NULL;
}

/* ---- callers ---- */

/* True: done in time. */
static bool hand_over(struct worker *w, const struct timed_call *call, void *arg,
                      const struct timespec *until)
{
    w->call = call;
    w->arg = arg;
    __atomic_store_n(&w->state, WANTED, __ATOMIC_RELEASE);
    sem_post(&w->wanted);
    if (wait_for_post(w, &w->done, until))
        return true;
    __atomic_add_fetch(&late, 1, __ATOMIC_RELAXED);
    if (settle_state(w, LATE))
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
    if (!(w = take_idle()) && !(w = worker_new()))
        return TIMED_CALL_NONE;
    /* waiting is a cancellation point, and would leave the lock held */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    if ((done = hand_over(w, call, arg, &until)))
        put_idle(w);
    pthread_setcancelstate(cancel, NULL);
    return done ? TIMED_CALL_DONE : TIMED_CALL_LATE;
}

bool timed_call_inside(void)
{
    return is_worker;
}

unsigned timed_call_late_count(void)
{
    return __atomic_load_n(&late, __ATOMIC_ACQUIRE);
}
