/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/pkcs11/recovery.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fork_lock.h"
#include "keystore/pkcs11/decrypt.h"
#include "keystore/pkcs11/object.h"
#include "keystore/pkcs11/sign.h"

/* ---- the key of an EVP_PKEY, as it was opened last ---- */

/* Counted: a late call keeps it. */
struct renewable_key {
    unsigned refs;
    X509 *certificate;
    const struct key_watch *watch; /* may be NULL */

    /* under fork_lock_take() */
    struct p11_key *now;
    unsigned renewals; /* how often `now` was replaced */
    unsigned reported; /* its value when `watch` heard of that last */
    bool away;         /* `watch` has heard that it is */
};

static void renewable_unref(void *arg)
{
    struct renewable_key *owner = arg;

    if (__atomic_sub_fetch(&owner->refs, 1, __ATOMIC_ACQ_REL))
        return;
    p11_key_unref(owner->now);
    X509_free(owner->certificate);
    free(owner);
}

/* Counted.  `leave` may be NULL. */
static struct p11_key *take_current(struct renewable_key *owner, enum breaker_leave *leave)
{
    struct breaker *breaker;
    struct p11_key *key;

    fork_lock_take();
    key = p11_key_ref(owner->now);
    breaker = &key->token->breaker;
    if (leave)
        *leave = breaker->open && module_is_ours(key->token->module)
                     ? breaker_ask(breaker, clock_monotonic_ms())
                     : BREAKER_GO;
    fork_lock_give();
    return key;
}

/* Puts `renewed` in the place of `old`; when another thread was faster, its key stays. */
static void replace_key(struct renewable_key *owner, struct p11_key *old, struct p11_key *renewed)
{
    struct p11_key *gone = renewed;

    fork_lock_take();
    if (owner->now == old) {
        owner->now = renewed;
        owner->renewals++;
        gone = old;
    }
    fork_lock_give();
    p11_key_unref(gone);
}

/* Not in the child of a fork, and not after sessions were lost: with its last session a token may
 * number its objects anew. */
static bool is_valid(const struct p11_key *key)
{
    return module_is_ours(key->token->module) && key->losses == pool_losses(&key->token->pool);
}

/* Before the key is looked at, so that it is found again in good order when the last session goes.
 */
static void close_idle_sessions(const struct p11_key *key)
{
    struct token *token = key->token;

    if (!key->ref->keep_alive || !module_is_ours(token->module))
        return;
    module_enter(token->module);
    pool_close_idle(&token->pool, key->ref->keep_alive);
    module_leave(token->module);
}

/* The key as it is now: opened anew when it has become invalid.  A token that was there once and is
 * not is away. */
static se_status renew_key(struct p11_key **out, struct renewable_key *owner, se_error *err)
{
    AUTO(p11_key) key = take_current(owner, NULL);
    struct p11_key *renewed;
    se_status st;

    *out = NULL;
    close_idle_sessions(key);
    if (is_valid(key)) {
        *out = MOVE(key);
        return SE_OK;
    }
    st = p11_key_reopen(&renewed, owner->certificate, key->ref, key->part, err);
    if (p11_may_be_away(st))
        return error_restate(err, SE_ERR_UNAVAILABLE);
    TRY(st);
    replace_key(owner, key, renewed);
    *out = take_current(owner, NULL);
    return SE_OK;
}

/* ---- one operation with it ---- */

enum { TRIES_MOST = 16 };

/* How a try ended. */
struct outcome {
    se_status status;
    bool lost;  /* the token, or the sessions with it */
    bool away;  /* it can't even be opened anew */
    bool stale; /* nothing failed, but others lost the sessions meanwhile */
    se_error error;
};

/* With a copy of all that it needs, because it may go on when its caller has gone. */
struct key_call {
    struct p11_call call;
    struct renewable_key *owner; /* counted */
    struct p11_key *known;       /* counted; keeps the token */
    bool decrypts;
    struct sign_how sign;
    struct unwrap_how decrypt;
    se_buf in, out;
    struct outcome outcome; /* of the last try */
    bool lost;              /* at any try */
};

static void key_call_free(struct key_call *call)
{
    se_buf_free(&call->in);
    se_buf_free(&call->out);
    p11_key_unref(call->known);
    renewable_unref(call->owner);
    free(call);
}

/* Key and session are from after the same loss, and it was the last. */
static bool belong_together(const struct p11_key *key, const struct session *session)
{
    return session->losses == key->losses && is_valid(key);
}

static se_status call_in_session(struct key_call *call, struct p11_key *key, se_error *err)
{
    AUTO(session) session = { 0 };
    const se_bytes in = buf_bytes(&call->in);
    se_status st = token_session(&session, key->token, key->ref, true, err);

    if (!st && belong_together(key, &session))
        st = call->decrypts ? p11_key_decrypt(&call->out, key, &session, &call->decrypt, in, err)
                            : p11_key_sign(&call->out, key, &session, &call->sign, in, err);
    if (st || belong_together(key, &session))
        return st;
    /* after a loss, the handle of the key may mean another key: that may have been before the call,
     * or during it */
    se_buf_free(&call->out);
    call->outcome.stale = true;
    return error_set(err, SE_ERR_UNAVAILABLE, "the sessions with the token were lost just now");
}

