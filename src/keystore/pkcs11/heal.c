#include "keystore/pkcs11/heal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fork_lock.h"
#include "keystore/pkcs11/late.h"
#include "keystore/pkcs11/meant.h"

void remote_unref(struct remote *remote)
{
    if (__atomic_sub_fetch(&remote->refs, 1, __ATOMIC_ACQ_REL))
        return;
    hsm_key_unref(remote->now);
    X509_free(remote->certificate);
    free(remote);
}

static struct hsm_key *take(struct remote *remote, enum breaker_leave *leave)
{
    struct breaker *breaker;
    struct hsm_key *key;

    fork_lock_take();
    key = remote->now;
    __atomic_add_fetch(&key->refs, 1, __ATOMIC_RELAXED);
    breaker = &key->key.token->breaker;
    if (leave)
        *leave = breaker->open && module_is_ours(key->key.token->module)
                     ? breaker_ask(breaker, breaker_clock())
                     : BREAKER_GO;
    fork_lock_give();
    return key;
}

struct hsm_key *remote_now(struct remote *remote)
{
    return take(remote, NULL);
}

/* Puts `new` in the place of `old`; when another thread was faster, its key stays. */
static void replace(struct remote *remote, struct hsm_key *old, struct hsm_key *new)
{
    struct hsm_key *gone = new;

    fork_lock_take();
    if (remote->now == old) {
        remote->now = new;
        remote->renewals++;
        gone = old;
    }
    fork_lock_give();
    hsm_key_unref(gone);
}

/* Not in the child of a fork, and not after sessions were lost: with its last session a token may
 * number its objects anew. */
static bool is_valid(const struct hsm_key *key)
{
    struct token *token = key->key.token;

    return module_is_ours(token->module) && key->losses == pool_losses(&token->pool);
}

/* Before the key is looked at, so that it is found again in good order when the last session goes.
 */
static void close_idle(const struct hsm_key *key)
{
    struct token *token = key->key.token;

    if (!key->key.ref->keep_alive || !module_is_ours(token->module))
        return;
    module_enter(token->module);
    pool_close_idle(&token->pool, key->key.ref->keep_alive);
    module_leave(token->module);
}

/* The key as it is now: opened anew when it has become invalid.  A token that was there once and is
 * not is away. */
static se_status current(struct hsm_key **out, struct remote *remote, se_error *err)
{
    struct hsm_key *key = take(remote, NULL), *new;
    se_status st;

    *out = key;
    close_idle(key);
    if (is_valid(key))
        return SE_OK;
    *out = NULL;
    st = hsm_key_open(&new, &remote->certificate, NULL, key->key.ref, key->key.part, err);
    if (!st) {
        replace(remote, key, new);
        *out = take(remote, NULL);
    }
    hsm_key_unref(key);
    return may_be_away(st) ? error_restate(err, SE_ERR_UNAVAILABLE) : st;
}

/* How a try ended. */
struct outcome {
    se_status status;
    bool lost;  /* the token, or the sessions with it */
    bool away;  /* it can't even be opened anew */
    bool stale; /* nothing failed, but others lost the sessions meanwhile */
    se_error error;
};

enum { TRIES_MOST = 16 };

/* A request on its way. */
struct errand {
    struct remote *remote; /* counted */
    struct hsm_key *known; /* counted; keeps the token */
    struct request request;
    struct outcome outcome;
    bool lost; /* at any try */
};

static void errand_free(struct errand *e)
{
    se_buf_free(&e->request.in);
    se_buf_free(&e->request.out);
    hsm_key_unref(e->known);
    remote_unref(e->remote);
    free(e);
}

/* Key and session are from after the same loss, and it was the last. */
static bool fit(const struct hsm_key *key, const struct session *session)
{
    return session->losses == key->losses && is_valid(key);
}

