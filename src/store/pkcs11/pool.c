#include "store/pkcs11/pool.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

static size_t token_limit(const struct slot *slot)
{
    bool told = slot->max_sessions != CK_EFFECTIVELY_INFINITE && slot->max_sessions != CK_UNAVAILABLE_INFORMATION;

    return told ? slot->max_sessions : SIZE_MAX;
}

se_status pool_init(struct pool *pool, CK_FUNCTION_LIST *calls, const struct slot *slot, se_error *err)
{
    pthread_condattr_t attr;

    *pool = (struct pool){ .calls = calls, .slot = slot->id, .wait_ms = POOL_WAIT_MS, .limit = token_limit(slot) };
    if (pthread_condattr_init(&attr))
        return error_memory(err);
    /* a clock that nobody sets back */
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&pool->returned, &attr);
    pthread_condattr_destroy(&attr);
    (void)pthread_mutex_init(&pool->lock, NULL);
    return SE_OK;
}

/* Closing the last one also logs out, and leaves other users of the module in this process logged in: hence no C_Logout. */
void pool_free(struct pool *pool)
{
    while (pool->idle_count)
        (void)pool->calls->C_CloseSession(pool->idle[--pool->idle_count]);
    free(pool->idle);
    pthread_cond_destroy(&pool->returned);
    pthread_mutex_destroy(&pool->lock);
}

/* Makes sure that every open session has a place among the idle ones, so that giving one back can't fail. */
static bool make_room(struct pool *pool)
{
    size_t room = pool->room ? pool->room * 2 : 8;
    CK_SESSION_HANDLE *grown;

    if (pool->open < pool->room)
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

/* The lock is free while the token opens a session: its place is counted before. */
static CK_RV grow(CK_SESSION_HANDLE *out, struct pool *pool)
{
    CK_RV rv;

    if (!make_room(pool))
        return CKR_HOST_MEMORY;
    pool->open++;
    pthread_mutex_unlock(&pool->lock);
    rv = pool->calls->C_OpenSession(pool->slot, CKF_SERIAL_SESSION, NULL, NULL, out);
    pthread_mutex_lock(&pool->lock);
    if (rv == CKR_OK)
        return rv;
    pool->open--;
    pthread_cond_broadcast(&pool->returned);
    return rv;
}

static void deadline(struct timespec *out, unsigned ms)
{
    clock_gettime(CLOCK_MONOTONIC, out);
    out->tv_sec += ms / 1000;
    out->tv_nsec += (long)(ms % 1000) * 1000000;
    if (out->tv_nsec >= 1000000000) {
        out->tv_sec++;
        out->tv_nsec -= 1000000000;
    }
}

/* True: there is an idle session or leave to open one; false: neither came about in time. */
static bool wait_for_turn(struct pool *pool, size_t most, const struct timespec *until)
{
    for (bool late = false;; late = pthread_cond_timedwait(&pool->returned, &pool->lock, until) == ETIMEDOUT) {
        size_t limit = pool->limit < most ? pool->limit : most;

        if (pool->idle_count || pool->open < limit)
            return true;
        if (late)
            return false;
    }
}

/* With the lock held. */
static CK_RV take(CK_SESSION_HANDLE *out, struct pool *pool, size_t most)
{
    struct timespec until;
    CK_RV rv;

    deadline(&until, pool->wait_ms);
    for (;;) {
        if (!wait_for_turn(pool, most, &until))
            return CKR_SESSION_COUNT;
        if (pool->idle_count) {
            *out = pool->idle[--pool->idle_count];
            return CKR_OK;
        }
        if ((rv = grow(out, pool)) != CKR_SESSION_COUNT || !pool->open)
            return rv;
        /* the token has fewer than it said: ours that are open are all we get */
        pool->limit = pool->open;
    }
}

static se_status none_left(const struct pool *pool, size_t in_use, se_error *err)
{
    if (!in_use)
        return error_set(err, SE_ERR_UNAVAILABLE, "the token gives no session: other programs hold all that it has");
    return error_set(err, SE_ERR_UNAVAILABLE, "all %zu sessions are in use, and none came free within %u ms", in_use, pool->wait_ms);
}

se_status pool_take(struct session *out, struct pool *pool, size_t most, se_error *err)
{
    CK_SESSION_HANDLE handle = 0;
    bool logged_in;
    size_t in_use;
    CK_RV rv;

    *out = (struct session){ 0 };
    pthread_mutex_lock(&pool->lock);
    rv = take(&handle, pool, most ? most : SIZE_MAX);
    in_use = pool->open - pool->idle_count;
    logged_in = pool->logged_in;
    pthread_mutex_unlock(&pool->lock);
    if (rv == CKR_SESSION_COUNT)
        return none_left(pool, in_use, err);
    if (rv != CKR_OK)
        return ckr_error(err, rv, "cannot open a session");
    *out = (struct session){ .calls = pool->calls, .handle = handle, .pool = pool, .logged_in = logged_in };
    return SE_OK;
}

static void put_back(struct pool *pool, CK_SESSION_HANDLE handle)
{
    pthread_mutex_lock(&pool->lock);
    pool->idle[pool->idle_count++] = handle;
    pthread_cond_signal(&pool->returned);
    pthread_mutex_unlock(&pool->lock);
}

/* The login may be lost with it: whoever comes next makes sure.  Those that wait differ in what they may open, so all look again. */
static void drop(struct pool *pool, CK_SESSION_HANDLE handle)
{
    (void)pool->calls->C_CloseSession(handle);
    pthread_mutex_lock(&pool->lock);
    pool->open--;
    pool->logged_in = false;
    __atomic_add_fetch(&pool->losses, 1, __ATOMIC_RELEASE);
    pthread_cond_broadcast(&pool->returned);
    pthread_mutex_unlock(&pool->lock);
}

void pool_put(struct pool *pool, CK_SESSION_HANDLE handle, bool broken)
{
    if (broken)
        drop(pool, handle);
    else
        put_back(pool, handle);
}

void pool_logged_in(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->logged_in = true;
    pthread_mutex_unlock(&pool->lock);
}

unsigned pool_losses(struct pool *pool)
{
    return __atomic_load_n(&pool->losses, __ATOMIC_ACQUIRE);
}
