/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/pkcs11/session.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/deadline.h"
#include "keystore/pkcs11/token.h"

/* ---- session handles ---- */

void session_handles_init(struct session_handles *handles)
{
    *handles = (struct session_handles){ .list = NULL };
    pthread_mutex_init(&handles->lock, NULL);
}

void session_handles_free(struct session_handles *handles)
{
    pthread_mutex_destroy(&handles->lock);
    free(handles->list);
}

/* With the lock held. */
static struct session_handle *handle_find(const struct session_handles *handles,
                                          CK_SESSION_HANDLE value)
{
    for (size_t i = 0; i < handles->count; i++)
        if (handles->list[i].value == value)
            return &handles->list[i];
    return NULL;
}

/* With the lock held.  `handle` may be NULL. */
static void handle_remove(struct session_handles *handles, struct session_handle *handle)
{
    if (handle)
        *handle = handles->list[--handles->count];
}

enum handle_is session_handles_add(struct session_handles *handles, CK_SESSION_HANDLE value)
{
    enum handle_is is = HANDLE_LOST;
    struct session_handle *known;

    pthread_mutex_lock(&handles->lock);
    if ((known = handle_find(handles, value))) {
        known->again = true;
        is = known->closing ? HANDLE_CLOSING : HANDLE_KNOWN;
    } else if (array_grow(&handles->list, &handles->room, handles->count)) {
        handles->list[handles->count++] = (struct session_handle){ .value = value };
        is = HANDLE_NEW;
    }
    pthread_mutex_unlock(&handles->lock);
    return is;
}

void session_handles_close(struct session_handles *handles, CK_SESSION_HANDLE value)
{
    struct session_handle *handle;

    pthread_mutex_lock(&handles->lock);
    if ((handle = handle_find(handles, value))) {
        handle->closing = true;
        handle->again = false;
    }
    pthread_mutex_unlock(&handles->lock);
}

bool session_handles_closed(struct session_handles *handles, CK_SESSION_HANDLE value)
{
    struct session_handle *handle;
    bool again;

    pthread_mutex_lock(&handles->lock);
    handle = handle_find(handles, value);
    again = handle && handle->again;
    if (again)
        handle->again = false;
    else
        handle_remove(handles, handle);
    pthread_mutex_unlock(&handles->lock);
    return again;
}

void session_handles_drop(struct session_handles *handles, CK_SESSION_HANDLE value)
{
    pthread_mutex_lock(&handles->lock);
    handle_remove(handles, handle_find(handles, value));
    pthread_mutex_unlock(&handles->lock);
}

/* C_OpenSession.  *anew: somebody else has initialised the module anew, and the pools know it now.
 */
static CK_RV handle_open(CK_SESSION_HANDLE *out, bool *anew, struct module *module, CK_SLOT_ID slot,
                         CK_FLAGS flags)
{
    for (*anew = false;;) {
        CK_RV rv = module->calls->C_OpenSession(slot, CKF_SERIAL_SESSION | flags, NULL, NULL, out);
        enum handle_is is;

        if (rv != CKR_OK || (is = session_handles_add(&module->handles, *out)) == HANDLE_NEW)
            return rv;
        if (is == HANDLE_KNOWN) {
            *anew = true;
            sessions_forget(module);
            /* if the other one was idle, it is forgotten now, and this one is ours */
            is = session_handles_add(&module->handles, *out);
        }
        if (is == HANDLE_NEW)
            return CKR_OK;
        if (is == HANDLE_LOST) {
            (void)module->calls->C_CloseSession(*out);
            return CKR_HOST_MEMORY;
        }
    }
}

static void handle_close(struct module *module, CK_SESSION_HANDLE handle)
{
    session_handles_close(&module->handles, handle);
    do
        (void)module->calls->C_CloseSession(handle);
    while (session_handles_closed(&module->handles, handle));
}

/* ---- the pool, with its lock held ---- */

/* A caller in the queue, on its own stack. */
struct pool_waiter {
    struct pool_waiter *next;
    size_t most;
    pthread_cond_t woken;
    bool served;   /* and out of the queue */
    bool may_open; /* with leave to open a session, which is counted already; else with `handle` */
    CK_SESSION_HANDLE handle;
    unsigned losses;
};

/* Each open session has a place among the idle ones, so that giving one back can't fail. */
static bool reserve_places(struct pool *pool)
{
    return pool->open <= pool->room || array_grow(&pool->idle, &pool->room, pool->room);
}

static bool may_open(struct pool *pool, size_t most)
{
    if (pool->limit < pool->claimed && clock_monotonic_ms() - pool->learned >= POOL_RELEARN_MS)
        pool->limit = pool->claimed;
    return pool->open < pool->limit && pool->open < most;
}