static se_status run(bool *stale, struct hsm_key *key, struct request *request, se_error *err)
{
    AUTO(session) session = { 0 };
    se_status st = token_session(&session, key->key.token, key->key.ref, true, err);

    if (!st && fit(key, &session))
        st = request->run(request, &key->key, &session, err);
    if (st || fit(key, &session))
        return st;
    /* after a loss, the handle of the key may mean another key: that may have been before the call,
     * or during it */
    se_buf_free(&request->out);
    *stale = true;
    return error_set(err, SE_ERR_UNAVAILABLE, "the sessions with the token were lost just now");
}

/* Whatever others have just found out: it is there. */
static void answered(struct token *token)
{
    __atomic_store_n(&token->answered, breaker_clock(), __ATOMIC_RELAXED);
    token_note_hearing(token, true);
    fork_lock_take();
    if (token->breaker.open)
        (void)breaker_healed(&token->breaker);
    fork_lock_give();
}

static void try(struct errand *e)
{
    struct outcome *out = &e->outcome;
    AUTO(hsm_key) key = NULL;
    struct meant_name name;

    *out = (struct outcome){ .error = SE_ERROR_INIT };
    if ((out->status = current(&key, e->remote, &out->error))) {
        out->lost = out->away = out->status == SE_ERR_UNAVAILABLE;
        return;
    }
    module_enter(key->key.token->module);
    out->status = run(&out->stale, key, &e->request, &out->error);
    module_leave(key->key.token->module);
    if (!out->status) {
        answered(key->key.token);
        return;
    }
    /* a PIN that was refused is not tried again, nor is what does not decrypt */
    out->lost = out->status != SE_ERR_ACCESS && out->status != SE_ERR_REJECTED && !is_valid(key);
    if (out->lost && !out->stale)
        token_note_hearing(key->key.token, false);
    if (out->lost &&
        out->status ==
            SE_ERR_STORE) /* some vendors have numbers of their own for a line that is cut */
        out->status = error_restate(&out->error, SE_ERR_UNAVAILABLE);
    if (out->status == SE_ERR_REJECTED) /* one text for all that does not decrypt */
        return;
    (void)error_prefix(&out->error, "key %s: ", meant_name(&name, key->key.ref));
    (void)token_context(key->key.token, &out->error);
}

static bool is_away(const struct outcome *outcome)
{
    return outcome->lost && outcome->status == SE_ERR_UNAVAILABLE;
}

static void learn(struct token *token, enum breaker_leave leave, const struct outcome *outcome)
{
    fork_lock_take();
    if (is_away(outcome)) {
        (void)breaker_failed(&token->breaker, leave, breaker_clock());
        (void)snprintf(token->away, sizeof token->away, "%.199s", outcome->error.text);
    } else
        (void)breaker_healed(&token->breaker);
    fork_lock_give();
}

/* What fails with a lost session is tried once more; what others lost meanwhile, until they let it
 * be. */
static void run_errand(void *arg)
{
    struct errand *e = arg;

    for (unsigned tries = 0, failures = 0; tries < TRIES_MOST; tries++) {
        try(e);
        e->lost = e->lost || e->outcome.lost;
        if (!e->outcome.lost || e->outcome.away)
            return;
        if (!e->outcome.stale && failures++)
            return;
    }
}

/* Nobody waits for it any more, but a token that answers after all is there. */
static void end_late(void *arg)
{
    struct errand *e = arg;

    if (!e->outcome.status)
        learn(e->known->key.token, BREAKER_GO, &e->outcome);
    errand_free(e);
}

static se_status errand_new(struct errand **out, struct remote *remote, struct hsm_key *known,
                            struct request *request, se_error *err)
{
    struct errand *e = calloc(1, sizeof *e);

    *out = e;
    if (!e) {
        se_buf_free(&request->in);
        return error_memory(err);
    }
    __atomic_add_fetch(&remote->refs, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&known->refs, 1, __ATOMIC_RELAXED);
    *e = (struct errand){
        .remote = remote, .known = known, .request = *request, .outcome.status = SE_ERR_UNAVAILABLE
    };
    *request = (struct request){ .run = NULL };
    return SE_OK;
}

