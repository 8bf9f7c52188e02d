/* SPDX-License-Identifier: Apache-2.0 */
/* Logging in: every way in which a token may say no, and never a second wrong PIN. */
#include <unistd.h>

#include "keystore/pkcs11/call.h"
#include "keystore/pkcs11/pin_blocklist.h"

/* What the token's flags forbid to try, before the token is asked: the first that fits. */
static const struct {
    CK_FLAGS mask, value;
    const char *text;
} obstacles[] = {
    { CKF_TOKEN_INITIALIZED, 0, "the token is not initialised" },
    { CKF_USER_PIN_INITIALIZED, 0, "the token has no user PIN yet" },
    { CKF_USER_PIN_LOCKED, CKF_USER_PIN_LOCKED,
      "the PIN is locked; the security officer can set a new one" },
    /* a service that tries for ever must not be what locks a token */
    { CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_FINAL_TRY,
      "the next wrong PIN locks the token, so none is presented: log in once by other means with "
      "the right one" },
};

static const struct {
    CK_RV rv;
    const char *text;
} refusals[] = {
    { CKR_PIN_INCORRECT, "wrong PIN" },
    { CKR_PIN_INVALID, "wrong PIN: it has characters that the token does not take" },
    { CKR_PIN_LEN_RANGE, "wrong PIN: too short or too long for the token" },
    { CKR_PIN_EXPIRED, "the PIN has expired" },
    { CKR_PIN_LOCKED, "the PIN is locked; the security officer can set a new one" },
    { CKR_USER_PIN_NOT_INITIALIZED, "the token has no user PIN yet" },
    { CKR_USER_ANOTHER_ALREADY_LOGGED_IN, "the security officer is logged in with this process" },
};

static se_status check_flags(const struct slot *now, se_error *err)
{
    if (now->rv != CKR_OK)
        return ckr_error(err, now->rv, "cannot ask the token");
    for (size_t i = 0; i < sizeof obstacles / sizeof *obstacles; i++)
        if ((now->flags & obstacles[i].mask) == obstacles[i].value)
            return error_set(err, SE_ERR_ACCESS, "%s", obstacles[i].text);
    return SE_OK;
}

/* How near the token is to locking itself, after a wrong PIN. */
static const char *lock_warning(struct token *token)
{
    struct slot now;

    slot_load(&now, token->module, token->slot.id);
    if (now.flags & CKF_USER_PIN_LOCKED)
        return "; the token has locked it";
    if (now.flags & CKF_USER_PIN_FINAL_TRY)
        return "; one more wrong PIN locks the token";
    return "";
}

/* A TPM has no PIN to unlock: wrong ones, for any of its keys, have it refuse all for a time
 * (TPM 2.0 library, part 1, 19.8). */
static bool is_tpm(struct module *module)
{
    static const char name[] = "TPM2.0 Cryptoki"; /* tpm2-pkcs11 */
    CK_INFO info;

    return module->calls->C_GetInfo(&info) == CKR_OK &&
           !strncmp((const char *)info.libraryDescription, name, sizeof name - 1);
}

static se_status login_refused(struct token *token, CK_RV rv, se_error *err)
{
    if (rv == CKR_PIN_LOCKED && is_tpm(token->module))
        return error_set(
            err, SE_ERR_ACCESS,
            "the TPM is in lockout: after too many wrong PINs it takes none, until its recovery "
            "time is over (tpm2_getcap "
            "properties-variable) or its owner ends it (tpm2_dictionarylockout --clear-lockout)");
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (refusals[i].rv == rv)
            return error_set(err, SE_ERR_ACCESS, "%s%s", refusals[i].text, lock_warning(token));
    return ckr_error(err, rv, "cannot log in");
}

/* Not CKR_PIN_LOCKED: the token counts no further, and once it is unlocked the PIN may be right. */
static bool is_wrong_pin(CK_RV rv)
{
    return rv == CKR_PIN_INCORRECT || rv == CKR_PIN_INVALID || rv == CKR_PIN_LEN_RANGE;
}

/* SoftHSM, whose file others may be writing: then it lacks whatever has not been written yet. */
static bool writes_at_login(const struct token *token)
{
    return strcmp(token->slot.manufacturer, "SoftHSM project") == 0;
}

static bool may_be_half_written(CK_RV rv)
{
    return rv == CKR_GENERAL_ERROR || rv == CKR_USER_PIN_NOT_INITIALIZED;
}

/* A PIN is presented again only to SoftHSM: it counts no wrong ones. */
static CK_RV call_login(const struct token *token, const struct session *session, CK_USER_TYPE user,
                        const se_buf *pin)
{
    /* without a PIN, the token has a keypad of its own */
    CK_UTF8CHAR *const text = pin->size ? pin->data : NULL;
    const int tries = writes_at_login(token) ? TOKEN_WRITING_TRIES : 0;
    CK_RV rv = session->calls->C_Login(session->handle, user, text, pin->size);

    for (int i = 0; i < tries && may_be_half_written(rv); i++) {
        usleep(TOKEN_WRITING_PAUSE_US);
        rv = session->calls->C_Login(session->handle, user, text, pin->size);
    }
    return rv;
}

