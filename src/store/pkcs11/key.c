#include "store/pkcs11/key.h"

#include <stdlib.h>

#include "store/pkcs11/brieflock.h"
#include "store/pkcs11/sign.h"
#include "store/pkcs11/unwrap.h"

/* What the EVP_PKEY holds. */
struct remote {
    X509 *certificate;
    struct hsm_key *now; /* under brief_lock() */
};

void hsm_key_unref(struct hsm_key *key)
{
    if (!key || __atomic_sub_fetch(&key->refs, 1, __ATOMIC_ACQ_REL))
        return;
    EVP_PKEY_free(key->key.public);
    token_close(key->key.token);
    free(key);
}

static struct hsm_key *take(struct remote *remote)
{
    struct hsm_key *key;

    brief_lock();
    key = remote->now;
    __atomic_add_fetch(&key->refs, 1, __ATOMIC_RELAXED);
    brief_unlock();
    return key;
}

/* Puts `new` in the place of `old`; when another thread was faster, its key stays. */
static void replace(struct remote *remote, struct hsm_key *old, struct hsm_key *new)
{
    struct hsm_key *gone = new;

    brief_lock();
    if (remote->now == old) {
        remote->now = new;
        gone = old;
    }
    brief_unlock();
    hsm_key_unref(gone);
}

/* Not in the child of a fork, and not after sessions were lost: with its last session a token may number its objects anew. */
static bool is_valid(const struct hsm_key *key)
{
    struct token *token = key->key.token;

    return module_is_ours(token->module) && key->losses == pool_losses(&token->pool);
}

/* The key as it is now: opened anew when it has become invalid. */
static se_status current(struct hsm_key **out, struct remote *remote, se_error *err)
{
    struct hsm_key *key = take(remote), *new;
    se_status st;

    *out = key;
    if (is_valid(key))
        return SE_OK;
    st = hsm_key_open(&new, &remote->certificate, NULL, key->key.ref, key->key.part, err);
    if (!st) {
        replace(remote, key, new);
        *out = take(remote);
    } else
        *out = NULL;
    hsm_key_unref(key);
    return st;
}

/* The key, and a session for it. */
static se_status begin(struct hsm_key **key, struct session *session, void *data, se_error *err)
{
    se_status st = current(key, data, err);

    return st ? st : token_session(session, (*key)->key.token, (*key)->key.ref, true, err);
}

/* There is one text for all that does not decrypt. */
static se_status blame(se_status st, const struct hsm_key *key, se_error *err)
{
    if (!key || st == SE_OK || st == SE_ERR_REJECTED)
        return st;
    (void)error_prefix(err, "key '%s': ", key->key.ref->alias);
    return token_context(key->key.token, err);
}

static se_status sign(se_buf *out, void *data, const struct sign_how *how, se_bytes hash, se_error *err)
{
    AUTO(hsm_key) key = NULL;
    AUTO(session) session = { 0 };
    se_status st = begin(&key, &session, data, err);

    *out = (se_buf)SE_BUF_INIT;
    if (!st)
        st = token_key_sign(out, &key->key, &session, how, hash, err);
    return blame(st, key, err);
}

static se_status unwrap(se_buf *out, void *data, const struct unwrap_how *how, se_bytes blob, se_error *err)
{
    AUTO(hsm_key) key = NULL;
    AUTO(session) session = { 0 };
    se_status st = begin(&key, &session, data, err);

    *out = (se_buf)SE_BUF_INIT;
    if (!st)
        st = token_key_unwrap(out, &key->key, &session, how, blob, err);
    return blame(st, key, err);
}

static void close_remote(void *data)
{
    struct remote *remote = data;

    hsm_key_unref(remote->now);
    X509_free(remote->certificate);
    free(remote);
}

se_status hsm_key_bridge(EVP_PKEY **out, struct hsm_key *key, X509 *certificate, se_error *err)
{
    static const struct remote_ops ops = { sign, unwrap, close_remote };
    struct remote *remote = calloc(1, sizeof *remote);
    se_status st;

    *out = NULL;
    if (!remote || !X509_up_ref(certificate)) {
        free(remote);
        hsm_key_unref(key);
        return error_memory(err);
    }
    *remote = (struct remote){ certificate, key };
    if ((st = remote_key(out, &ops, remote, key->key.public, err)))
        close_remote(remote);
    return st;
}
