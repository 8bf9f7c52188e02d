/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/azure/login_state.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/clock.h"
#include "base/fork_lock.h"
#include "base/timed_call.h"
#include "keystore/azure/login.h"

enum {
    FLIGHT_MS = 30 * 1000,
    FLIGHT_LOCAL_MS = 80 * 1000, /* IMDS may be away for 70 seconds */
    RENEW_AHEAD_MS = 300 * 1000,
    RENEW_AGAIN_MS = 30 * 1000, /* the longest pause after a renewal that failed */
    LIFETIME_MOST_S = 30 * 86400,
};

static const char bearer[] = "Authorization: Bearer ";

/* ---- with the lock held ---- */

/* True: the caller runs it. */
static bool begin_flight(struct login *login)
{
    if (login->is_flying)
        return false;
    login->leave = breaker_ask(&login->breaker, clock_monotonic_ms());
    if (login->leave == BREAKER_WAIT)
        return false;
    login->is_flying = true;
    login->generation = fork_generation();
    login->refs++;
    return true;
}

static void wake_waiters(struct login *login, se_status st)
{
    struct waiter *waiter;

    while ((waiter = login->waiters)) {
        login->waiters = waiter->next;
        waiter->status = st;
        if (st)
            waiter->failure = login->failure;
        sem_post(&waiter->posted); /* it goes on when the lock is given */
    }
}

/* What a new secret could heal is tried again at once. */
static bool opens_breaker(const struct login *login, se_status st)
{
    return st == SE_ERR_UNAVAILABLE ||
           (login->type->kind != CREDENTIAL_SECRET && login->type->kind != CREDENTIAL_ENVIRONMENT);
}

static void note_failure(struct login *login, se_status st, const se_error *failure)
{
    const int64_t now = clock_boot_ms(), left = login->until - now;
    int64_t pause = left / 8;

    login->failure = *failure;
    if (st != SE_ERR_UNAVAILABLE)
        *login->claims = '\0'; /* they may be what it is refused for */
    if (opens_breaker(login, st))
        (void)breaker_failed(&login->breaker, login->leave, clock_monotonic_ms());
    else
        (void)breaker_healed(&login->breaker);
    /* a token that lasts is renewed in good time yet */
    if (pause > RENEW_AGAIN_MS)
        pause = RENEW_AGAIN_MS;
    login->refresh_at = now + (pause > 0 ? pause : 0);
}

/* Ahead by 5 minutes, or half of its life if that is shorter. */
static int64_t choose_refresh(const struct token_answer *answer, int64_t lifetime)
{
    if (answer->refresh > 0 && answer->refresh * 1000 < lifetime)
        return answer->refresh * 1000;
    return lifetime / 2 < RENEW_AHEAD_MS ? lifetime / 2 : lifetime - RENEW_AHEAD_MS;
}

/* *header becomes the old one. */
static void note_token(struct login *login, const struct token_answer *answer, se_buf *header)
{
    const int64_t now = clock_boot_ms();
    const int64_t lifetime =
        (answer->lifetime < LIFETIME_MOST_S ? answer->lifetime : LIFETIME_MOST_S) * 1000;
    const se_buf old = login->header;

    login->header = *header;
    *header = old;
    login->until = now + lifetime;
    login->refresh_at = now + choose_refresh(answer, lifetime);
    *login->claims = '\0';
    (void)breaker_healed(&login->breaker);
}

/* ---- a flight ---- */

static se_status ask_token(struct token_answer *answer, se_buf *header, const struct login *login,
                           const char *claims, se_error *err)
{
    const struct credential_request request = {
        .ref = login->ref,
        .place = &login->place,
        .claims = claims,
        .pool = login->pool,
        .until = clock_monotonic_ms() + (login->type->is_local ? FLIGHT_LOCAL_MS : FLIGHT_MS),
    };
    AUTO(writer) text = { 0 };

    TRY(login->type->ask(answer, &request, err));
    writer_expect(&text, sizeof bearer + answer->token.size);
    writer_text(&text, bearer);
    writer_put(&text, answer->token.data, answer->token.size);
    se_buf_free(&answer->token);
    return writer_finish(header, &text, err);
}

static void end_flight(struct login *login, se_status st, const struct token_answer *answer,
                       se_buf *header, unsigned claims_count, const se_error *failure)
{
    fork_lock_take();
    login->is_flying = false;
    if (st)
        note_failure(login, st, failure);
    else if (login->claims_count == claims_count)
        note_token(login, answer, header);
    else /* meanwhile a vault has asked for more than this token says */
        (void)breaker_healed(&login->breaker);
    wake_waiters(login, st);
    fork_lock_give();
}

static void run_flight(void *arg)
{
    struct login *login = arg;
    AUTO(token_answer) answer = { .lifetime = 0 };
    AUTO(se_buf) header = SE_BUF_INIT;
    se_error failure = SE_ERROR_INIT;
    char claims[CLAIMS_ROOM];
    unsigned claims_count;
    se_status st;

    fork_lock_take();
    memcpy(claims, login->claims, sizeof claims);
    claims_count = login->claims_count;
    fork_lock_give();
    st = ask_token(&answer, &header, login, claims, &failure);
    end_flight(login, st, &answer, &header, claims_count, &failure);
}

