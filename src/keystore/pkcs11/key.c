/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/pkcs11/key.h"

#include <stdlib.h>

#include "base/clock.h"
#include "crypto/certificate.h"
#include "keystore/pkcs11/keypair.h"
#include "keystore/pkcs11/object.h"

/* ---- its life ---- */

static void key_close_token(void *call)
{
    struct p11_key *key = call;

    token_close(key->token);
    key->token = NULL;
}

static void key_free(void *call)
{
    struct p11_key *key = call;

    EVP_PKEY_free(key->public_key);
    keyref_release(key->ref);
    free(key);
}

struct p11_key *p11_key_new(const struct keyref *ref, enum key_part part)
{
    struct p11_key *key = calloc(1, sizeof *key);
    const struct keyref *held = key ? keyref_hold(ref) : NULL;

    if (!held) {
        free(key);
        return NULL;
    }
    *key = (struct p11_key){
        .closing = { .run = key_close_token, .release = key_free, .ref = held },
        .refs = 1,
        .ref = held,
        .part = part,
    };
    return key;
}

struct p11_key *p11_key_ref(struct p11_key *key)
{
    __atomic_add_fetch(&key->refs, 1, __ATOMIC_RELAXED);
    return key;
}

/* With the last key the sessions with its token are closed, which may take for ever. */
void p11_key_unref(struct p11_key *key)
{
    if (!key || __atomic_sub_fetch(&key->refs, 1, __ATOMIC_ACQ_REL))
        return;
    if (p11_call_run(&key->closing) == TIMED_CALL_DONE)
        key_free(key);
}

/* ---- finding it ---- */

static se_status find_token(struct token **out, struct module *module, const struct keyref *ref,
                            se_error *err)
{
    CK_SLOT_ID slot;
    se_status st;

    *out = NULL;
    module_enter(module);
    if (!(st = token_select(&slot, module, ref, err)))
        st = token_open(out, module, slot, err);
    module_leave(module);
    return st;
}

static bool is_in_use(struct module *module)
{
    bool used;

    pthread_mutex_lock(&module->tokens_lock);
    used = module->tokens != NULL;
    pthread_mutex_unlock(&module->tokens_lock);
    return used;
}

/*
 * The token keeps its module open.  Where none is in use, nobody is disturbed when the module
 * starts anew to see one that has come since: SoftHSM looks for tokens in C_Initialize only, and
 * overlooks one whose file another process is just writing.
 */
static se_status open_token(struct token **out, struct module *module, const struct keyref *ref,
                            se_error *err)
{
    const unsigned seen = module_starts(module);
    se_error failure = SE_ERROR_INIT;
    se_status st = find_token(out, module, ref, &failure);

    if (st == SE_ERR_STORE && !is_in_use(module) && !module_restart(module, seen, NULL)) {
        failure = (se_error)SE_ERROR_INIT;
        st = find_token(out, module, ref, &failure);
    }
    return st ? error_copy(err, st, &failure) : SE_OK;
}

/* The chain becomes the issuers on the token and in what it was. */
static se_status complete_chain(struct certificates *certificates, struct session *session,
                                se_error *err)
{
    STACK_OF(X509) * whole;

    TRY(token_certs_chain(&whole, session, certificates->own, certificates->chain, err));
    sk_X509_pop_free(certificates->chain, X509_free);
    certificates->chain = whole;
    return SE_OK;
}

/* Without a login private keys are just not there: when another component logs us out, it does not
 * mean that there are none. */
static se_status find_keypair(const struct p11_search *search, struct session *session,
                              se_error *err)
{
    se_status st = keypair_find(search->key, search->certificates, session, err);

    if (st != SE_ERR_KEY || !(search->key->token->slot.flags & CKF_LOGIN_REQUIRED) ||
        token_is_logged_in(session))
        return st;
    session->broken = true;
    return error_restate(err, SE_ERR_UNAVAILABLE);
}

static se_status find_private_key(const struct p11_search *search, struct token *token,
                                  se_error *err)
{
    AUTO(session) session = { 0 };
    struct p11_key *key = search->key;

    TRY(token_session(&session, token, search->ref, false, err));
    key->losses = session.losses;
    TRY(token_login(token, &session, search->ref, err));
    TRY(find_keypair(search, &session, err));
    return search->alone ? SE_OK : complete_chain(search->certificates, &session, err);
}

/*
 * Encrypting needs no PIN, but a login shows more of the private key.  A PIN that is missing or
 * wrong is no hindrance, and nobody is called to a token's keypad for that.
 */
static void log_in_to_look(struct token *token, struct session *session, const struct keyref *ref)
{
    AUTO(se_buf) pin = SE_BUF_INIT;

    if (!keyref_pin(&pin, ref, NULL) && pin.size)
        (void)!token_login(token, session, ref, NULL);
}

static se_status find_certificate(const struct p11_search *search, struct token *token,
                                  se_error *err)
{
    AUTO(session) session = { 0 };

    TRY(token_session(&session, token, search->ref, false, err));
    if (search->part == PART_ENCRYPT) {
        log_in_to_look(token, &session, search->ref);
        TRY(keypair_recipient(search->certificates, &session, search->ref, err));
    } else {
        TRY(keypair_certificate(search->certificates, &session, search->ref, err));
    }
    return complete_chain(search->certificates, &session, err);
}