/* It is there, whatever others have just found out. */
static void note_answer(struct token *token)
{
    __atomic_store_n(&token->answered, clock_monotonic_ms(), __ATOMIC_RELAXED);
    token_note_hearing(token, true);
    fork_lock_take();
    if (token->breaker.open)
        (void)breaker_healed(&token->breaker);
    fork_lock_give();
}

/* Says which key of which token the error is about. */
static void name_key(const struct p11_key *key, se_error *err)
{
    struct meant_name name;

    (void)error_prefix(err, err->status, "key %s: ", meant_name(&name, key->ref));
    (void)token_context(key->token, err->status, err);
}

static void try_once(struct key_call *call)
{
    struct outcome *out = &call->outcome;
    AUTO(p11_key) key = NULL;

    *out = (struct outcome){ .error = SE_ERROR_INIT };
    if ((out->status = renew_key(&key, call->owner, &out->error))) {
        out->lost = out->away = out->status == SE_ERR_UNAVAILABLE;
        return;
    }
    module_enter(key->token->module);
    out->status = call_in_session(call, key, &out->error);
    module_leave(key->token->module);
    if (!out->status) {
        note_answer(key->token);
        return;
    }
    /* a PIN that was refused is not tried again, nor is what does not decrypt */
    out->lost = out->status != SE_ERR_ACCESS && out->status != SE_ERR_REJECTED && !is_valid(key);
    if (out->lost && !out->stale)
        token_note_hearing(key->token, false);
    /* some vendors have numbers of their own for a line that is cut */
    if (out->lost && out->status == SE_ERR_STORE)
        out->status = error_restate(&out->error, SE_ERR_UNAVAILABLE);
    if (out->status != SE_ERR_REJECTED) /* which has one text for all that does not decrypt */
        name_key(key, &out->error);
}

/* What fails with a lost session is tried once more; what others lost meanwhile, until they let it
 * be. */
static void try_and_recover(void *arg)
{
    struct key_call *call = arg;

    for (unsigned tries = 0, failures = 0; tries < TRIES_MOST; tries++) {
        try_once(call);
        call->lost = call->lost || call->outcome.lost;
        if (!call->outcome.lost || call->outcome.away)
            return;
        if (!call->outcome.stale && failures++)
            return;
    }
}

static bool is_away(const struct outcome *outcome)
{
    return outcome->lost && outcome->status == SE_ERR_UNAVAILABLE;
}

static void set_breaker(struct token *token, enum breaker_leave leave,
                        const struct outcome *outcome)
{
    fork_lock_take();
    if (is_away(outcome)) {
        (void)breaker_failed(&token->breaker, leave, clock_monotonic_ms());
        (void)snprintf(token->away, sizeof token->away, "%.199s", outcome->error.text);
    } else {
        (void)breaker_healed(&token->breaker);
    }
    fork_lock_give();
}

/* Nobody waits for it any more, but a token that answers after all is there. */
static void end_late(void *arg)
{
    struct key_call *call = arg;

    if (!call->outcome.status)
        set_breaker(call->known->token, BREAKER_GO, &call->outcome);
    key_call_free(call);
}

/* Each change is reported once, by the first of the threads that notice it.  `lost`: by this
 * operation, whatever came of it. */
static void report_change(struct renewable_key *owner, bool away, bool lost, const char *text)
{
    enum key_change change;
    bool was, renewed;

    if (!owner->watch || !(away || lost || __atomic_load_n(&owner->away, __ATOMIC_RELAXED)))
        return;
    fork_lock_take();
    was = owner->away;
    renewed = lost && owner->reported != owner->renewals;
    change = away ? KEY_LOST : was ? KEY_HEALED : KEY_RENEWED;
    __atomic_store_n(&owner->away, away, __ATOMIC_RELAXED);
    if (!away)
        owner->reported = owner->renewals;
    fork_lock_give();
    if (away ? !was : was || renewed)
        owner->watch->tell(owner->watch->arg, change, text);
}

static se_status refuse_call(struct renewable_key *owner, struct token *token, se_error *err)
{
    char away[sizeof token->away];

    fork_lock_take();
    memcpy(away, token->away, sizeof away);
    fork_lock_give();
    report_change(owner, true, true, away);
    return error_set(err, SE_ERR_UNAVAILABLE,
                     "the token is away, and is asked again within half a second: %s", away);
}

/* A call as its caller sees it. */
struct key_caller {
    struct p11_key *known;
    enum breaker_leave leave;
    int64_t begun;
};

/* The call owns what it works on until it returns.  A token that has answered others meanwhile is
 * not away. */
static se_status leave_late_call(struct renewable_key *owner, const struct key_caller *caller,
                                 enum timed_call_end end, se_error *err)
{
    struct outcome outcome = { .status = SE_ERR_UNAVAILABLE, .lost = true, .error = SE_ERROR_INIT };
    struct token *token = caller->known->token;