static void release_flight(void *login)
{
    login_close(login);
}

/* Without a thread for it: `can_wait`: here, else not at all. */
static void start_flight(struct login *login, bool can_wait)
{
    static const struct timed_call call = { run_flight, release_flight };
    se_error failure = SE_ERROR_INIT;
    enum timed_call_end end = timed_call_run(&call, login, 0);

    if (end == TIMED_CALL_LATE)
        return;
    if (end == TIMED_CALL_NONE && can_wait)
        run_flight(login);
    else if (end == TIMED_CALL_NONE) {
        se_status st = error_set(&failure, SE_ERR_UNAVAILABLE, "no thread can be started");

        end_flight(login, st, NULL, NULL, 0, &failure);
    }
    login_close(login);
}

/* ---- those who need a token ---- */

enum step {
    STEP_DONE, /* *out is it */
    STEP_ROOM, /* *out is too small */
    STEP_WAIT, /* the waiter is in the list */
    STEP_FAIL, /* nobody may ask now */
};

/* With the lock held. */
static enum step take_header(se_buf *out, struct login *login, struct waiter *waiter, bool *begins)
{
    const int64_t now = clock_boot_ms();
    const bool lasts = login->header.size && now < login->until;

    if (lasts && login->header.size > out->size)
        return STEP_ROOM;
    if (!lasts || now >= login->refresh_at)
        *begins = begin_flight(login);
    if (lasts) {
        memcpy(out->data, login->header.data, login->header.size);
        memset((char *)out->data + login->header.size, 0, out->size - login->header.size);
        out->size = login->header.size;
        return STEP_DONE;
    }
    if (!login->is_flying || (login->breaker.open && !*begins)) {
        waiter->failure = login->failure;
        return STEP_FAIL;
    }
    waiter->next = login->waiters;
    login->waiters = waiter;
    return STEP_WAIT;
}

static size_t header_size(struct login *login)
{
    size_t size;

    fork_lock_take();
    login_forget_foreign(login);
    size = login->header.size;
    fork_lock_give();
    return size;
}

/* Memory is taken without the lock. */
static se_status try_header(enum step *step, se_buf *out, struct login *login,
                            struct waiter *waiter, se_error *err)
{
    bool begins = false;

    do {
        se_buf_free(out);
        TRY(buf_new(out, header_size(login), err));
        fork_lock_take();
        *step = take_header(out, login, waiter, &begins);
        fork_lock_give();
    } while (*step == STEP_ROOM);
    if (begins)
        start_flight(login, *step == STEP_WAIT);
    return SE_OK;
}

/* With the lock held. */
static bool leave_list(struct login *login, struct waiter *waiter)
{
    struct waiter **place = &login->waiters;

    while (*place && *place != waiter)
        place = &(*place)->next;
    if (!*place)
        return false;
    *place = waiter->next;
    return true;
}

static bool wait_until(sem_t *posted, int64_t until)
{
    const int64_t latest = clock_monotonic_ms() + 2 * FLIGHT_LOCAL_MS;
    const int64_t end = until < 0 ? 0 : until < latest ? until : latest;
    const struct timespec time = { end / 1000, end % 1000 * 1000000 };
    int failure;

    while ((failure = sem_clockwait(posted, CLOCK_MONOTONIC, &time)) && errno == EINTR)
        ;
    return !failure;
}

static se_status wait_for_flight(struct login *login, struct waiter *waiter, int64_t until,
                                 se_error *err)
{
    bool is_posted, is_late = false;
    int cancel;

    /* waiting is a cancellation point, and would leave the list with a stack that is gone */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    is_posted = wait_until(&waiter->posted, until);
    fork_lock_take(); /* whoever posted it is done with it then */
    if (!is_posted)
        is_late = leave_list(login, waiter);
    fork_lock_give();
    pthread_setcancelstate(cancel, NULL);
    if (is_late)
        return error_set(err, SE_ERR_UNAVAILABLE,
                         "no token for '%s' came in time; it is still being asked for",
                         login->place.resource);
    return waiter->status ? error_copy(err, waiter->status, &waiter->failure) : SE_OK;
}

static se_status wait_for_header(se_buf *out, struct login *login, struct waiter *waiter,
                                 int64_t until, se_error *err)
{
    enum step step = STEP_ROOM;

    do {
        TRY(try_header(&step, out, login, waiter, err));
        if (step == STEP_FAIL)
            return error_copy(err, waiter->failure.status, &waiter->failure);
        if (step == STEP_WAIT)
            TRY(wait_for_flight(login, waiter, until, err));
    } while (step != STEP_DONE);
    return SE_OK;
}

se_status login_header(se_buf *out, struct login *login, int64_t until, se_error *err)
{
    struct waiter waiter = { .failure = SE_ERROR_INIT };
    AUTO(se_buf) header = SE_BUF_INIT;
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    sem_init(&waiter.posted, 0, 0);
    st = wait_for_header(&header, login, &waiter, until, err);
    sem_destroy(&waiter.posted);
    if (!st)
        *out = buf_move(&header);
    return st;
}
