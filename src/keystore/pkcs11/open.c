/* The store: from a keyref to a key. */
#include <stdlib.h>

#include "keystore/keystore.h"
#include "keystore/pkcs11/heal.h"
#include "keystore/pkcs11/held.h"
#include "keystore/pkcs11/key.h"
#include "keystore/pkcs11/late.h"
#include "keystore/pkcs11/pair.h"

/* The token keeps its module open. */
static se_status open_token(struct token **out, struct module *module, const struct keyref *ref,
                            se_error *err)
{
    CK_SLOT_ID slot;
    se_status st;

    *out = NULL;
    module_enter(module);
    if (!(st = token_find(&slot, module, ref, err)))
        st = token_open(out, module, slot, err);
    module_leave(module);
    return st;
}

/* *chain becomes the issuers of `certificate` on the token and in what *chain was. */
static se_status complete(STACK_OF(X509) * *chain, struct session *session, X509 *certificate,
                          se_error *err)
{
    STACK_OF(X509) * whole;

    TRY(held_chain(&whole, session, certificate, *chain, err));
    sk_X509_pop_free(*chain, X509_free);
    *chain = whole;
    return SE_OK;
}

/* To who is not logged in, private keys are just not there: if another component logs us out, it
 * does not mean that there are none. */
static se_status find_pair(struct token_key *key, X509 **certificate, struct session *session,
                           se_error *err)
{
    se_status st = pair_find(key, certificate, session, err);

    if (st != SE_ERR_KEY || !(key->token->slot.flags & CKF_LOGIN_REQUIRED) ||
        token_is_logged_in(session))
        return st;
    session->broken = true;
    return error_restate(err, SE_ERR_UNAVAILABLE);
}

static se_status find_key(struct hsm_key *found, X509 **certificate, STACK_OF(X509) * *chain,
                          se_error *err)
{
    AUTO(session) session = { 0 };
    struct token_key *key = &found->key;
    se_status st = token_session(&session, key->token, key->ref, false, err);

    found->losses = session.losses;
    if (st || (st = token_login(key->token, &session, key->ref, err)) ||
        (st = find_pair(key, certificate, &session, err)))
        return st;
    return chain ? complete(chain, &session, *certificate, err) : SE_OK;
}

/* What is opened, and what for. */
struct opening {
    struct hsm_key *key; /* NULL: only the certificate is wanted */
    X509 **certificate;
    STACK_OF(X509) * *chain;
    const struct keyref *ref;
    enum key_part part;
};

static se_status open_on(void *arg, struct module *module, se_error *err)
{
    const struct opening *o = arg;
    struct token_key *key = &o->key->key;
    se_status st;

    *key = (struct token_key){ .ref = o->ref, .part = o->part };
    TRY(open_token(&key->token, module, o->ref, err));
    module_enter(module);
    st = find_key(o->key, o->certificate, o->chain, err);
    module_leave(module);
    if (!st)
        return SE_OK;
    (void)token_context(key->token, err);
    EVP_PKEY_free(key->public);
    token_close(key->token);
    *key = (struct token_key){ .ref = o->ref };
    return st;
}

se_status hsm_key_open(struct hsm_key **out, X509 **certificate, STACK_OF(X509) * *chain,
                       const struct keyref *ref, enum key_part part, se_error *err)
{
    struct opening opening = { calloc(1, sizeof **out), certificate, chain, ref, part };
    se_status st;

    *out = NULL;
    if (!opening.key)
        return error_memory(err);
    opening.key->refs = 1;
    opening.key->key.ref = keyref_hold(ref);
    if ((st = with_module(ref, open_on, &opening, err))) {
        hsm_key_unref(opening.key);
        return st;
    }
    *out = opening.key;
    return SE_OK;
}

static se_status open_private(struct hsm_key **out, X509 **certificate, STACK_OF(X509) * *chain,
                              const struct keyref *ref, enum key_part part, se_error *err)
{
    se_status st = store_configured_certificate(certificate, chain, ref, err);

    *out = NULL;
    return st ? st : hsm_key_open(out, certificate, chain, ref, part, err);
}

