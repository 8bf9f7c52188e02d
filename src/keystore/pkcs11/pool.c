#include "keystore/pkcs11/pool.h"

#include <errno.h>
#include <stdlib.h>

#include "base/deadline.h"

/* A caller in the queue, on its own stack. */
struct waiter {
    struct waiter *next;
    size_t most;
    pthread_cond_t woken;
    bool served;   /* and out of the queue */
    bool may_open; /* with leave to open a session, which is counted already; else with `handle` */
    CK_SESSION_HANDLE handle;
    unsigned losses;
};

static size_t token_limit(const struct slot *slot)
{
    bool told = slot->max_sessions != CK_EFFECTIVELY_INFINITE &&
                slot->max_sessions != CK_UNAVAILABLE_INFORMATION;

    return told ? slot->max_sessions : SIZE_MAX;
}

void pool_init(struct pool *pool, struct module *module, const struct slot *slot)
{
    *pool = (struct pool){ .module = module, .slot = slot->id, .told = token_limit(slot) };
    pool->limit = pool->told;
    pool->last = &pool->first;
    pthread_mutex_init(&pool->lock, NULL);
}

/* Closing the last one also logs out, and leaves other users of the module in this process logged
 * in: hence no C_Logout. */
void pool_free(struct pool *pool)
{
    while (pool->idle_count)
        handle_close(pool->module, pool->idle[--pool->idle_count].handle);
    free(pool->idle);
    pthread_mutex_destroy(&pool->lock);
}

static time_t seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

/* Also while the machine sleeps: tokens count on. */
static int64_t milliseconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- with the lock held ---- */

/* Makes sure that every open session has a place among the idle ones, so that giving one back can't
 * fail. */
static bool make_room(struct pool *pool)
{
    size_t room = pool->room ? pool->room * 2 : 8;
    struct idle *grown;

    if (pool->open <= pool->room)
        return true;
    if (!(grown = calloc(room, sizeof *grown)))
        return false;
    for (size_t i = 0; i < pool->idle_count; i++)
        grown[i] = pool->idle[i];
    free(pool->idle);
    pool->idle = grown;
    pool->room = room;
    return true;
}

static bool may_open(struct pool *pool, size_t most)
{
    if (pool->limit < pool->told && seconds() - pool->learned >= POOL_RELEARN_S)
        pool->limit = pool->told;
    return pool->open < pool->limit && pool->open < most;
}

static void leave_queue(struct pool *pool, struct waiter **place)
{
    struct waiter *w = *place;

    *place = w->next;
    if (pool->last == &w->next)
        pool->last = place;
}

static void serve(struct pool *pool, struct waiter **place, CK_SESSION_HANDLE handle, bool open)
{
    struct waiter *w = *place;

    leave_queue(pool, place);
    w->served = true;
    w->may_open = open;
    w->handle = handle;
    w->losses = pool->losses;
    pthread_cond_signal(&w->woken);
}

/* One session fewer is open: the first in the queue that may have one more gets leave to open it.
 */
static void pass_on(struct pool *pool)
{
    pool->open--;
    for (struct waiter **place = &pool->first; *place; place = &(*place)->next)
        if (may_open(pool, (*place)->most)) {
            pool->open++;
            serve(pool, place, 0, true);
            return;
        }
}

/* Opens a session that is counted already; the lock is free while the token does it. */
static CK_RV open_counted(struct session *out, struct pool *pool)
{
    CK_RV rv = make_room(pool) ? CKR_OK : CKR_HOST_MEMORY;
    bool anew = false;

    out->losses = pool->losses;
    if (rv == CKR_OK) {
        pthread_mutex_unlock(&pool->lock);
        rv = handle_open(&out->handle, &anew, pool->module, pool->slot, 0);
        pthread_mutex_lock(&pool->lock);
    }
    /* the loss took the room that was made for it */
    if (anew && make_room(pool))
        out->losses = pool->losses;
    pool->held += rv == CKR_OK;
    if (rv == CKR_OK)
        return rv;
    /* the token has fewer than it said: the others that are open are all we get */
    if (rv == CKR_SESSION_COUNT && pool->open > 1 && pool->open <= pool->limit) {
        pool->limit = pool->open - 1;
        pool->learned = seconds();
    }
    pass_on(pool);
    return rv;
}