static void leave_queue(struct pool *pool, struct pool_waiter **place)
{
    struct pool_waiter *w = *place;

    *place = w->next;
    if (pool->last == &w->next)
        pool->last = place;
}

static void serve_waiter(struct pool *pool, struct pool_waiter **place, CK_SESSION_HANDLE handle,
                         bool open)
{
    struct pool_waiter *w = *place;

    leave_queue(pool, place);
    w->served = true;
    w->may_open = open;
    w->handle = handle;
    w->losses = pool->losses;
    pthread_cond_signal(&w->woken);
}

/* One session fewer is open: the first in the queue that may have one more gets leave to open it.
 */
static void pass_on_leave(struct pool *pool)
{
    pool->open--;
    for (struct pool_waiter **place = &pool->first; *place; place = &(*place)->next)
        if (may_open(pool, (*place)->most)) {
            pool->open++;
            serve_waiter(pool, place, 0, true);
            return;
        }
}

/* Opens a session that is counted already; the lock is free while the token does it. */
static CK_RV open_counted(struct session *out, struct pool *pool)
{
    CK_RV rv = reserve_places(pool) ? CKR_OK : CKR_HOST_MEMORY;
    bool anew = false;

    out->losses = pool->losses;
    if (rv == CKR_OK) {
        pthread_mutex_unlock(&pool->lock);
        rv = handle_open(&out->handle, &anew, pool->module, pool->slot, 0);
        pthread_mutex_lock(&pool->lock);
    }
    /* the loss took the place that was reserved for it */
    if (anew && reserve_places(pool))
        out->losses = pool->losses;
    if (rv == CKR_OK) {
        pool->held++;
        return rv;
    }
    /* the token has fewer than it said: the others that are open are all we get */
    if (rv == CKR_SESSION_COUNT && pool->open > 1 && pool->open <= pool->limit) {
        pool->limit = pool->open - 1;
        pool->learned = clock_monotonic_ms();
    }
    pass_on_leave(pool);
    return rv;
}

/* False: not served in time. */
static bool wait_in_queue(struct pool_waiter *w, struct pool *pool, const struct timespec *until)
{
    struct pool_waiter **place = &pool->first;

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
static CK_RV wait_for_session(struct session *out, bool *leave, struct pool *pool, size_t most,
                              const struct timespec *until)
{
    struct pool_waiter w = { .most = most, .woken = PTHREAD_COND_INITIALIZER };
    bool served = wait_in_queue(&w, pool, until);

    pthread_cond_destroy(&w.woken);
    out->handle = w.handle;
    out->losses = w.losses;
    *leave = w.may_open;
    return served ? CKR_OK : CKR_SESSION_COUNT;
}

static CK_RV take_or_open(struct session *out, struct pool *pool, size_t most,
                          const struct timespec *until)
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
            rv = wait_for_session(out, &leave, pool, most, until);
        if (leave)
            rv = open_counted(out, pool);
        /* a token without a session for us has one later only if we hold some that come back */
        if (!leave || rv != CKR_SESSION_COUNT || !pool->open)
            return rv;
    }
}

/* Idle sessions, taken out of the pool; they still count as open. */
struct lost_sessions {
    struct idle_session *list;
    size_t count;
};

static void count_loss(struct pool *pool)
{
    pool->logged_in = false;
    __atomic_add_fetch(&pool->losses, 1, __ATOMIC_RELEASE);
}

static struct lost_sessions lose_all(struct pool *pool)
{
    struct lost_sessions lost = { pool->idle, pool->idle_count };

    pool->held -= pool->idle_count;
    pool->idle = NULL;
    pool->idle_count = pool->room = 0;
    count_loss(pool);
    return lost;
}

/* Those that are idle since `then` or longer, which are the first.  An allocation that fails leaves
 * them where they are. */
static struct lost_sessions lose_idle(struct pool *pool, int64_t then)
{
    struct lost_sessions lost = { NULL, 0 };
    size_t n = 0;

    while (n < pool->idle_count && pool->idle[n].since <= then)
        n++;
    if (!n || !(lost.list = calloc(n, sizeof *lost.list)))
        return lost;
    lost.count = n;
    memcpy(lost.list, pool->idle, n * sizeof *lost.list);
    pool->idle_count -= n;
    pool->held -= n;
    memmove(pool->idle, pool->idle + n, pool->idle_count * sizeof *pool->idle);
    if (!pool->held)
        count_loss(pool);
    return lost;
}

/* ---- the pool ---- */

