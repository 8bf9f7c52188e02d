/* The store: from a keyref to a key. */
#include <stdlib.h>

#include "store/pkcs11/held.h"
#include "store/pkcs11/key.h"
#include "store/pkcs11/pair.h"
#include "store/store.h"

/* The token keeps its module open. */
static se_status open_token(struct token **out, const struct keyref *ref, se_error *err)
{
    AUTO(module) module = NULL;
    CK_SLOT_ID slot;
    se_status st;

    *out = NULL;
    if ((st = module_open(&module, ref->location, ref->init_args, err)) || (st = token_find(&slot, module, ref, err)))
        return st;
    return token_open(out, module, slot, err);
}

/* *chain becomes the issuers of `certificate` on the token and in what *chain was. */
static se_status complete(STACK_OF(X509) * *chain, struct session *session, X509 *certificate, se_error *err)
{
    AUTO(x509_stack) more = *chain;

    return held_chain(chain, session, certificate, more, err);
}

static se_status find_key(struct token_key *key, X509 **certificate, STACK_OF(X509) * *chain, se_error *err)
{
    AUTO(session) session = { 0 };
    se_status st;

    if ((st = token_session(&session, key->token, key->ref, true, err)) || (st = pair_find(key, certificate, &session, err)))
        return st;
    return chain ? complete(chain, &session, *certificate, err) : SE_OK;
}

se_status hsm_key_open(struct hsm_key **out, X509 **certificate, STACK_OF(X509) * *chain, const struct keyref *ref, enum key_part part,
                       se_error *err)
{
    struct hsm_key *key = calloc(1, sizeof *key);
    se_status st;

    *out = NULL;
    if (!key)
        return error_memory(err);
    key->refs = 1;
    key->key.ref = ref;
    key->key.part = part;
    if ((st = open_token(&key->key.token, ref, err))) {
        hsm_key_unref(key);
        return st;
    }
    key->losses = pool_losses(&key->key.token->pool);
    if ((st = find_key(&key->key, certificate, chain, err))) {
        (void)token_context(key->key.token, err);
        hsm_key_unref(key);
        return st;
    }
    *out = key;
    return SE_OK;
}

static se_status open_private(EVP_PKEY **out, X509 **certificate, STACK_OF(X509) * *chain, const struct keyref *ref, enum key_part part,
                              se_error *err)
{
    struct hsm_key *key;
    se_status st;

    if ((st = store_configured_certificate(certificate, chain, ref, err)) || (st = hsm_key_open(&key, certificate, chain, ref, part, err)))
        return st;
    return hsm_key_bridge(out, key, *certificate, err);
}

static se_status find_certificate(X509 **out, STACK_OF(X509) * *chain, struct token *token, const struct keyref *ref, se_error *err)
{
    AUTO(session) session = { 0 };
    se_status st;

    if ((st = token_session(&session, token, ref, false, err)) || (st = pair_certificate(out, &session, ref, err)))
        return st;
    return complete(chain, &session, *out, err);
}

/* One that the configuration gives never reaches the store (store_open()). */
static se_status open_certificate(X509 **out, STACK_OF(X509) * *chain, const struct keyref *ref, se_error *err)
{
    AUTO(token) token = NULL;
    se_status st = open_token(&token, ref, err);

    if (!st && (st = find_certificate(out, chain, token, ref, err)))
        (void)token_context(token, err);
    return st;
}

static se_status open_key(struct key **out, const struct keyref *ref, enum key_part part, se_error *err)
{
    EVP_PKEY *private = NULL;
    X509 *certificate = NULL;
    STACK_OF(X509) *chain = NULL;
    se_status st = part == PART_CERTIFICATE ? open_certificate(&certificate, &chain, ref, err)
                                            : open_private(&private, &certificate, &chain, ref, part, err);

    *out = NULL;
    if (!st)
        return key_new(out, private, certificate, chain, err);
    EVP_PKEY_free(private);
    X509_free(certificate);
    sk_X509_pop_free(chain, X509_free);
    return st;
}

const struct store_type pkcs11_store = { "HSM", open_key };