/*
 * Who encrypts needs no PIN; with one, more can be told of the private key.  One that is missing or
 * wrong is no hindrance, and nobody is asked to come to a token's keypad for that.
 */
static void log_in_to_look(struct token *token, struct session *session, const struct keyref *ref)
{
    AUTO(se_buf) pin = SE_BUF_INIT;

    if (!keyref_pin(&pin, ref, NULL) && pin.size)
        (void)!token_login(token, session, ref, NULL);
}

static se_status find_certificate(const struct opening *o, struct token *token, se_error *err)
{
    AUTO(session) session = { 0 };

    TRY(token_session(&session, token, o->ref, false, err));
    if (o->part == PART_ENCRYPT)
        log_in_to_look(token, &session, o->ref);
    TRY((o->part == PART_ENCRYPT ? pair_recipient : pair_certificate)(o->certificate, &session,
                                                                      o->ref, err));
    return complete(o->chain, &session, *o->certificate, err);
}

static se_status open_certificate_on(void *arg, struct module *module, se_error *err)
{
    const struct opening *o = arg;
    AUTO(token) token = NULL;
    se_status st;

    TRY(open_token(&token, module, o->ref, err));
    module_enter(module);
    st = find_certificate(o, token, err);
    module_leave(module);
    if (!st)
        return SE_OK;
    X509_free(*o->certificate);
    *o->certificate = NULL;
    return token_context(token, err);
}

/* One that the configuration gives never reaches the store (store_open()). */
static se_status open_certificate(X509 **out, STACK_OF(X509) * *chain, const struct keyref *ref,
                                  enum key_part part, se_error *err)
{
    struct opening opening = { NULL, out, chain, ref, part };

    return with_module(ref, open_certificate_on, &opening, err);
}

static se_status open_now(struct key **out, const struct keyref *ref, enum key_part part,
                          const struct key_watch *watch, se_error *err)
{
    EVP_PKEY *private = NULL;
    struct hsm_key *held = NULL;
    unsigned namesakes = 0;
    X509 *certificate = NULL;
    STACK_OF(X509) *chain = NULL;
    se_status st = part <= PART_ENCRYPT ? open_certificate(&certificate, &chain, ref, part, err)
                                        : open_private(&held, &certificate, &chain, ref, part, err);

    *out = NULL;
    if (held) {
        namesakes = held->key.namesakes;
        st = hsm_key_bridge(&private, held, certificate, watch, err);
    }
    if (!st) {
        if (!(st = key_new(out, private, certificate, chain, err)))
            (*out)->namesakes = namesakes;
        return st;
    }
    EVP_PKEY_free(private);
    X509_free(certificate);
    sk_X509_pop_free(chain, X509_free);
    return st;
}

/* What may be late: complete in itself. */
struct task {
    const struct keyref *ref; /* held */
    enum key_part part;
    const struct key_watch
        *watch; /* only its address: nobody uses the key of a call that is late */
    struct key *key;
    se_error error;
};

static void run_task(void *arg)
{
    struct task *task = arg;

    task->error.status = open_now(&task->key, task->ref, task->part, task->watch, &task->error);
}

static void free_task(void *arg)
{
    struct task *task = arg;

    key_unref(task->key);
    keyref_release(task->ref);
    free(task);
}

static se_status open_key(struct key **out, const struct keyref *ref, enum key_part part,
                          const struct key_watch *watch, se_error *err)
{
    static const struct timed_call opening = { run_task, free_task };
    struct task *task = calloc(1, sizeof *task);
    enum timed_call_end end;
    se_status st;

    *out = NULL;
    if (!task)
        return error_memory(err);
    *task = (struct task){ .ref = keyref_hold(ref), .part = part, .watch = watch };
    if ((end = late_run(&opening, task, ref)) != TIMED_CALL_DONE)
        return late_error(err, ref, end);
    *out = task->key;
    task->key = NULL;
    if ((st = task->error.status))
        (void)error_set_at(err, st, task->error.file, task->error.line, "%s", task->error.text);
    free_task(task);
    return st;
}

const struct store_type pkcs11_store = { .name = "HSM", .has_rights = true, .open = open_key };