void pool_init(struct pool *pool, struct module *module, CK_SLOT_ID slot, unsigned long claimed)
{
    const bool is_number =
        claimed != CK_EFFECTIVELY_INFINITE && claimed != CK_UNAVAILABLE_INFORMATION;

    *pool = (struct pool){ .module = module, .slot = slot };
    pool->limit = pool->claimed = is_number ? claimed : SIZE_MAX;
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

static void close_lost(struct pool *pool, struct lost_sessions lost)
{
    for (size_t i = 0; i < lost.count; i++)
        handle_close(pool->module, lost.list[i].handle);
    pthread_mutex_lock(&pool->lock);
    for (size_t i = 0; i < lost.count; i++)
        pass_on_leave(pool);
    pthread_mutex_unlock(&pool->lock);
    free(lost.list);
}

/* Of several sessions that are found lost after the same loss, the first has news. */
static void note_loss(struct pool *pool, unsigned losses)
{
    struct lost_sessions lost = { NULL, 0 };

    pthread_mutex_lock(&pool->lock);
    if (losses == pool->losses)
        lost = lose_all(pool);
    pthread_mutex_unlock(&pool->lock);
    close_lost(pool, lost);
}

void pool_close_idle(struct pool *pool, unsigned long seconds)
{
    const int64_t then = clock_boot_ms() - (int64_t)seconds * 1000;
    struct lost_sessions lost;

    pthread_mutex_lock(&pool->lock);
    lost = lose_idle(pool, then);
    pthread_mutex_unlock(&pool->lock);
    close_lost(pool, lost);
}

static void pool_forget(struct pool *pool)
{
    struct lost_sessions lost;

    pthread_mutex_lock(&pool->lock);
    lost = lose_all(pool);
    for (size_t i = 0; i < lost.count; i++) {
        session_handles_drop(&pool->module->handles, lost.list[i].handle);
        pass_on_leave(pool);
    }
    pthread_mutex_unlock(&pool->lock);
    free(lost.list);
}

void sessions_forget(struct module *module)
{
    pthread_mutex_lock(&module->tokens_lock);
    for (struct token *t = module->tokens; t; t = t->next)
        pool_forget(&t->pool);
    pthread_mutex_unlock(&module->tokens_lock);
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
    rv = take_or_open(&taken, pool, most ? most : SIZE_MAX, &until);
    in_use = pool->open - pool->idle_count;
    taken.logged_in = pool->logged_in && taken.losses == pool->losses;
    pthread_mutex_unlock(&pool->lock);
    if (rv == CKR_SESSION_COUNT && !in_use)
        return error_set(err, SE_ERR_UNAVAILABLE,
                         "the token gives no session: other programs hold all that it has");
    if (rv == CKR_SESSION_COUNT)
        return error_set(err, SE_ERR_UNAVAILABLE,
                         "all %zu sessions are in use, and none came free within %u ms", in_use,
                         wait_ms);
    if (ckr_breaks_session(rv))
        note_loss(pool, taken.losses);
    if (rv != CKR_OK)
        return ckr_error(err, rv, "cannot open a session");
    *out = taken;
    return SE_OK;
}

/* To the caller that waits longest: left lying, the session would go to whoever comes first.
 * False: it is one of those that were lost. */
static bool put_back(struct pool *pool, const struct session *session)
{
    bool good;

    pthread_mutex_lock(&pool->lock);
    good = session->losses == pool->losses;
    if (good && pool->first)
        serve_waiter(pool, &pool->first, session->handle, false);
    else if (good)
        pool->idle[pool->idle_count++] = (struct idle_session){ session->handle, clock_boot_ms() };
    else if (!--pool->held && pool->logged_in)
        count_loss(pool);
    pthread_mutex_unlock(&pool->lock);
    return good;
}

static void pool_put(struct pool *pool, const struct session *session)
{
    if (session->broken)
        note_loss(pool, session->losses);
    if (put_back(pool, session))
        return;
    handle_close(pool->module, session->handle);
    pthread_mutex_lock(&pool->lock);
    pass_on_leave(pool);
    pthread_mutex_unlock(&pool->lock);
}

void pool_note_login(struct pool *pool, const struct session *session)
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

/* ---- one session ---- */

se_status session_open(struct session *out, struct module *module, CK_SLOT_ID slot, CK_FLAGS flags,
                       se_error *err)
{
    CK_SESSION_HANDLE handle = 0;
    bool anew;
    CK_RV rv = handle_open(&handle, &anew, module, slot, flags);

    *out = (struct session){ 0 };
    if (rv != CKR_OK)
        return ckr_error(err, rv, "cannot open a session with the token in slot %lu", slot);
    *out = (struct session){ .calls = module->calls, .module = module, .handle = handle };
    return SE_OK;
}

void session_end(struct session *session)
{
    if (session->pool)
        pool_put(session->pool, session);
    else if (session->calls)
        handle_close(session->module, session->handle);
    *session = (struct session){ 0 };
}

void session_note(struct session *session, CK_RV rv)
{
    if (ckr_breaks_session(rv))
        session->broken = true;
}