/* False: not served in time. */
static bool wait_in_queue(struct waiter *w, struct pool *pool, const struct timespec *until)
{
    struct waiter **place = &pool->first;

    *pool->last = w;
    pool->last = &w->next;
    while (!w->served)
        if (pthread_cond_clockwait(&w->woken, &pool->lock, CLOCK_MONOTONIC, until) == ETIMEDOUT)
            break;
    if (w->served)
        return true;
    while (*place != w)
        place = &(*place)->next;
    leave_queue(pool, place);
    return false;
}

/* CKR_OK: with a session in *out, or with leave to open one, which is counted; CKR_SESSION_COUNT:
 * neither came in time. */
static CK_RV wait_for_one(struct session *out, bool *leave, struct pool *pool, size_t most,
                          const struct timespec *until)
{
    struct waiter w = { .most = most, .woken = PTHREAD_COND_INITIALIZER };
    bool served = wait_in_queue(&w, pool, until);

    pthread_cond_destroy(&w.woken);
    out->handle = w.handle;
    out->losses = w.losses;
    *leave = w.may_open;
    return served ? CKR_OK : CKR_SESSION_COUNT;
}

static CK_RV take(struct session *out, struct pool *pool, size_t most, const struct timespec *until)
{
    for (;;) {
        bool leave = !pool->idle_count && may_open(pool, most);
        CK_RV rv = CKR_OK;

        out->losses = pool->losses;
        if (leave)
            pool->open++;
        else if (pool->idle_count)
            out->handle = pool->idle[--pool->idle_count].handle;
        else
            rv = wait_for_one(out, &leave, pool, most, until);
        if (leave)
            rv = open_counted(out, pool);
        /* a token without a session for us has one later only if we hold some that come back */
        if (!leave || rv != CKR_SESSION_COUNT || !pool->open)
            return rv;
    }
}

/* Idle sessions, taken out of the pool; they still count as open. */
struct lost {
    struct idle *list;
    size_t count;
};

/* The first `n` of them.  An allocation that fails leaves them where they are. */
static struct lost take_out(struct pool *pool, size_t n)
{
    struct lost lost = { n ? calloc(n, sizeof *lost.list) : NULL, n };

    if (!lost.list)
        return (struct lost){ NULL, 0 };
    memcpy(lost.list, pool->idle, n * sizeof *lost.list);
    pool->idle_count -= n;
    pool->held -= n;
    memmove(pool->idle, pool->idle + n, pool->idle_count * sizeof *pool->idle);
    return lost;
}

static void begin_anew(struct pool *pool)
{
    pool->logged_in = false;
    __atomic_add_fetch(&pool->losses, 1, __ATOMIC_RELEASE);
}

static struct lost lose(struct pool *pool)
{
    struct lost lost = { pool->idle, pool->idle_count };

    pool->held -= pool->idle_count;
    pool->idle = NULL;
    pool->idle_count = pool->room = 0;
    begin_anew(pool);
    return lost;
}

/* Those that are idle since `then` or longer, which are the first. */
static struct lost lose_idle(struct pool *pool, int64_t then)
{
    struct lost lost;
    size_t n = 0;

    while (n < pool->idle_count && pool->idle[n].since <= then)
        n++;
    lost = take_out(pool, n);
    if (lost.count && !pool->held)
        begin_anew(pool);
    return lost;
}

/* ---- */

static se_status none_left(size_t in_use, unsigned wait_ms, se_error *err)
{
    if (!in_use)
        return error_set(err, SE_ERR_UNAVAILABLE,
                         "the token gives no session: other programs hold all that it has");
    return error_set(err, SE_ERR_UNAVAILABLE,
                     "all %zu sessions are in use, and none came free within %u ms", in_use,
                     wait_ms);
}