static se_status present_pin(struct token *token, struct session *session, CK_USER_TYPE user,
                             const se_buf *pin, CK_FLAGS flags, se_error *err)
{
    struct refusal refused;
    unsigned minutes;
    CK_RV rv;

    if (!refused_pin_make(&refused, token->module, &token->slot, buf_bytes(pin)))
        return error_set(err, SE_ERR_CRYPTO, "cannot hash the PIN");
    if (pin_blocklist_has(&refused))
        return error_set(
            err, SE_ERR_ACCESS,
            "wrong PIN: the token refused it before, and this process does not present it again");
    if (pin_blocklist_file_has(&minutes, token->module, &token->slot, flags, buf_bytes(pin)))
        return error_set(err, SE_ERR_ACCESS,
                         "wrong PIN: the token refused it %u minutes ago, and within an hour it is "
                         "presented again only with --retry-pin",
                         minutes);
    rv = call_login(token, session, user, pin);
    session_note(session, rv);
    if (rv != CKR_USER_ALREADY_LOGGED_IN) /* the module knows that without its device */
        token_note_hearing(token, !ckr_breaks_session(rv));
    if (is_wrong_pin(rv)) {
        pin_blocklist_add(&refused);
        pin_blocklist_file_add(token->module, &token->slot, buf_bytes(pin));
    }
    return rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN ? SE_OK : login_refused(token, rv, err);
}

/* With the token's login lock held: the threads of this process present their PINs one after the
 * other. */
static se_status log_in_once(struct token *token, struct session *session, CK_USER_TYPE user,
                             const struct keyref *ref, se_error *err)
{
    const CK_FLAGS both = CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED;
    AUTO(se_buf) pin = SE_BUF_INIT;
    struct slot now;

    /* when the token was opened, its file may have been half written, too */
    slot_load_settled(&now, token->module, token->slot.id,
                      writes_at_login(token) ? both : token->slot.flags & both);
    if (now.rv == CKR_OK && !(now.flags & CKF_LOGIN_REQUIRED) && user == CKU_USER)
        return SE_OK;
    TRY(check_flags(&now, err));
    TRY(keyref_pin(&pin, ref, err));
    if (!pin.size && !(now.flags & CKF_PROTECTED_AUTHENTICATION_PATH))
        return error_set(
            err, SE_ERR_ACCESS,
            "the token wants a PIN, and none is configured (pin, pin.encrypted, pin.source)");
    TRY(present_pin(token, session, user, &pin, now.flags, err));
    if (now.flags & CKF_USER_PIN_COUNT_LOW)
        __atomic_store_n(&token->wrong_pin_seen, true, __ATOMIC_RELAXED);
    return SE_OK;
}

void token_advise(struct token *token, remote_advice_fn fn, void *arg)
{
    const struct remote_advice advice = {
        .kind = "pin",
        .text = "a wrong PIN was presented to the token before this login, and some more would "
                "have locked it: who has an old one?",
    };

    if (__atomic_exchange_n(&token->wrong_pin_seen, false, __ATOMIC_RELAXED))
        fn(arg, &advice);
}

bool token_is_logged_in(struct session *session)
{
    CK_SESSION_INFO info = { 0 };
    CK_RV rv = session->calls->C_GetSessionInfo(session->handle, &info);

    session_note(session, rv);
    return rv == CKR_OK &&
           (info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS);
}

se_status token_login(struct token *token, struct session *session, const struct keyref *ref,
                      se_error *err)
{
    se_status st = SE_OK;

    pthread_mutex_lock(&token->login);
    if (!token_is_logged_in(session))
        st = log_in_once(token, session, CKU_USER, ref, err);
    pthread_mutex_unlock(&token->login);
    TRY(st);
    session->logged_in = true;
    pool_note_login(&token->pool, session);
    return SE_OK;
}

se_status token_login_again(struct token *token, struct session *session, const struct keyref *ref,
                            se_error *err)
{
    se_status st;

    pthread_mutex_lock(&token->login);
    st = log_in_once(token, session, CKU_CONTEXT_SPECIFIC, ref, err);
    pthread_mutex_unlock(&token->login);
    return st;
}

se_status token_session(struct session *out, struct token *token, const struct keyref *ref,
                        bool login, se_error *err)
{
    se_status st = SE_OK;

    if (ref->keep_alive)
        pool_close_idle(&token->pool, ref->keep_alive);
    TRY(pool_take(out, &token->pool, ref->max_sessions, p11_call_ms(ref) / 2, err));
    if (login && !out->logged_in && (st = token_login(token, out, ref, err)))
        session_end(out);
    return st;
}