static se_status search_token(const struct p11_search *search, struct module *module, se_error *err)
{
    struct p11_key *key = search->key;
    AUTO(token) token = NULL;
    se_status st;

    TRY(open_token(&token, module, search->ref, err));
    if (key)
        key->token = token;
    module_enter(module);
    st = (key ? find_private_key : find_certificate)(search, token, err);
    module_leave(module);
    if (!st) {
        if (key)
            token = NULL;
        return SE_OK;
    }
    (void)token_context(token, st, err);
    if (key) {
        EVP_PKEY_free(key->public_key);
        key->public_key = NULL;
        key->token = NULL;
        key->ways = (struct p11_ways){ 0 };
    } else {
        certificates_free(search->certificates);
    }
    return st;
}

/* ---- a module that has lost its device is initialised anew ---- */

enum {
    TOKENS_MOST = 32,
    DEAF_MS = 250, /* one failure may be a mishap, and others may be using the module */
};

/* A token in use, as far as its module is judged by it. */
struct token_state {
    struct slot slot;
    int64_t deaf, answered;
};

/* Since when it has done nothing; 0: it does, or has not for long enough. */
static int64_t deaf_long(const struct token *token)
{
    const int64_t since = __atomic_load_n(&token->deaf, __ATOMIC_RELAXED);

    return since && clock_monotonic_ms() - since >= DEAF_MS ? since : 0;
}

static size_t list_tokens(struct token_state list[TOKENS_MOST], struct module *module)
{
    size_t count = 0;

    pthread_mutex_lock(&module->tokens_lock);
    for (struct token *t = module->tokens; t && count < TOKENS_MOST; t = t->next)
        list[count++] = (struct token_state){ t->slot, deaf_long(t),
                                              __atomic_load_n(&t->answered, __ATOMIC_RELAXED) };
    pthread_mutex_unlock(&module->tokens_lock);
    return count;
}

/* Since when a token of the module is there and does nothing; INT64_MIN: none is so. */
static int64_t deaf_since(const struct token_state *tokens, size_t count)
{
    int64_t since = INT64_MIN;

    for (size_t i = 0; i < count; i++)
        if (tokens[i].deaf && (since == INT64_MIN || tokens[i].deaf < since))
            since = tokens[i].deaf;
    return since;
}

static bool token_is_there(struct module *module, const struct slot *token)
{
    struct slot now;

    slot_load(&now, module, token->id);
    return now.rv == CKR_OK && strcmp(now.label, token->label) == 0 &&
           strcmp(now.serial, token->serial) == 0;
}

/*
 * A module with one token that answers is left alone, for whoever uses that.  What a module says of
 * a token may be from memory, while the line to it is cut (a TPM, when its resource manager was
 * restarted): logins and operations that fail tell more, and when one token does nothing, what
 * another says counts only if it has done something since.
 */
static bool module_answers(struct module *module)
{
    struct token_state tokens[TOKENS_MOST];
    size_t count = list_tokens(tokens, module);
    const int64_t since = deaf_since(tokens, count);
    CK_INFO info;
    bool any;

    module_enter(module);
    any = module->calls->C_GetInfo(&info) == CKR_OK && !count;
    for (size_t i = 0; !any && i < count; i++)
        any = !tokens[i].deaf && tokens[i].answered >= since &&
              token_is_there(module, &tokens[i].slot);
    module_leave(module);
    return any;
}

static bool has_deaf_token(struct module *module)
{
    struct token_state tokens[TOKENS_MOST];

    return deaf_since(tokens, list_tokens(tokens, module)) != INT64_MIN;
}

bool p11_may_be_away(se_status st)
{
    return st == SE_ERR_UNAVAILABLE || st == SE_ERR_STORE || st == SE_ERR_CRYPTO;
}

/* True: the module has been initialised anew since `seen`, by whoever it was, also while it was
 * asked whether it answers. */
static bool module_revive(struct module *module, unsigned seen)
{
    if (module_starts(module) == seen && !module_answers(module) &&
        module_restart(module, seen, NULL))
        return false;
    return module_starts(module) != seen;
}

se_status p11_search_run(const struct p11_search *search, se_error *err)
{
    AUTO(module) module = NULL;
    se_error failure = SE_ERROR_INIT;
    unsigned seen;
    se_status st;

    TRY(module_open(&module, search->ref->location, search->ref->init_args, err));
    seen = module_starts(module);
    if (has_deaf_token(module)) /* what is opened may not need the device, and seem to be well */
        (void)module_revive(module, seen);
    st = search_token(search, module, &failure);
    if (p11_may_be_away(st) && module_revive(module, seen)) {
        failure = (se_error)SE_ERROR_INIT;
        st = search_token(search, module, &failure);
    }
    return st ? error_copy(err, st, &failure) : SE_OK;
}

static se_status open_found(struct p11_key **out, struct p11_search *search, se_error *err)
{
    AUTO(p11_key) key = p11_key_new(search->ref, search->part);

    *out = NULL;
    search->key = key;
    if (!key)
        return error_memory(err);
    TRY(p11_search_run(search, err));
    *out = MOVE(key);
    return SE_OK;
}

se_status p11_key_open(struct p11_key **out, struct certificates *certificates,
                       const struct keyref *ref, enum key_part part, se_error *err)
{
    struct p11_search search = { .ref = ref, .part = part, .certificates = certificates };

    return open_found(out, &search, err);
}

se_status p11_key_reopen(struct p11_key **out, X509 *certificate, const struct keyref *ref,
                         enum key_part part, se_error *err)
{
    struct certificates known = { .own = certificate };
    struct p11_search search = { .ref = ref, .part = part, .certificates = &known, .alone = true };

    return open_found(out, &search, err);
}