static void close_lost(struct pool *pool, struct lost lost)
{
    for (size_t i = 0; i < lost.count; i++)
        handle_close(pool->module, lost.list[i].handle);
    pthread_mutex_lock(&pool->lock);
    for (size_t i = 0; i < lost.count; i++)
        pass_on(pool);
    pthread_mutex_unlock(&pool->lock);
    free(lost.list);
}

/* What is told of the first that is found lost; who comes with an older session has no news. */
static void note_loss(struct pool *pool, unsigned losses)
{
    struct lost lost = { NULL, 0 };

    pthread_mutex_lock(&pool->lock);
    if (losses == pool->losses)
        lost = lose(pool);
    pthread_mutex_unlock(&pool->lock);
    close_lost(pool, lost);
}

void pool_close_idle(struct pool *pool, unsigned long seconds)
{
    const int64_t then = milliseconds() - (int64_t)seconds * 1000;
    struct lost lost;

    pthread_mutex_lock(&pool->lock);
    lost = lose_idle(pool, then);
    pthread_mutex_unlock(&pool->lock);
    close_lost(pool, lost);
}

void pool_forget(struct pool *pool)
{
    struct lost lost;

    pthread_mutex_lock(&pool->lock);
    lost = lose(pool);
    for (size_t i = 0; i < lost.count; i++) {
        handles_drop(&pool->module->handles, lost.list[i].handle);
        pass_on(pool);
    }
    pthread_mutex_unlock(&pool->lock);
    free(lost.list);
}

se_status pool_take(struct session *out, struct pool *pool, size_t most, unsigned wait_ms,
                    se_error *err)
{
    const struct timespec until = deadline_in(wait_ms);
    struct session taken = { .calls = pool->module->calls, .module = pool->module, .pool = pool };
    size_t in_use;
    CK_RV rv;

    *out = (struct session){ 0 };
    pthread_mutex_lock(&pool->lock);
    rv = take(&taken, pool, most ? most : SIZE_MAX, &until);
    in_use = pool->open - pool->idle_count;
    taken.logged_in = pool->logged_in && taken.losses == pool->losses;
    pthread_mutex_unlock(&pool->lock);
    if (rv == CKR_SESSION_COUNT)
        return none_left(in_use, wait_ms, err);
    if (ckr_breaks_session(rv))
        note_loss(pool, taken.losses);
    if (rv != CKR_OK)
        return ckr_error(err, rv, "cannot open a session");
    *out = taken;
    return SE_OK;
}

/* Straight into the hands of who waits longest: left lying, it would go to whoever comes first.
 * False: it is one of those that were lost.
 */
static bool put_back(struct pool *pool, const struct session *session)
{
    bool good;

    pthread_mutex_lock(&pool->lock);
    good = session->losses == pool->losses;
    if (good && pool->first)
        serve(pool, &pool->first, session->handle, false);
    else if (good)
        pool->idle[pool->idle_count++] = (struct idle){ session->handle, milliseconds() };
    else if (!--pool->held && pool->logged_in)
        begin_anew(pool);
    pthread_mutex_unlock(&pool->lock);
    return good;
}

void pool_put(struct pool *pool, const struct session *session)
{
    if (session->broken)
        note_loss(pool, session->losses);
    if (put_back(pool, session))
        return;
    handle_close(pool->module, session->handle);
    pthread_mutex_lock(&pool->lock);
    pass_on(pool);
    pthread_mutex_unlock(&pool->lock);
}

void pool_logged_in(struct pool *pool, const struct session *session)
{
    pthread_mutex_lock(&pool->lock);
    if (session->losses == pool->losses)
        pool->logged_in = true;
    pthread_mutex_unlock(&pool->lock);
}

unsigned pool_losses(struct pool *pool)
{
    return __atomic_load_n(&pool->losses, __ATOMIC_ACQUIRE);
}
