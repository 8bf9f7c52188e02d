#include "base/guard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/deadline.h"

enum state {
    IDLE,
    WANTED, /* or at work */
    DONE,   /* and its caller does not know yet */
    LATE,   /* its caller has gone, perhaps before it began */
};

struct worker {
    pthread_mutex_t lock; /* of state, call and arg */
    /* one thread waits for each: where two wait, glibc before 2.41 may wake neither (its bug 25847) */
    pthread_cond_t wanted, done;
    enum state state;
    const struct guarded *call; /* NULL: nothing to do */
    void *arg;
    struct worker *next; /* idle; under the lock of the list */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the list */
static struct worker *idle;
static unsigned late;
static _Thread_local bool is_worker;

/* ---- forks ---- */

static void before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&lock);
}

/* The threads behind the list are not there. */
static void begin_anew(void)
{
    struct worker *w;

    while ((w = idle)) {
        idle = w->next;
        free(w);
    }
    __atomic_store_n(&late, 0, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&lock);
}

static void guard_forks(void)
{
    (void)pthread_atfork(before_fork, after_fork, begin_anew);
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
    pthread_cond_destroy(&w->wanted);
    pthread_cond_destroy(&w->done);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

/* With its lock held.  False: nobody wanted it for long. */
static bool wait_for_work(struct worker *w)
{
    const struct timespec until = deadline_in(GUARD_IDLE_S * 1000);

    while (!w->call)
        if (pthread_cond_clockwait(&w->wanted, &w->lock, CLOCK_MONOTONIC, &until) == ETIMEDOUT)
            break;
    return w->call;
}

/* With its lock held, which is free meanwhile. */
static void work(struct worker *w)
{
    const struct guarded *call = w->call;

    pthread_mutex_unlock(&w->lock);
    call->run(w->arg);
    pthread_mutex_lock(&w->lock);
    w->call = NULL;
    if (w->state != LATE) {
        w->state = DONE;
        pthread_cond_signal(&w->done);
        return;
    }
    w->state = IDLE;
    pthread_mutex_unlock(&w->lock);
    call->release(w->arg);
    __atomic_sub_fetch(&late, 1, __ATOMIC_RELEASE);
    put_idle(w);
    pthread_mutex_lock(&w->lock);
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;

    is_worker = true;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        if (wait_for_work(w)) {
            work(w);
            continue;
        }
        pthread_mutex_unlock(&w->lock);
        if (leave_idle(w))
            break;
        pthread_mutex_lock(&w->lock);
    }
    worker_free(w);
    return NULL;
}

static bool start(struct worker *w)
{
    pthread_attr_t attr;
    sigset_t all, before;
    pthread_t thread;
    int failure;

    if (pthread_attr_init(&attr))
        return false;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failure = pthread_create(&thread, &attr, worker_main, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return !failure;
}

static struct worker *worker_new(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct worker *w = calloc(1, sizeof *w);

    pthread_once(&once, guard_forks);
    if (!w)
        return NULL;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wanted, NULL);
    pthread_cond_init(&w->done, NULL);
    if (start(w))
        return w;
    worker_free(w);
    return NULL;
}

/* ---- callers ---- */

/* True: done in time. */
static bool hand_over(struct worker *w, const struct guarded *call, void *arg, const struct timespec *until)
{
    bool done;

    pthread_mutex_lock(&w->lock);
    w->call = call;
    w->arg = arg;
    w->state = WANTED;
    pthread_cond_signal(&w->wanted);
    while (w->state == WANTED)
        if (pthread_cond_clockwait(&w->done, &w->lock, CLOCK_MONOTONIC, until) == ETIMEDOUT)
            break;
    done = w->state == DONE;
    w->state = done ? IDLE : LATE;
    if (!done)
        __atomic_add_fetch(&late, 1, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&w->lock);
    return done;
}

enum guard_end guard_run(const struct guarded *call, void *arg, unsigned wait_ms)
{
    const struct timespec until = deadline_in(wait_ms);
    struct worker *w;
    int cancel;
    bool done;

    if (is_worker) {
        call->run(arg);
        return GUARD_DONE;
    }
    if (!(w = take_idle()) && !(w = worker_new()))
        return GUARD_NONE;
    /* waiting is a cancellation point, and would leave the lock held */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    if ((done = hand_over(w, call, arg, &until)))
        put_idle(w);
    pthread_setcancelstate(cancel, NULL);
    return done ? GUARD_DONE : GUARD_LATE;
}

bool guard_inside(void)
{
    return is_worker;
}

unsigned guard_late(void)
{
    return __atomic_load_n(&late, __ATOMIC_ACQUIRE);
}