    (void)p11_call_error(&outcome.error, caller->known->ref, end);
    name_key(caller->known, &outcome.error);
    if (caller->leave == BREAKER_PROBE ||
        __atomic_load_n(&token->answered, __ATOMIC_RELAXED) <= caller->begun) {
        set_breaker(token, caller->leave, &outcome);
        report_change(owner, true, true, outcome.error.text);
    }
    return error_set_at(err, outcome.status, outcome.error.file, outcome.error.line, "%s",
                        outcome.error.text);
}

static struct key_call *key_call_new(struct renewable_key *owner, se_bytes in)
{
    struct key_call *call = calloc(1, sizeof *call);

    if (!call)
        return NULL;
    if (buf_copy(&call->in, in, NULL)) {
        free(call);
        return NULL;
    }
    call->call = (struct p11_call){ .run = try_and_recover, .release = end_late };
    call->outcome.status = SE_ERR_UNAVAILABLE;
    __atomic_add_fetch(&owner->refs, 1, __ATOMIC_RELAXED);
    call->owner = owner;
    return call;
}

/* Takes `call`, which may be NULL. */
static se_status key_call_run(se_buf *out, struct renewable_key *owner, struct key_call *call,
                              se_error *err)
{
    struct key_caller caller = { .begun = clock_monotonic_ms() };
    AUTO(p11_key) known = NULL;
    const struct outcome *outcome;
    enum timed_call_end end;
    se_status st = SE_OK;

    if (!call)
        return error_memory(err);
    known = caller.known = take_current(owner, &caller.leave);
    call->known = p11_key_ref(known);
    call->call.ref = known->ref;
    if (caller.leave == BREAKER_WAIT) {
        key_call_free(call);
        return refuse_call(owner, known->token, err);
    }
    if ((end = p11_call_run(&call->call)) != TIMED_CALL_DONE)
        return leave_late_call(owner, &caller, end, err);
    outcome = &call->outcome;
    if (call->lost || caller.leave == BREAKER_PROBE)
        set_breaker(known->token, caller.leave, outcome);
    if (is_away(outcome) || !outcome->status || outcome->status == SE_ERR_REJECTED)
        report_change(owner, is_away(outcome), call->lost,
                      outcome->status == SE_ERR_REJECTED ? "" : outcome->error.text);
    if (outcome->status)
        st = error_set_at(err, outcome->status, outcome->error.file, outcome->error.line, "%s",
                          outcome->error.text);
    else
        *out = buf_move(&call->out);
    remote_trace_sessions(token_count_sessions(call->known->token));
    key_call_free(call);
    return st;
}

/* ---- what the provider asks for (crypto/provider_keymgmt.h) ---- */

static se_status renewable_sign(se_buf *out, void *owner, const struct sign_how *how, se_bytes hash,
                                se_error *err)
{
    struct key_call *call = key_call_new(owner, hash);

    *out = (se_buf)SE_BUF_INIT;
    if (call)
        call->sign = *how;
    return key_call_run(out, owner, call, err);
}

static se_status renewable_decrypt(se_buf *out, void *owner, const struct unwrap_how *how,
                                   se_bytes blob, se_error *err)
{
    struct key_call *call = key_call_new(owner, blob);

    *out = (se_buf)SE_BUF_INIT;
    if (call) {
        call->decrypts = true;
        call->decrypt = *how;
    }
    return key_call_run(out, owner, call, err);
}

static const char *renewable_sign_mechanism(void *owner, const struct sign_how *how)
{
    AUTO(p11_key) key = take_current(owner, NULL);

    return p11_key_sign_mechanism(key, how);
}

static const char *renewable_decrypt_mechanism(void *owner, const struct unwrap_how *how)
{
    AUTO(p11_key) key = take_current(owner, NULL);

    return p11_key_decrypt_mechanism(key, how);
}

static void renewable_advise(void *owner, remote_advice_fn fn, void *arg)
{
    AUTO(p11_key) key = take_current(owner, NULL);

    token_advise(key->token, fn, arg);
}

static enum leaving renewable_may_leave(void *owner)
{
    AUTO(p11_key) key = take_current(owner, NULL);

    return key->may_leave ? LEAVING_YES : LEAVING_NO;
}

se_status p11_key_wrap(EVP_PKEY **out, struct p11_key *key, X509 *certificate,
                       const struct key_watch *watch, se_error *err)
{
    static const struct remote_ops ops = {
        .sign = renewable_sign,
        .unwrap = renewable_decrypt,
        .close = renewable_unref,
        .advise = renewable_advise,
        .may_leave = renewable_may_leave,
        .sign_mechanism = renewable_sign_mechanism,
        .unwrap_mechanism = renewable_decrypt_mechanism,
    };
    struct renewable_key *owner = calloc(1, sizeof *owner);
    se_status st;

    *out = NULL;
    if (!owner || !X509_up_ref(certificate)) {
        free(owner);
        p11_key_unref(key);
        return error_memory(err);
    }
    *owner = (struct renewable_key){
        .refs = 1,
        .certificate = certificate,
        .watch = watch,
        .now = key,
    };
    if ((st = remote_key(out, &ops, owner, key->public_key, err)))
        renewable_unref(owner);
    return st;
}