/* Each change is told once, by the first of the threads that notice it. */
static bool notice(enum key_change *out, struct remote *remote, bool away, bool lost)
{
    bool was = remote->away, renewed = lost && remote->told != remote->renewals;

    *out = away ? KEY_LOST : was ? KEY_HEALED : KEY_RENEWED;
    __atomic_store_n(&remote->away, away, __ATOMIC_RELAXED);
    if (!away)
        remote->told = remote->renewals;
    return away ? !was : was || renewed;
}

/* `lost`: by this operation, whatever came of it. */
static void tell(struct remote *remote, bool away, bool lost, const char *text)
{
    enum key_change change;
    bool news;

    if (!remote->watch || !(away || lost || __atomic_load_n(&remote->away, __ATOMIC_RELAXED)))
        return;
    fork_lock_take();
    news = notice(&change, remote, away, lost);
    fork_lock_give();
    if (news)
        remote->watch->tell(remote->watch->arg, change, text);
}

static se_status refuse(struct remote *remote, struct token *token, se_error *err)
{
    char away[sizeof token->away];

    fork_lock_take();
    memcpy(away, token->away, sizeof away);
    fork_lock_give();
    tell(remote, true, true, away);
    return error_set(err, SE_ERR_UNAVAILABLE,
                     "the token is away, and is asked again within half a second: %s", away);
}

/* The errand belongs to the call that has not returned.  A token that has answered others meanwhile
 * is not away. */
static se_status lose(struct remote *remote, const struct hsm_key *known, enum timed_call_end end,
                      enum breaker_leave leave, int64_t begun, se_error *err)
{
    struct outcome outcome = { .status = SE_ERR_UNAVAILABLE, .lost = true, .error = SE_ERROR_INIT };
    struct meant_name name;

    (void)late_error(&outcome.error, known->key.ref, end);
    (void)error_prefix(&outcome.error, "key %s: ", meant_name(&name, known->key.ref));
    (void)token_context(known->key.token, &outcome.error);
    if (leave == BREAKER_PROBE ||
        __atomic_load_n(&known->key.token->answered, __ATOMIC_RELAXED) <= begun) {
        learn(known->key.token, leave, &outcome);
        tell(remote, true, true, outcome.error.text);
    }
    return error_set_at(err, outcome.status, outcome.error.file, outcome.error.line, "%s",
                        outcome.error.text);
}

se_status with_key(se_buf *out, struct remote *remote, struct request *request, se_error *err)
{
    static const struct timed_call errand = { run_errand, end_late };
    enum breaker_leave leave;
    AUTO(hsm_key) known = take(remote, &leave);
    const int64_t begun = breaker_clock();
    enum timed_call_end end;
    struct errand *e;
    se_status st = SE_OK;

    *out = (se_buf)SE_BUF_INIT;
    if (leave == BREAKER_WAIT) {
        se_buf_free(&request->in);
        return refuse(remote, known->key.token, err);
    }
    TRY(errand_new(&e, remote, known, request, err));
    if ((end = late_run(&errand, e, known->key.ref)) != TIMED_CALL_DONE)
        return lose(remote, known, end, leave, begun, err);
    if (e->lost || leave == BREAKER_PROBE)
        learn(known->key.token, leave, &e->outcome);
    if (is_away(&e->outcome) || !e->outcome.status || e->outcome.status == SE_ERR_REJECTED)
        tell(remote, is_away(&e->outcome), e->lost,
             e->outcome.status == SE_ERR_REJECTED ? "" : e->outcome.error.text);
    if (e->outcome.status)
        st = error_set_at(err, e->outcome.status, e->outcome.error.file, e->outcome.error.line,
                          "%s", e->outcome.error.text);
    else
        *out = buf_move(&e->request.out);
    errand_free(e);
    return st;
}
